//! Handles to tasks of any type.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callback_guard::CallbackGuard;
use super::error::JoinError;
use super::handle::Handle;
use super::header::Header;
use super::id::TaskId;
use super::info::{Progress, TaskInfo, TaskState};
use super::task::Task;
use super::{graph, registry, wait};

/// A handle to a task whose value does not matter, so tasks of several types fit in one list. A
/// [`Select`](super::Select) takes it.
///
/// It is a handle like [`Task`], and counts as one: a panic that it can still show is not reported as
/// unseen. It does not keep the value.
///
/// ```
/// use meanwhile_join::{self as join, AnyTask};
///
/// let number = join::spawn("number", |_| 7)?;
/// let text = join::spawn("text", |_| "seven")?;
/// let all: [AnyTask; 2] = [number.any(), text.any()];
/// for task in &all {
///     task.join()?;
/// }
/// assert_eq!((*number.join()?, *text.join()?), (7, "seven"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AnyTask(Handle);

impl<T> Task<T> {
    /// Returns a handle to the same task without its type.
    pub fn any(&self) -> AnyTask {
        self.into()
    }
}

impl<T> From<&Task<T>> for AnyTask {
    fn from(task: &Task<T>) -> Self {
        Self::new(task.header())
    }
}

impl From<&Self> for AnyTask {
    fn from(task: &Self) -> Self {
        task.clone()
    }
}

impl AnyTask {
    pub(crate) fn new(header: &Arc<Header>) -> Self {
        Self(Handle::new(header.clone()))
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.0
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        self.0.id()
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns a snapshot of the task.
    pub fn info(&self) -> TaskInfo {
        self.0.info()
    }

    /// Returns the state of the task.
    pub fn state(&self) -> TaskState {
        self.0.state()
    }

    /// Returns the progress that the task reported last.
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }

    /// Returns whether the outcome is published.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Returns whether a cancel was requested before the task ended, even if it ended otherwise.
    pub fn is_cancel_requested(&self) -> bool {
        self.0.cancel_requested_at().is_some()
    }

    /// Requests that the task stop; see [`Task::cancel`].
    pub fn cancel(&self) {
        registry::cancel(&self.0);
    }

    /// Blocks until the task has ended. Returns `Ok` if it returned a value.
    ///
    /// # Errors
    /// As [`Task::join`].
    pub fn join(&self) -> Result<(), JoinError> {
        wait::for_one(graph::global(), &self.0, None)?;
        self.outcome()
    }

    /// Like [`join`](Self::join), but times out after `timeout`, and never earlier.
    ///
    /// # Errors
    /// As [`Task::join_timeout`].
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), JoinError> {
        self.join_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`join`](Self::join), but times out at this time, and never earlier. `None` is no deadline.
    ///
    /// # Errors
    /// As [`Task::join_timeout`].
    pub fn join_deadline(&self, deadline: impl Into<Option<Instant>>) -> Result<(), JoinError> {
        wait::for_one(graph::global(), &self.0, deadline.into())?;
        self.outcome()
    }

    /// Runs `callback` when the task has ended; see [`Task::on_finish`].
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        self.0.on_finish(self.0.counted(callback));
    }

    /// Runs `callback` with the outcome of the task; see [`Task::on_outcome`].
    pub fn on_outcome(
        &self,
        callback: impl FnOnce(Result<(), JoinError>) + Send + 'static,
    ) -> CallbackGuard {
        let task = self.clone();
        let callback = self.0.counted(move || callback(task.outcome()));
        self.0.on_finish_guarded(callback)
    }

    pub(crate) fn outcome(&self) -> Result<(), JoinError> {
        match self.state() {
            TaskState::Returned => Ok(()),
            _ => Err(self.0.no_value()),
        }
    }
}

impl fmt::Debug for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyTask")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.state())
            .finish()
    }
}

/// Returns a handle to a task that has not ended, or `None` if it has. Also finds a task whose last
/// handle was dropped.
///
/// ```
/// use meanwhile_join as join;
///
/// let id = join::spawn("detached", |context| context.sleep_until(None))?.id();
/// if let Some(task) = join::find(id) {
///     task.cancel();
///     let _outcome = task.join();
/// }
/// assert!(join::find(id).is_none());
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn find(id: TaskId) -> Option<AnyTask> {
    let header = registry::global().find(id)?;
    Handle::of_live(header).map(AnyTask)
}
