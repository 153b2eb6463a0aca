//! The state, progress and times of a task.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::id::TaskId;

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// Spawned; its closure has not begun. A [`Promise`](super::Promise) that has sent no value, and a
    /// task that follows one that has not ended.
    Queued,
    /// Its closure is running.
    Running,
    /// Its closure returned a value.
    Returned,
    /// Its closure panicked. A join returns the [`PanicReport`](super::PanicReport).
    Panicked,
    /// It was cancelled. Its closure never ran, or ended at a
    /// [`checkpoint`](super::Context::checkpoint) or as [`cancellable`](super::cancellable).
    Cancelled,
}

impl TaskState {
    /// Returns whether this is one of the three final states.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Returned | Self::Panicked | Self::Cancelled)
    }
}

/// The progress that a task reports. `Display` is for a quick look: `3 of 4 items: c.txt`.
///
/// ```
/// use meanwhile_join::{self as join, ProgressUnit};
///
/// let task = join::spawn("copy", |context| {
///     context.set_unit(ProgressUnit::Items);
///     context.set_progress(3, 4);
///     context.set_message("c.txt");
/// })?;
/// task.join()?;
/// let progress = task.progress();
/// assert_eq!((progress.done, progress.total), (3, 4));
/// assert_eq!(progress.message.as_deref(), Some("c.txt"));
/// assert_eq!(progress.fraction(), Some(0.75));
/// assert_eq!(progress.to_string(), "3 of 4 items: c.txt");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Work done, in the task's own unit.
    pub done: u64,
    /// The whole work, in the same unit; 0 if unknown.
    pub total: u64,
    /// The unit of both.
    pub unit: ProgressUnit,
    /// The latest message, if any was set.
    pub message: Option<Arc<str>>,
}

/// What a task counts in its [`Progress`], so that a display can format it. Set with
/// [`Context::set_unit`](super::Context::set_unit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProgressUnit {
    /// Nothing that has a name, such as hundredths or steps.
    #[default]
    None,
    /// Items, such as files.
    Items,
    /// Bytes.
    Bytes,
}

impl Progress {
    /// Returns the part of the work that is done, from 0 to 1; `None` if the whole is unknown.
    pub fn fraction(&self) -> Option<f32> {
        #[expect(clippy::cast_precision_loss, reason = "a bar has fewer pixels")]
        let fraction = self.done.min(self.total) as f32 / self.total as f32;
        (self.total > 0).then_some(fraction)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.done)?;
        if self.total > 0 {
            write!(f, " of {}", self.total)?;
        }
        match self.unit {
            ProgressUnit::None => {}
            ProgressUnit::Items => f.write_str(" items")?,
            ProgressUnit::Bytes => f.write_str(" bytes")?,
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// The thread or pool that runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// A thread of its own.
    Thread,
    /// A pool, by its number.
    Pool(u64),
    /// None of its own: the task is a [`Promise`](super::Promise), follows another one, or was
    /// [ready](super::Task::ready) at once.
    Elsewhere,
}

/// A snapshot of a task without its value.
///
/// ```
/// use meanwhile_join as join;
///
/// let task = join::spawn("index", |context| context.set_progress(7, 7))?;
/// task.join()?;
/// let info = task.info();
/// assert_eq!((&*info.name, info.progress.done), ("index", 7));
/// assert!(info.spawned_at <= info.started_at.expect("it ran"));
/// assert!(info.started_at <= info.finished_at);
/// assert_eq!(info.cancel_requested_at, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its number.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// Its state.
    pub state: TaskState,
    /// Whether [`shutdown`](super::shutdown) does not wait for it.
    pub daemon: bool,
    /// The thread or pool that runs it.
    pub placement: Placement,
    /// The time at which it was spawned.
    pub spawned_at: Instant,
    /// The time at which its closure began; `None` before that. Of a task that a thread of a pool takes at
    /// once, it is the end of the one before, or the time at which it was spawned if that is later.
    pub started_at: Option<Instant>,
    /// The time at which it ended; `None` before that.
    pub finished_at: Option<Instant>,
    /// The time at which a cancel was first requested, even if the task ended otherwise; `None`
    /// without a cancel.
    pub cancel_requested_at: Option<Instant>,
    /// The progress that it reported last.
    pub progress: Progress,
}

impl TaskInfo {
    /// Returns the run time of its closure, so far or in total; `None` before it began.
    pub fn elapsed(&self) -> Option<Duration> {
        let end = self.finished_at.unwrap_or_else(Instant::now);
        Some(end.saturating_duration_since(self.started_at?))
    }
}
