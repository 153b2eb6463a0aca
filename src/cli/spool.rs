//! Bytes that wait to be written: a few in memory, the others in a temporary file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use crate::jobs::OutputStream;

/// The bytes that wait in memory. Those beyond them wait in the file.
const MAX_MEMORY_BYTES: usize = 1024 * 1024;

/// The longest piece that several pushes make.
const CHUNK_BYTES: usize = 64 * 1024;

/// The bytes of several queues. The file is made when it is first needed, and has no name, so that
/// nothing of it is left, however the program ends.
#[derive(Default)]
pub(super) struct Spool {
    in_memory: usize,
    file: Option<File>,
    /// The end of what is in the file, and how much of it has not been taken.
    file_end: u64,
    in_file: u64,
}

/// The bytes of one queue, in their order.
#[derive(Default)]
pub(super) struct Spooled {
    pieces: VecDeque<Piece>,
}

/// Bytes for one stream.
struct Piece {
    stream: OutputStream,
    stored: Stored,
}

enum Stored {
    Memory(Vec<u8>),
    File { offset: u64, len: usize },
}

impl Stored {
    /// Appends what is stored right behind it, unless that makes it too long. Returns whether it did.
    fn extend(&mut self, next: &Self) -> bool {
        match (self, next) {
            (Self::Memory(bytes), Self::Memory(more))
                if bytes.len() + more.len() <= CHUNK_BYTES =>
            {
                bytes.extend(more);
                true
            }
            (
                Self::File { offset, len },
                Self::File {
                    offset: next,
                    len: more,
                },
            ) if *offset + *len as u64 == *next && *len + more <= CHUNK_BYTES => {
                *len += more;
                true
            }
            _ => false,
        }
    }
}

impl Spooled {
    /// The stream of the first bytes; `None` if there are none.
    pub(super) fn stream(&self) -> Option<OutputStream> {
        self.pieces.front().map(|piece| piece.stream)
    }

    /// Unites the last two pieces, if they belong together and are short.
    fn unite_last(&mut self) {
        let [.., before, last] = self.pieces.make_contiguous() else {
            return;
        };
        if before.stream == last.stream && before.stored.extend(&last.stored) {
            self.pieces.pop_back();
        }
    }
}

impl Spool {
    /// Appends bytes to a queue.
    ///
    /// # Errors
    /// They could not be written to the file, for example because the disk is full.
    pub(super) fn push(
        &mut self,
        queue: &mut Spooled,
        stream: OutputStream,
        bytes: &[u8],
    ) -> io::Result<()> {
        let stored = if self.in_memory + bytes.len() > MAX_MEMORY_BYTES {
            self.store_in_file(bytes)?
        } else {
            self.in_memory += bytes.len();
            Stored::Memory(bytes.to_vec())
        };
        queue.pieces.push_back(Piece { stream, stored });
        queue.unite_last();
        Ok(())
    }

    fn store_in_file(&mut self, bytes: &[u8]) -> io::Result<Stored> {
        let offset = self.file_end;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        self.file_end += bytes.len() as u64;
        self.in_file += bytes.len() as u64;
        let len = bytes.len();
        Ok(Stored::File { offset, len })
    }

    /// Takes the first bytes of a queue; `None` if it is empty.
    ///
    /// # Errors
    /// The file could not be read.
    pub(super) fn take(
        &mut self,
        queue: &mut Spooled,
    ) -> io::Result<Option<(OutputStream, Vec<u8>)>> {
        let Some(Piece { stream, stored }) = queue.pieces.pop_front() else {
            return Ok(None);
        };
        let bytes = match stored {
            Stored::Memory(bytes) => {
                self.in_memory -= bytes.len();
                bytes
            }
            Stored::File { offset, len } => self.take_from_file(offset, len)?,
        };
        Ok(Some((stream, bytes)))
    }

    fn take_from_file(&mut self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut bytes)?;
        }
        self.in_file -= len as u64;
        if self.in_file == 0 {
            self.empty_file()?;
        }
        Ok(bytes)
    }

    /// Gives the space of the file back, when all of it was taken.
    fn empty_file(&mut self) -> io::Result<()> {
        self.file_end = 0;
        self.file.as_ref().map_or(Ok(()), |file| file.set_len(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use OutputStream::{Stderr, Stdout};

    fn drain(spool: &mut Spool, queue: &mut Spooled) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some((_, bytes)) = spool.take(queue).unwrap() {
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn each_queue_keeps_its_bytes_in_their_order() {
        let mut spool = Spool::default();
        let mut queues: Vec<Spooled> = (0..3).map(|_| Spooled::default()).collect();
        let mut expected = vec![Vec::new(); 3];
        // 6 MB: most of it goes through the file.
        for round in 0..3_000_u32 {
            for (number, queue) in queues.iter_mut().enumerate() {
                let bytes = format!("{number} {round:0>700}").into_bytes();
                let stream = if round % 5 == 0 { Stderr } else { Stdout };
                spool.push(queue, stream, &bytes).unwrap();
                expected[number].extend(bytes);
            }
        }
        for (queue, expected) in queues.iter_mut().zip(&expected) {
            assert!(drain(&mut spool, queue) == *expected);
        }
    }

    #[test]
    fn bytes_keep_their_stream() {
        let mut spool = Spool::default();
        let mut queue = Spooled::default();
        for (stream, bytes) in [(Stdout, "a"), (Stdout, "b"), (Stderr, "c"), (Stdout, "d")] {
            spool.push(&mut queue, stream, bytes.as_bytes()).unwrap();
        }
        for (stream, bytes) in [(Stdout, "ab"), (Stderr, "c"), (Stdout, "d")] {
            let taken = spool.take(&mut queue).unwrap();
            assert_eq!(taken, Some((stream, bytes.as_bytes().to_vec())));
        }
        assert_eq!(spool.take(&mut queue).unwrap(), None);
    }

    #[test]
    fn memory_is_bounded_and_the_file_is_emptied() {
        let mut spool = Spool::default();
        let mut queue = Spooled::default();
        for _ in 0..100 {
            spool.push(&mut queue, Stdout, &vec![7; 100_000]).unwrap();
            assert!(spool.in_memory <= MAX_MEMORY_BYTES);
        }
        let len = |spool: &Spool| spool.file.as_ref().unwrap().metadata().unwrap().len();
        assert_eq!(len(&spool) + spool.in_memory as u64, 10_000_000);
        assert_eq!(drain(&mut spool, &mut queue).len(), 10_000_000);
        assert_eq!((len(&spool), spool.in_memory), (0, 0));
    }
}
