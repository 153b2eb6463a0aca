//! What a running task sees of itself.

use std::cell::RefCell;
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
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.header.is_cancel_requested()
    }

    /// Ends the task here if somebody asked for a cancel: it unwinds, destructors run, nothing is
    /// printed, and the outcome is [`JoinError::Cancelled`](super::JoinError::Cancelled).
    ///
    /// A long computation calls this often enough that a person who cancels need not wait.
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
    #[inline]
    pub fn set_progress(&self, done: u64, total: u64) {
        self.header.set_progress(done, total);
    }

    /// Says in words what the task does now. Takes a lock and an allocation, so about twenty times
    /// a second is plenty.
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

#[cfg(not(loom))]
thread_local! {
    static CURRENT: RefCell<Option<Arc<Header>>> = const { RefCell::new(None) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static CURRENT: RefCell<Option<Arc<Header>>> = RefCell::new(None);
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
    current_header().map(|header| header.id())
}

pub(crate) fn current_header() -> Option<Arc<Header>> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// Makes `header` the current task until the guard is dropped.
pub(crate) fn enter(header: Arc<Header>) -> Current {
    Current {
        outer: replace(Some(header)),
    }
}

pub(crate) struct Current {
    outer: Option<Arc<Header>>,
}

impl Drop for Current {
    fn drop(&mut self) {
        replace(self.outer.take());
    }
}

fn replace(header: Option<Arc<Header>>) -> Option<Arc<Header>> {
    CURRENT
        .try_with(|current| current.replace(header))
        .ok()
        .flatten()
}
