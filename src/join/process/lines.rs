//! Reading the lines of a process while it runs.

use std::fmt;
use std::iter::FusedIterator;
use std::time::Duration;

use super::super::{JoinError, wait};
use super::handle::Process;
use super::line::{Line, LineReader};
use super::output::Stream;

/// The lines of one output stream of a process, returned by [`Process::lines`].
///
/// It is an iterator that waits for each line and ends with the stream.
#[must_use = "the lines are read by iterating"]
pub struct Lines {
    reader: LineReader,
    /// The stream is read as long as there is a handle.
    process: Process,
    stream: Stream,
}

// It is here because the module `handle` does not depend on lines.
impl Process {
    /// Returns the lines of one captured stream as they are printed, from the beginning of the
    /// stream. The lines are still captured. Several iterators each get all lines.
    ///
    /// The stream ends once no process can write to it any more, so a descendant that holds it keeps
    /// the iterator waiting. [`Lines::next_timeout`] does not wait forever. A stream that is not
    /// captured has no lines.
    ///
    /// The process never waits for the reader. If it prints faster than the lines are read, those
    /// beyond the [limit](super::Builder::output_limit) are dropped, and [`Line::Dropped`] is in
    /// their place. To have the process wait instead, read its [`Piped`](super::Redirect::Piped)
    /// stream.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Line, Stream};
    ///
    /// let shell = Builder::new("sh").args(["-c", "echo one; read line; echo two"]);
    /// let process = shell.stdin_piped().spawn()?;
    /// let mut lines = process.lines(Stream::Stdout);
    /// assert_eq!(lines.next(), Some(Line::Whole(b"one".to_vec())));
    /// drop(process.take_stdin());
    /// let rest: Vec<String> = lines.map(|line| line.to_string()).collect();
    /// assert_eq!(rest, ["two"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lines(&self, stream: Stream) -> Lines {
        Lines {
            reader: LineReader::new(self.capture(stream)),
            process: self.clone(),
            stream,
        }
    }
}

impl Lines {
    /// Waits for the next line, at most for `timeout`. Returns `None` after the last line.
    /// [`Duration::ZERO`] polls.
    ///
    /// ```
    /// use meanwhile_join::{JoinError, process::{Builder, Stream}};
    /// use std::time::Duration;
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// let mut lines = sleeper.lines(Stream::Stdout);
    /// assert!(matches!(lines.next_timeout(Duration::ZERO), Err(JoinError::TimedOut)));
    /// sleeper.kill()?;
    /// assert_eq!(lines.next_timeout(Duration::from_secs(60))?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TimedOut`](JoinError::TimedOut) if no line was complete in time. A later call returns it.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Line>, JoinError> {
        self.reader.next(wait::deadline(Some(timeout)))
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        // Without a deadline it never times out.
        self.reader.next(None).ok().flatten()
    }
}

impl FusedIterator for Lines {}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("process", &self.process)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
