//! Reads a process's standard output line by line, without waiting.

use crate::join::process::{Process, Stream};

/// The longest line, in bytes. Facts have about a hundred.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// More output than was kept between two reads, or a line that does not end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it sent more data than could be read")]
pub(super) struct TooMuchOutput;

#[derive(Default)]
pub(super) struct LineReader {
    bytes: Vec<u8>,
    /// The beginning of the next line in `bytes`.
    at: usize,
    /// The number of bytes read in all.
    total: u64,
}

impl LineReader {
    /// Reads the output that the process has written since the last call.
    pub(super) fn read(&mut self, process: &Process) -> Result<(), TooMuchOutput> {
        let output = process.output_since(Stream::Stdout, self.total);
        let missed = output.total - self.total > output.bytes.len() as u64;
        self.total = output.total;
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(&output.bytes);
        let has_line = self.bytes.contains(&b'\n');
        if missed || (!has_line && self.bytes.len() > MAX_LINE_BYTES) {
            return Err(TooMuchOutput);
        }
        Ok(())
    }

    /// The next line that was read, without its end.
    pub(super) fn next_line(&mut self) -> Option<&[u8]> {
        let unread = &self.bytes[self.at..];
        let end = unread.iter().position(|byte| *byte == b'\n')?;
        self.at += end + 1;
        Some(&unread[..end])
    }
}
