//! A place for the latest of several tasks that replace each other.

use std::fmt;
use std::sync::Arc;

use super::builder::Builder;
use super::context::Context;
use super::error::{JoinError, SpawnError};
use super::id::TaskId;
use super::info::Progress;
use super::owned::OwnedTask;
use super::panic::PanicReport;
use super::pool::Pool;

/// Holds the latest of several tasks that replace each other, and the latest value.
///
/// A start replaces the task before: that is cancelled, and whatever it still returns is dropped. The
/// value before stays until the next one is there, so a window can show it meanwhile. Dropping the slot
/// cancels its task.
///
/// A frame asks once with [`poll`](Self::poll) and shows one of four states. The task wakes the window as
/// every task does, with [`Builder::report_to`]:
///
/// ```
/// use meanwhile_join::{Builder, Changes, Context, Slot, SlotState, SpawnError};
///
/// struct View { page: Slot<String>, changes: Changes }
///
/// impl View {
///     fn open(&mut self, url: &'static str) -> Result<(), SpawnError> {
///         let builder = Builder::new(url).report_to(&self.changes);
///         self.page.start(builder, move |_context| format!("the page {url}"))
///     }
///
///     fn frame(&mut self) -> String {
///         match self.page.poll() {
///             SlotState::Empty => "nothing to show".to_owned(),
///             SlotState::Loading { previous: None } => "loading".to_owned(),
///             SlotState::Loading { previous: Some(page) } => format!("loading; until then, {page}"),
///             SlotState::Ready(page) => page.clone(),
///             SlotState::Failed { error, .. } => format!("{error}. Try again?"),
///         }
///     }
/// }
///
/// let (wake, woken) = std::sync::mpsc::channel();
/// let changes = Changes::new(move || wake.send(()).unwrap_or_default());
/// let mut view = View { page: Slot::new(), changes };
/// assert_eq!(view.frame(), "nothing to show");
/// view.open("a.org")?;
/// view.open("b.org")?;
/// while view.frame() == "loading" {
///     woken.recv()?;
///     view.changes.take(usize::MAX);
/// }
/// assert_eq!(view.frame(), "the page b.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An `Err` that the task returns is a value as any other: a `Slot<io::Result<Page>>` has the state
/// `Ready(Err(…))`.
pub struct Slot<T> {
    pool: Option<Pool>,
    task: Option<OwnedTask<T>>,
    value: Option<T>,
    error: Option<SlotError>,
}

/// What a [`Slot`] has to show. Returned by [`Slot::poll`].
#[derive(Debug)]
pub enum SlotState<'a, T> {
    /// Nothing was started yet, or it was cleared.
    Empty,
    /// A task is queued or runs.
    Loading {
        /// The value of an earlier task.
        previous: Option<&'a T>,
    },
    /// The latest task has returned this value.
    Ready(&'a T),
    /// The latest task has ended without a value.
    Failed {
        /// The reason.
        error: &'a SlotError,
        /// The value of an earlier task.
        previous: Option<&'a T>,
    },
}

/// The reason why a [`Slot`] has no new value.
///
/// The text of each variant contains its cause, so [`source`](std::error::Error::source) is `None`.
#[derive(Debug)]
#[non_exhaustive]
pub enum SlotError {
    /// The task panicked.
    Panicked(Arc<PanicReport>),
    /// The task was cancelled.
    Cancelled,
}

impl<T> Slot<T> {
    /// Returns an empty slot whose tasks run on threads of their own.
    pub const fn new() -> Self {
        Self::with_pool(None)
    }

    /// Returns an empty slot whose tasks run on this pool.
    ///
    /// ```
    /// use meanwhile_join::{Builder, Pool, Slot, SlotState};
    ///
    /// let mut preview = Slot::on(&Pool::new(2)?);
    /// preview.start(Builder::new("preview"), |_| "a picture")?;
    /// while matches!(preview.poll(), SlotState::Loading { .. }) {} // a frame each
    /// assert!(matches!(preview.poll(), SlotState::Ready(&"a picture")));
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn on(pool: &Pool) -> Self {
        Self::with_pool(Some(pool.clone()))
    }

    const fn with_pool(pool: Option<Pool>) -> Self {
        Self {
            pool,
            task: None,
            value: None,
            error: None,
        }
    }

    /// Starts a task in place of the one before, which is cancelled.
    ///
    /// # Errors
    /// Fails if the system refuses the thread. Then the slot stays as it is: the task before goes on.
    pub fn start<F>(&mut self, builder: Builder, f: F) -> Result<(), SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        let task = match &self.pool {
            Some(pool) => builder.spawn_owned_on(pool, f),
            None => builder.spawn_owned(f),
        };
        self.replace(task?);
        Ok(())
    }

    /// Puts a task that was started elsewhere in place of the one before, which is cancelled. For a
    /// [`Promise`](super::Promise), a task that [follows](OwnedTask::map) another one, or a value that is
    /// there [already](OwnedTask::ready).
    ///
    /// ```
    /// use meanwhile_join::{OwnedTask, Slot, SlotState};
    ///
    /// let mut page = Slot::new();
    /// page.replace(OwnedTask::ready("from the cache"));
    /// assert!(matches!(page.poll(), SlotState::Ready(&"from the cache")));
    /// ```
    pub fn replace(&mut self, task: OwnedTask<T>) {
        self.collect();
        self.cancel();
        self.task = Some(task);
        self.error = None;
    }

    /// Returns the state, with the outcome of a task that has ended since. It does not wait: while the
    /// task runs, it takes one atomic load.
    pub fn poll(&mut self) -> SlotState<'_, T> {
        self.collect();
        let previous = self.value.as_ref();
        match (&self.task, &self.error, previous) {
            (Some(_), _, previous) => SlotState::Loading { previous },
            (None, Some(error), previous) => SlotState::Failed { error, previous },
            (None, None, Some(value)) => SlotState::Ready(value),
            (None, None, None) => SlotState::Empty,
        }
    }

    /// Moves the outcome of the task here if it has ended.
    fn collect(&mut self) {
        let Some(outcome) = self.task.as_mut().and_then(OwnedTask::try_take) else {
            return;
        };
        self.task = None;
        match outcome {
            Ok(value) => self.value = Some(value),
            Err(error) => self.error = Some(error.into()),
        }
    }

    /// Requests that the task stop. The slot is loading until the task has ended, and then has failed
    /// with [`SlotError::Cancelled`].
    pub fn cancel(&self) {
        if let Some(task) = &self.task {
            task.cancel();
        }
    }

    /// Cancels the task and drops the value, so that the slot is empty.
    pub fn clear(&mut self) {
        self.cancel();
        *self = Self::with_pool(self.pool.take());
    }

    /// Takes the value, which may be that of an earlier task. The task goes on.
    pub fn take(&mut self) -> Option<T> {
        self.collect();
        self.value.take()
    }

    /// Returns the progress that the task reported last; `None` without a task that runs.
    pub fn progress(&self) -> Option<Progress> {
        self.task.as_ref().map(OwnedTask::progress)
    }

    /// Returns the number of the task, which [`Changes::take`](super::Changes::take) returns; `None`
    /// without a task, and once [`poll`](Self::poll) has its outcome.
    pub fn task_id(&self) -> Option<TaskId> {
        self.task.as_ref().map(OwnedTask::id)
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("task", &self.task)
            .field("has_value", &self.value.is_some())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<'a, T> SlotState<'a, T> {
    /// Returns the latest value, which may be that of an earlier task.
    pub fn latest(&self) -> Option<&'a T> {
        match *self {
            Self::Empty => None,
            Self::Ready(value) => Some(value),
            Self::Loading { previous } | Self::Failed { previous, .. } => previous,
        }
    }
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(report) => report.fmt(f),
            Self::Cancelled => f.write_str("the task was cancelled"),
        }
    }
}

impl std::error::Error for SlotError {}

impl From<JoinError> for SlotError {
    /// The outcome of a task that has ended without a value.
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Panicked(report) => Self::Panicked(report),
            _ => Self::Cancelled,
        }
    }
}
