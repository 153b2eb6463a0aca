//! What a running task sees of itself.

use std::cell::Cell;
use std::sync::Arc;

use super::cell::Header;
use super::outcome::TaskId;
use super::panic::CancelUnwind;

/// A running task's view of itself: whether it should stop, and where it says how far it is.
///
/// It may be cloned and passed to helpers of the task.
///
/// ```
/// use meanwhile::join;
///
/// let task = join::spawn("sum", |context| {
///     let mut sum = 0;
///     for n in 1..=1_000 {
///         context.checkpoint();
///         context.set_progress(n, 1_000);
///         sum += n;
///     }
///     context.set_message("summed up");
///     sum
/// })?;
/// assert_eq!(*task.join()?, 500_500);
/// assert_eq!(task.progress().done, 1_000);
/// assert_eq!(task.progress().message.as_deref(), Some("summed up"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Context {
    header: Arc<Header>,
}

impl Context {
    pub(crate) fn new(header: Arc<Header>) -> Self {
        Self { header }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Whether somebody asked for a cancel: one atomic load.
    ///
    /// For a task that has something to save before it stops:
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("count", |context| {
    ///     let mut counted = 0_u64;
    ///     while !context.is_cancelled() {
    ///         counted += 1;
    ///     }
    ///     format!("stopped at {counted}")
    /// })?;
    /// task.cancel();
    /// if let Ok(saved) = task.join() {
    ///     assert!(saved.starts_with("stopped at "));
    /// }
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.header.is_cancel_requested()
    }

    /// Ends the task here if somebody asked for a cancel: it unwinds, destructors run, nothing is
    /// printed, and the outcome is [`JoinError::Cancelled`](super::JoinError::Cancelled).
    ///
    /// A long computation calls this often enough that a person who cancels need not wait.
    ///
    /// ```
    /// use meanwhile::join::{self, Context, JoinError};
    ///
    /// fn copy_all<'a>(files: impl Iterator<Item = &'a str>, context: &Context) {
    ///     for _file in files {
    ///         context.checkpoint();
    ///         // and copy it
    ///     }
    /// }
    ///
    /// let task = join::spawn("copy", |context| copy_all(std::iter::repeat("a.txt"), context))?;
    /// task.cancel();
    /// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    #[inline]
    pub fn checkpoint(&self) {
        if self.is_cancelled() {
            // Unlike `panic!` this does not call the panic hook.
            std::panic::resume_unwind(Box::new(CancelUnwind));
        }
    }

    /// Says how far the task is, in a unit of its own; `total` 0 means that it is not known.
    ///
    /// About a nanosecond: it may stand in an inner loop.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("count lines", |context| {
    ///     for line in 1..=80 {
    ///         context.set_progress(line, 0); // who knows how many there are
    ///     }
    /// })?;
    /// task.join()?;
    /// assert_eq!((task.progress().done, task.progress().total), (80, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn set_progress(&self, done: u64, total: u64) {
        self.header.set_progress(done, total);
    }

    /// Says in words what the task does now. Takes a lock and an allocation, so about twenty times
    /// a second is plenty.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("upload", |context| context.set_message("verifying"))?;
    /// task.join()?;
    /// assert_eq!(task.progress().message.as_deref(), Some("verifying"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_message(&self, text: impl Into<String>) {
        self.header.set_message(text.into().into());
    }

    /// The task's number.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("log", |context| format!("task {} began", context.task_id()))?;
    /// assert_eq!(*task.join()?, format!("task {} began", task.id()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn task_id(&self) -> TaskId {
        self.header.id()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("task_id", &self.task_id())
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}

#[cfg(not(loom))]
thread_local! {
    static CURRENT: Cell<Option<TaskId>> = const { Cell::new(None) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static CURRENT: Cell<Option<TaskId>> = Cell::new(None);
}

/// The task whose closure runs on this thread; the innermost, where one runs inside another.
///
/// `None` outside a task, and in callbacks that run after its end.
///
/// ```
/// use meanwhile::join;
///
/// assert_eq!(join::current(), None);
/// let task = join::spawn("knows itself", |_| join::current())?;
/// assert_eq!(*task.join()?, Some(task.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn current() -> Option<TaskId> {
    CURRENT.with(Cell::get)
}

/// Makes `task` the current one until the guard is dropped.
pub(crate) fn enter(task: TaskId) -> Current {
    Current {
        outer: CURRENT.with(|current| current.replace(Some(task))),
    }
}

pub(crate) struct Current {
    outer: Option<TaskId>,
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.outer));
    }
}
