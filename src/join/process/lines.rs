//! Reading the lines of a process while it runs.

use std::fmt;
use std::iter::FusedIterator;
use std::time::{Duration, Instant};

use super::super::{CancelToken, JoinError, Select, wait};
use super::handle::Process;
use super::line::{Line, LineReader, NextLine};
use super::news::News;
use super::output::Stream;

/// The lines of one output stream of a process, returned by [`Process::lines`].
///
/// It is an iterator that waits for each line and ends with the stream, or with a
/// [token](Self::token). The wait graph shows a thread that waits as one that waits for the process.
#[must_use = "the lines are read by iterating"]
pub struct Lines {
    reader: LineReader,
    /// The stream is read as long as there is a handle.
    process: Process,
    stream: Stream,
    token: CancelToken,
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
            token: CancelToken::new(),
        }
    }
}

impl Lines {
    /// Has the lines end when the token is cancelled, even if there are more. The process goes on. For
    /// a task this is [its own token](crate::Context::token).
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Stream};
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// let server = Builder::new("sh").args(["-c", "echo ready; sleep 60"]).spawn()?;
    /// let log = server.lines(Stream::Stdout);
    /// let reader = join::spawn("reader", join::cancellable(move |context| {
    ///     for line in log.token(&context.token()) {
    ///         assert_eq!(line.text(), "ready");
    ///     }
    ///     context.check() // says whether the lines have ended or the task is cancelled
    /// }))?;
    /// # while server.written(Stream::Stdout) == 0 {}
    /// reader.cancel(); // ends its wait for the next line
    /// assert!(matches!(reader.join(), Err(JoinError::Cancelled)));
    /// server.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn token(mut self, token: &CancelToken) -> Self {
        self.token = token.clone();
        self
    }

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
    /// - [`TimedOut`](JoinError::TimedOut) if no line was complete in time. A later call returns it.
    /// - [`Cancelled`](JoinError::Cancelled) if the [token](Self::token) is cancelled.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Line>, JoinError> {
        self.next_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`next_timeout`](Self::next_timeout), but times out at this time, and never earlier. `None` is
    /// no deadline.
    ///
    /// # Errors
    /// As [`next_timeout`](Self::next_timeout).
    pub fn next_deadline(
        &mut self,
        deadline: impl Into<Option<Instant>>,
    ) -> Result<Option<Line>, JoinError> {
        self.next_until(deadline.into())
    }

    fn next_until(&mut self, deadline: Option<Instant>) -> Result<Option<Line>, JoinError> {
        loop {
            if self.token.check().is_err() {
                return Err(JoinError::Cancelled);
            }
            match self.reader.next() {
                NextLine::Line(line) => return Ok(Some(line)),
                NextLine::End => return Ok(None),
                // A poll is not a wait.
                NextLine::NotYet if deadline.is_some_and(|at| at <= Instant::now()) => {
                    return Err(JoinError::TimedOut);
                }
                NextLine::NotYet => {
                    let _shown = self.process.shared().show_wait(deadline);
                    if !self.reader.wait(deadline, &self.token) {
                        return Err(JoinError::TimedOut);
                    }
                }
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        // Without a deadline only the cancel is an error, which stays.
        self.next_until(None).ok().flatten()
    }
}

impl FusedIterator for Lines {}

impl<'a> Select<'a> {
    /// Adds the lines of a process as a source. It is ready when there is a new line, or the beginning of
    /// one, and when the lines have ended. Take the line with [`Lines::next_timeout`] and
    /// [`Duration::ZERO`]. The [token](Lines::token) of the lines does not count here.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Line, Stream};
    /// use meanwhile_join::{Select, SelectError};
    /// use std::time::Duration;
    ///
    /// let server = Builder::new("sh").args(["-c", "echo ready; sleep 60"]).spawn()?;
    /// let mut lines = server.lines(Stream::Stdout);
    /// assert_eq!(Select::new().process(&server).lines(&lines).wait(), Ok(1));
    /// assert_eq!(lines.next_timeout(Duration::ZERO)?, Some(Line::Whole(b"ready".to_vec())));
    /// let none = Select::new().lines(&lines).timeout(Duration::ZERO).wait();
    /// assert_eq!(none, Err(SelectError::TimedOut));
    /// server.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lines(self, lines: &'a Lines) -> Self {
        self.others([News {
            process_id: lines.process.pid(),
            capture: lines.reader.capture().clone(),
            offset: lines.reader.offset(),
            are_there: lines.reader.has_news(),
        }
        .awaited()])
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("process", &self.process)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
