//! Writing the input of a process without waiting for it.

use std::fmt;
use std::io::{self, Write};

use super::handle::Process;
use super::input::InputEnd;
use super::reaper;

/// Writes to the [buffered](super::Builder::stdin_buffered) stdin of a process, returned by
/// [`Process::take_writer`].
///
/// As [`Write`], it never waits. What the process does not read yet is kept, and written as soon as the
/// process takes it: see [`unwritten`](Self::unwritten). A write fails with
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe) once no process can read it, or the process has ended.
///
/// Dropping it ends the input, after all that was written before.
#[must_use = "dropping it ends the input"]
pub struct InputWriter(InputEnd);

// It is here because the module `handle` does not depend on writers.
impl Process {
    /// Returns the writer of a [buffered](super::Builder::stdin_buffered) stdin; `None` if it was taken
    /// before or stdin leads elsewhere.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    /// use std::io::Write as _;
    ///
    /// let count = Builder::new("wc").arg("-c").stdin_buffered().spawn()?;
    /// let mut input = count.take_writer().expect("it is buffered");
    /// input.write_all(&[b'x'; 1_000_000])?; // a pipe holds less
    /// drop(input);
    /// count.join()?;
    /// assert_eq!(count.output().stdout.text().trim(), "1000000");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_writer(&self) -> Option<InputWriter> {
        self.shared().take_input().map(InputWriter)
    }
}

impl InputWriter {
    /// Returns the number of bytes that were written here and that the pipe to the process has not taken
    /// yet. They are in memory, without a limit: who writes much writes less while this is high.
    pub fn unwritten(&self) -> usize {
        self.0.0.unwritten()
    }
}

impl Write for InputWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.0.push(bytes)? {
            reaper::look_again();
        }
        Ok(bytes.len())
    }

    /// Does nothing: what was written is on its way.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for InputWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputWriter")
            .field("unwritten", &self.unwritten())
            .finish_non_exhaustive()
    }
}
