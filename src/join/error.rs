//! The errors of joins and spawns.

use std::sync::Arc;

use super::id::TaskId;
use super::panic::PanicReport;

/// The error of a join that returned without the task's value.
///
/// [`Panicked`](Self::Panicked) and [`Cancelled`](Self::Cancelled) are outcomes of the task, the
/// same for every joiner. The others describe the wait: the task goes on and can be joined again.
///
/// ```
/// use meanwhile::join::{self, JoinError};
/// use std::time::Duration;
///
/// fn shown(joined: Result<&u32, JoinError>) -> String {
///     match joined {
///         Ok(pages) => format!("{pages} pages"),
///         Err(JoinError::TimedOut) => "still counting".to_owned(),
///         Err(error) => error.to_string(),
///     }
/// }
///
/// let task = join::spawn("count pages", |context| loop { context.checkpoint() })?;
/// assert_eq!(shown(task.join_timeout(Duration::ZERO)), "still counting");
/// task.cancel();
/// assert_eq!(shown(task.join()), "the task was cancelled");
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, thiserror::Error)]
pub enum JoinError {
    /// The timeout expired; the task still runs.
    #[error("it still runs: the join timed out")]
    TimedOut,
    /// The task panicked.
    #[error("{0}")]
    Panicked(Arc<PanicReport>),
    /// The task was cancelled.
    #[error("the task was cancelled")]
    Cancelled,
    /// A task tried to join itself, which would never end.
    #[error("cannot join current thread")]
    CurrentThread,
    /// Waiting would close a deadlock cycle of tasks that wait for each other.
    #[error("cannot join: {} would wait for each other forever", cycle_text(.cycle))]
    WouldDeadlock {
        /// The cycle: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
}

impl JoinError {
    /// Returns whether this is the outcome of the task, so that every later join returns it too.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Panicked(_) | Self::Cancelled)
    }
}

pub(crate) fn cycle_text(cycle: &[TaskId]) -> String {
    let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    format!("tasks {}", names.join(" → "))
}

/// The system refused a thread. Nothing was started.
#[derive(Debug, thiserror::Error)]
#[error("could not start a thread for `{name}`: {source}; end some running work and try again")]
pub struct SpawnError {
    /// The name of the task or pool.
    pub name: String,
    /// The system's error.
    pub source: std::io::Error,
}
