//! Bytes that wait to be written: a few in memory, the others in a temporary file.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::PathBuf;

use crate::jobs::OutputStream;

/// The bytes that wait in memory. Those beyond them wait in the file.
const MAX_MEMORY_BYTES: usize = 1024 * 1024;

/// The longest piece that several pushes make.
const CHUNK_BYTES: usize = 64 * 1024;

/// The bytes that a file system stores together, or a divisor of their number.
const BLOCK_BYTES: u64 = 4096;

/// The bytes of several queues. The file is made when it is first needed, and has no name, so that
/// nothing of it is left, however the program ends.
#[derive(Default)]
pub(super) struct Spool {
    in_memory: usize,
    file: Option<File>,
    /// The end of what is in the file, and how much of it has not been taken.
    file_end: u64,
    in_file: u64,
    taken: Taken,
}

/// Output can't be kept until it is its turn.
#[derive(Debug, thiserror::Error)]
#[error(
    "output that waits for its turn could not be kept in the temporary folder {}: {reason}; make room \
     there, or set TMPDIR to another folder",
    folder.display()
)]
pub(super) struct SpoolError {
    folder: PathBuf,
    reason: String,
}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        let reason = error.to_string();
        // The path is one in the folder, of a file that was to have no name.
        let reason = reason.split(" at path ").next().unwrap_or_default();
        Self {
            folder: std::env::temp_dir(),
            reason: reason.to_owned(),
        }
    }
}

/// The parts of the file that were taken, from their begin to their end. No two touch each other.
#[derive(Default)]
struct Taken(BTreeMap<u64, u64>);

impl Taken {
    /// Adds a part. Returns the whole blocks of which it was the last part, if there are any.
    fn add(&mut self, part: Range<u64>) -> Option<Range<u64>> {
        let mut all = part.clone();
        let before = self.0.range(..=part.start).next_back();
        if let Some((&start, _)) = before.filter(|(_, end)| **end == part.start) {
            all.start = start;
        }
        if let Some(end) = self.0.remove(&part.end) {
            all.end = end;
        }
        self.0.insert(all.start, all.end);
        let begin = part.start - part.start % BLOCK_BYTES;
        let begin = begin.max(all.start.next_multiple_of(BLOCK_BYTES));
        let end = part.end.next_multiple_of(BLOCK_BYTES);
        let end = end.min(all.end - all.end % BLOCK_BYTES);
        (begin < end).then_some(begin..end)
    }
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
    ) -> Result<(), SpoolError> {
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
    ) -> Result<Option<(OutputStream, Vec<u8>)>, SpoolError> {
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
        } else if let Some(blocks) = self.taken.add(offset..offset + len as u64) {
            self.free(blocks);
        }
        Ok(bytes)
    }

    /// Gives the space of the file back, when all of it was taken.
    fn empty_file(&mut self) -> io::Result<()> {
        self.file_end = 0;
        self.taken = Taken::default();
        self.file.as_ref().map_or(Ok(()), |file| file.set_len(0))
    }

    /// Gives the space of these blocks back. Where the file system can't, it does when all was taken.
    #[cfg(target_os = "linux")]
    fn free(&self, blocks: Range<u64>) {
        use rustix::fs::{FallocateFlags, fallocate};

        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if let Some(file) = &self.file {
            fallocate(file, hole, blocks.start, blocks.end - blocks.start).ok();
        }
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "elsewhere it uses the file")]
    fn free(&self, _blocks: Range<u64>) {}
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
    fn blocks_are_whole_when_their_last_part_is_taken() {
        let mut taken = Taken::default();
        for (part, blocks) in [
            (100..5_000, None),
            (8_192..8_200, None),
            (5_000..8_192, Some(4_096..8_192)),
            (0..100, Some(0..4_096)),
            (12_288..30_000, Some(12_288..28_672)),
            (8_200..12_288, Some(8_192..12_288)),
        ] {
            assert_eq!(taken.add(part.clone()), blocks, "{part:?}");
        }
        assert_eq!(taken.0, BTreeMap::from([(0, 30_000)]));
    }

    /// The bytes that the file takes on the disk.
    #[cfg(target_os = "linux")]
    fn allocated(spool: &Spool) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        spool.file.as_ref().unwrap().metadata().unwrap().blocks() * 512
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn file_takes_the_space_of_what_waits() {
        let mut spool = Spool::default();
        let mut queues: Vec<Spooled> = (0..8).map(|_| Spooled::default()).collect();
        // The pieces of the queues are mixed in the file, and share its blocks.
        for round in 0..2_000_usize {
            for queue in &mut queues {
                let bytes = vec![7; 700 + round % 13];
                spool.push(queue, Stdout, &bytes).unwrap();
            }
        }
        let full = allocated(&spool);
        for queue in &mut queues[..7] {
            drain(&mut spool, queue);
        }
        // Most blocks still have bytes of the last one.
        let mut last = queues.pop().unwrap();
        for _ in 0..1_000 {
            spool.take(&mut last).unwrap();
        }
        let half = allocated(&spool);
        assert!(half < full * 6 / 10, "{half} of {full}");
        drain(&mut spool, &mut last);
        assert_eq!(allocated(&spool), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn endless_queue_takes_little_space() {
        let mut spool = Spool::default();
        let mut queue = Spooled::default();
        for _ in 0..60 {
            spool.push(&mut queue, Stdout, &vec![7; 50_000]).unwrap();
        }
        for _ in 0..2_000 {
            spool.push(&mut queue, Stdout, &vec![7; 50_000]).unwrap();
            spool.take(&mut queue).unwrap();
        }
        let (space, waiting) = (allocated(&spool), spool.in_file);
        assert!(space < waiting + waiting / 2, "{space} for {waiting}");
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
