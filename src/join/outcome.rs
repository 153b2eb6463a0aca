//! How a task stands and how it ended.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::panic::PanicReport;

/// Numbers the tasks of this process, from 1, in the order in which they were spawned.
///
/// A number is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub(crate) u64);

impl TaskId {
    /// The number itself, at least 1.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Spawned; its closure has not begun.
    Queued,
    /// Its closure runs.
    Running,
    /// Its closure returned a value.
    Returned,
    /// Its closure panicked; the [`PanicReport`] is kept.
    Panicked,
    /// It was cancelled: its closure never ran, or unwound at a
    /// [`checkpoint`](super::Context::checkpoint).
    Cancelled,
}

impl TaskState {
    /// Whether the outcome is published and nothing more will happen.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Returned | Self::Panicked | Self::Cancelled)
    }
}

/// Why a join came back without the task's value.
///
/// [`TimedOut`](Self::TimedOut), [`CurrentThread`](Self::CurrentThread) and
/// [`WouldDeadlock`](Self::WouldDeadlock) say something about the wait: the task goes on and may
/// be joined again. The other two are how the task ended, the same for every joiner.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JoinError {
    /// The time was up; the task still runs.
    #[error("the task still runs: the join timed out")]
    TimedOut,
    /// The task panicked.
    #[error("{0}")]
    Panicked(Arc<PanicReport>),
    /// The task was cancelled.
    #[error("the task was cancelled")]
    Cancelled,
    /// A task tried to join itself, which could never end.
    #[error("cannot join current thread")]
    CurrentThread,
    /// Waiting would close a ring of tasks that wait for each other, which could never end.
    #[error("cannot join: {} would wait for each other for ever", ring(.cycle))]
    WouldDeadlock {
        /// The ring: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
}

impl JoinError {
    /// Whether the task itself has ended, so that every later join says the same.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Panicked(_) | Self::Cancelled)
    }
}

pub(crate) fn ring(cycle: &[TaskId]) -> String {
    let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    format!("tasks {}", names.join(" → "))
}

/// The system refused a thread; nothing was started and nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[error("could not start a thread for `{name}`: {source}; end some running work and try again")]
pub struct SpawnError {
    /// The name of the task or pool.
    pub name: String,
    /// What the system said.
    pub source: std::io::Error,
}

/// How far a task says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Work done, in the task's own unit.
    pub done: u64,
    /// Work in all, in the same unit; 0 where that is not known.
    pub total: u64,
    /// The latest message, if any was set.
    pub message: Option<Arc<str>>,
}

/// Where a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// A thread of its own.
    Thread,
    /// A pool, by its number.
    Pool(u64),
}

/// A snapshot of what is known about a task.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Its number.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub state: TaskState,
    /// Whether [`shutdown`](super::shutdown) does not wait for it.
    pub daemon: bool,
    /// Where it runs.
    pub placement: Placement,
    /// When it was spawned.
    pub spawned_at: Instant,
    /// When its closure began.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// When it was first asked to cancel, whatever came of it.
    pub cancel_requested_at: Option<Instant>,
    /// How far it is.
    pub progress: Progress,
}

impl TaskInfo {
    /// How long its closure has run, or ran; `None` before it began.
    pub fn elapsed(&self) -> Option<Duration> {
        let end = self.finished_at.unwrap_or_else(Instant::now);
        Some(end.saturating_duration_since(self.started_at?))
    }
}
