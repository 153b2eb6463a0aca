//! A running task's view of itself: its cancel flag and its progress.

use std::sync::Arc;

use super::header::Header;
use super::id::TaskId;
use super::panic::CancelUnwind;

/// The argument of a task's closure. With it the task checks for a cancel and reports progress.
///
/// It may be cloned and passed to other threads that help the task.
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

    /// Returns whether a cancel was requested. Takes one atomic load.
    ///
    /// For a task that must save something before it stops:
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

    /// Ends the task here if a cancel was requested. The task unwinds and its destructors run, but
    /// nothing is printed. Its outcome is [`JoinError::Cancelled`](super::JoinError::Cancelled).
    ///
    /// A long computation should call this often enough that a cancel takes effect at once.
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

    /// Reports the work done and the whole work, in a unit of the task's choice. A `total` of 0
    /// means unknown.
    ///
    /// Takes some nanoseconds, so an inner loop may call it.
    #[inline]
    pub fn set_progress(&self, done: u64, total: u64) {
        self.header.set_progress(done, total);
    }

    /// Sets the message of the task's [`Progress`](super::Progress), such as the current file.
    /// Takes a lock and an allocation, so call it at most about twenty times a second.
    pub fn set_message(&self, text: impl Into<String>) {
        self.header.set_message(text.into().into());
    }

    /// The task's number.
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
