//! Reading all output of a process, which waits for the reader.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use super::super::{CancelToken, Cancelled, Select};
use super::handle::Process;
use super::news::News;
use super::output::{Stream, StreamCapture};
use super::reaper;

/// The bytes that are taken at once.
const MAX_CHUNK_BYTES: usize = 64 * 1024;

/// Reads all bytes of a [`Buffered`](super::Redirect::Buffered) stream, returned by
/// [`Process::take_reader`].
///
/// As [`Read`], it waits for bytes and returns 0 at the end of the stream, which comes once no process
/// can write to it any more. [`try_read`](Self::try_read) does not wait, and a [`Select`] waits for it
/// among others.
///
/// When it is dropped, nothing can be written to the stream any more: who tries gets `SIGPIPE`, as at a
/// closed pipe. [`release`](Self::release) leaves it open.
#[must_use = "the process waits until its output is read"]
pub struct OutputReader {
    process: Process,
    stream: Stream,
    token: CancelToken,
    /// The number of bytes that were read.
    offset: u64,
    is_released: bool,
}

// These are here because the modules `handle` and `select` do not depend on readers.
impl Process {
    /// Returns the reader of a [`Buffered`](super::Redirect::Buffered) stream; `None` if it was taken
    /// before or the stream leads elsewhere.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Redirect, Stream};
    /// use std::io::Read as _;
    ///
    /// let numbers = Builder::new("seq").arg("100000").stdout(Redirect::Buffered).output_limit(7);
    /// let process = numbers.spawn()?;
    /// let mut all = String::new();
    /// let mut reader = process.take_reader(Stream::Stdout).expect("it is buffered");
    /// reader.read_to_string(&mut all)?;
    /// assert_eq!(all.lines().count(), 100_000);
    /// assert_eq!(process.output().stdout.text(), "100000\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_reader(&self, stream: Stream) -> Option<OutputReader> {
        self.shared().take_reader(stream).then(|| OutputReader {
            process: self.clone(),
            stream,
            token: CancelToken::new(),
            offset: 0,
            is_released: false,
        })
    }
}

impl<'a> Select<'a> {
    /// Adds a reader as a source. It is ready when it has bytes, and at the end of its stream.
    ///
    /// ```
    /// use meanwhile_join::Select;
    /// use meanwhile_join::process::{Builder, Redirect, Stream};
    ///
    /// let shell = Builder::new("sh").args(["-c", "echo ready; exec sleep 60"]);
    /// let process = shell.stdout(Redirect::Buffered).spawn()?;
    /// let mut reader = process.take_reader(Stream::Stdout).expect("it is buffered");
    /// assert_eq!(Select::new().process(&process).reader(&reader).wait(), Ok(1));
    /// assert_eq!(reader.try_read().as_deref(), Some(&b"ready\n"[..]));
    /// assert_eq!(reader.try_read(), None);
    /// # process.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reader(self, reader: &'a OutputReader) -> Self {
        self.others([News {
            process_id: reader.process.pid(),
            capture: reader.capture(),
            offset: reader.offset,
            are_there: false,
        }
        .awaited()])
    }
}

impl OutputReader {
    /// Has a read that waits fail when the token is cancelled. For a task this is [its own
    /// token](crate::Context::token).
    pub fn token(mut self, token: &CancelToken) -> Self {
        self.token = token.clone();
        self
    }

    /// Returns bytes that were not read yet, without waiting: at most 64 KiB, and `None` if there are
    /// none yet. At the end of the stream the bytes are empty.
    pub fn try_read(&mut self) -> Option<Vec<u8>> {
        let has_news = self.capture().has_news(self.offset);
        has_news.then(|| self.take(MAX_CHUNK_BYTES))
    }

    /// Reads no more, but leaves the stream open: from now on it is
    /// [captured](super::Redirect::Capture) only.
    pub fn release(mut self) {
        self.is_released = true;
        if self.capture().release() {
            reaper::look_again();
        }
    }

    fn take(&mut self, limit: usize) -> Vec<u8> {
        let (taken, has_room) = self.capture().take(limit);
        if has_room {
            reaper::look_again();
        }
        self.offset += taken.len() as u64;
        taken
    }

    fn capture(&self) -> Arc<StreamCapture> {
        self.process.capture(self.stream)
    }
}

impl Read for OutputReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let capture = self.capture();
        if !capture.has_news(self.offset) {
            let _shown = self.process.shared().show_wait(None);
            capture.wait_since(self.offset, None, &self.token);
        }
        if self.token.check().is_err() {
            return Err(io::Error::other(Cancelled));
        }
        let taken = self.take(buffer.len());
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

impl Drop for OutputReader {
    fn drop(&mut self) {
        if !self.is_released {
            reaper::close(self.process.shared().key(), self.stream);
        }
    }
}

impl fmt::Debug for OutputReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputReader")
            .field("process", &self.process)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
