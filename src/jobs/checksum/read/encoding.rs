//! The bytes of a list as UTF-8.

use std::io::{self, Cursor, Read};

/// The bytes that are decoded at once.
const CHUNK_LEN: usize = 8 * 1024;

/// The text of a list without its byte order mark; one in UTF-16, as Windows writes it, as UTF-8.
pub(super) fn decoded<'a>(mut source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut mark = Vec::new();
    source.by_ref().take(3).read_to_end(&mut mark)?;
    let (is_utf16, decode): (_, fn([u8; 2]) -> u16) = match mark[..] {
        [0xff, 0xfe, ..] => (true, u16::from_le_bytes),
        [0xfe, 0xff, ..] => (true, u16::from_be_bytes),
        _ => (false, u16::from_le_bytes),
    };
    let mark_len = if is_utf16 {
        2
    } else if mark == b"\xef\xbb\xbf" {
        3
    } else {
        0
    };
    let source = Cursor::new(mark.split_off(mark_len)).chain(source);
    if !is_utf16 {
        return Ok(Box::new(source));
    }
    Ok(Box::new(Utf16 {
        source,
        decode,
        high: None,
        text: Cursor::default(),
    }))
}

struct Utf16<R> {
    source: R,
    decode: fn([u8; 2]) -> u16,
    /// The first half of a character whose second half follows.
    high: Option<u16>,
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if read > 0 || buffer.is_empty() || !self.fill()? {
                return Ok(read);
            }
        }
    }
}

impl<R: Read> Utf16<R> {
    /// Decodes the next bytes. Returns false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut bytes = Vec::new();
        let limit = CHUNK_LEN as u64;
        self.source.by_ref().take(limit).read_to_end(&mut bytes)?;
        let pairs = bytes.chunks_exact(2);
        let next = pairs.map(|pair| (self.decode)([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.high.take().into_iter().chain(next).collect();
        if units.is_empty() {
            return Ok(false);
        }
        if !bytes.is_empty() {
            self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
        }
        self.text = Cursor::new(String::from_utf16_lossy(&units).into_bytes());
        Ok(true)
    }
}
