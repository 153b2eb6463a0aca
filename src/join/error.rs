//! The errors of joins and spawns.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::id::TaskId;
use super::panic::PanicReport;

/// The error of a join that returned without the task's value.
///
/// [`Panicked`](Self::Panicked) and [`Cancelled`](Self::Cancelled) are outcomes of the task, the
/// same for every joiner. The others describe the wait: the task goes on and can be joined again.
///
/// The text of [`Panicked`](Self::Panicked) is that of its report, so
/// [`source`](std::error::Error::source) is always `None`.
///
/// ```
/// use meanwhile_join::{self as join, JoinError};
/// use std::time::Duration;
///
/// fn shown<T>(joined: Result<&T, JoinError>) -> String {
///     match joined {
///         Ok(_) => "counted".to_owned(),
///         Err(JoinError::TimedOut) => "still counting".to_owned(),
///         Err(error) => error.to_string(),
///     }
/// }
///
/// let task = join::spawn("count pages", join::cancellable(|context| {
///     context.sleep_until(None) // stands for the count
/// }))?;
/// assert_eq!(shown(task.join_timeout(Duration::ZERO)), "still counting");
/// task.cancel();
/// assert_eq!(shown(task.join()), "the task was cancelled");
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// The timeout expired; the task still runs.
    TimedOut,
    /// The task panicked.
    Panicked(Arc<PanicReport>),
    /// The task was cancelled.
    Cancelled,
    /// A task tried to join itself, which would never end.
    CurrentThread,
    /// Waiting would close a deadlock cycle of tasks that wait for each other.
    WouldDeadlock {
        /// The cycle: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
    /// All threads of a [`Pool`](super::Pool) wait for tasks that are queued there, and the system refused
    /// one more. This thread can't run these tasks either: 32 run inside each other on it already. They
    /// stay queued.
    NoThread,
    /// The outcome of an [`OwnedTask`](super::OwnedTask) was taken before.
    Taken,
}

/// The task was asked to stop. [`Context::check`](super::Context::check) returns it.
///
/// It becomes an [`io::Error`](std::io::Error) or a [`JoinError`] with `?`. An error type of your own
/// takes it with `#[from]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl Error for Cancelled {}

impl From<Cancelled> for std::io::Error {
    /// An error of the kind `Other`. Not `Interrupted`, after which std tries again.
    fn from(cancelled: Cancelled) -> Self {
        Self::other(cancelled)
    }
}

impl From<Cancelled> for JoinError {
    fn from(Cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("it still runs: the join timed out"),
            Self::Panicked(report) => report.fmt(f),
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::CurrentThread => f.write_str("cannot join current thread"),
            Self::WouldDeadlock { cycle } => {
                let cycle = cycle_text(cycle);
                write!(f, "cannot join: {cycle} would wait for each other forever")
            }
            Self::NoThread => f.write_str(NO_THREAD),
            Self::Taken => f.write_str("the outcome of the task was taken before"),
        }
    }
}

impl Error for JoinError {}

impl JoinError {
    /// Goes on with the panic of the task on this thread: see [`PanicReport::resume_unwind`]. For
    /// any other error, panics with its text.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let task = join::spawn("answer", |_| 42)?;
    /// let answer: &u32 = task.join().unwrap_or_else(|error| error.resume_unwind());
    /// assert_eq!(*answer, 42);
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    ///
    /// # Panics
    /// Always; that is its purpose.
    #[track_caller]
    pub fn resume_unwind(self) -> ! {
        match self {
            Self::Panicked(report) => report.resume_unwind(),
            error => panic!("{error}"),
        }
    }

    /// Returns whether this is the outcome of the task, so that every later join returns it too.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Panicked(_) | Self::Cancelled)
    }
}

/// The text of a wait that fails since no thread can run what it is for.
pub(crate) const NO_THREAD: &str = "all threads of its pool wait, and the system refused one more";

pub(crate) fn cycle_text(cycle: &[TaskId]) -> String {
    let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    format!("tasks {}", names.join(" → "))
}

/// The system refused a thread. Nothing was started.
///
/// The text contains the cause, so [`source`](std::error::Error::source) is `None`.
#[derive(Debug)]
#[non_exhaustive]
pub struct SpawnError {
    /// The name of the task or pool.
    pub name: String,
    /// The system's error.
    pub cause: io::Error,
    /// The size of the stack in bytes, if the caller has set it.
    pub(crate) stack_size: Option<usize>,
}

impl SpawnError {
    pub(crate) fn new(name: impl Into<String>, cause: io::Error) -> Self {
        Self {
            name: name.into(),
            cause,
            stack_size: None,
        }
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, cause, .. } = self;
        write!(f, "could not start a thread for `{name}`")?;
        match self.stack_size {
            _ if cause.kind() == ErrorKind::InvalidInput => write!(f, ": {cause}"),
            None => write!(f, ": {cause}; end some running work and try again"),
            Some(bytes) => write!(
                f,
                " with a stack of {bytes} bytes: {cause}; \
                 ask for a smaller stack, or end some running work and try again"
            ),
        }
    }
}

impl Error for SpawnError {}
