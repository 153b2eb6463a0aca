//! Tasks with one handle, which gives the value away.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::any_task::AnyTask;
use super::builder::Builder;
use super::callback_guard::CallbackGuard;
use super::code::ClosureOutcome;
use super::context::Context;
use super::error::{JoinError, SpawnError};
use super::handle::Handle;
use super::header::Header;
use super::id::TaskId;
use super::info::{Progress, TaskInfo, TaskState};
use super::owned_job::owned;
use super::owned_slot::OwnedSlot;
use super::pool::Pool;
use super::token::CancelGuard;
use super::{graph, registry, wait};

/// The only handle to a task. It gives the value away instead of lending it, so the value need not be
/// [`Sync`] and is never cloned. For several joiners, see [`Task`](super::Task).
///
/// Started by [`spawn_owned`], [`Pool::spawn_owned`], [`Builder::spawn_owned`] and
/// [`Builder::spawn_owned_on`]. Dropping the
/// handle detaches the task: it runs on, and its value is dropped when it ends. A panic that the
/// handle has not shown is reported as [`on_panic`](super::on_panic) says.
///
/// A window takes the value in the frame after the end of the task:
///
/// ```
/// use meanwhile_join::{self as join, JoinError, OwnedTask};
/// use std::sync::mpsc::Receiver;
///
/// struct View { lines: Option<Receiver<String>>, opening: OwnedTask<Receiver<String>> }
///
/// impl View {
///     fn frame(&mut self) -> Result<(), JoinError> {
///         if let Some(opened) = self.opening.try_take() {
///             self.lines = Some(opened?);
///         }
///         Ok(())
///     }
/// }
///
/// let opening = join::spawn_owned("open", |_| {
///     let (send, receive) = std::sync::mpsc::channel();
///     send.send("hello".to_owned()).expect("the receiver is here");
///     receive // not `Sync`
/// })?;
/// let mut view = View { lines: None, opening };
/// while view.lines.is_none() {
///     view.frame()?;
/// }
/// assert_eq!(view.lines.and_then(|lines| lines.try_recv().ok()).as_deref(), Some("hello"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping the handle detaches the task"]
pub struct OwnedTask<T> {
    header: Handle,
    slot: OwnedSlot<T>,
    is_taken: bool,
}

impl<T> OwnedTask<T> {
    pub(crate) fn new(header: Handle, slot: OwnedSlot<T>) -> Self {
        Self {
            header,
            slot,
            is_taken: false,
        }
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Returns the task's number.
    pub fn id(&self) -> TaskId {
        self.header.id()
    }

    /// Returns the task's name.
    pub fn name(&self) -> &str {
        self.header.name()
    }

    /// Returns a snapshot of the task without its value.
    pub fn info(&self) -> TaskInfo {
        self.header.info()
    }

    /// Blocks until the task has ended, and returns its value or its error.
    ///
    /// A worker of a [`Pool`] that joins a task still queued on the same pool runs it itself.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// fn config() -> Result<String, Box<dyn std::error::Error>> {
    ///     let read = join::spawn_owned("read", |_| std::fs::read_to_string("Cargo.toml"))?;
    ///     Ok(read.join_into()??) // the outcome of the task, then that of the read
    /// }
    /// assert!(config()?.contains("name"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`Panicked`](JoinError::Panicked) or [`Cancelled`](JoinError::Cancelled) if the task ended
    ///   that way.
    /// - [`Taken`](JoinError::Taken) if [`try_take`](Self::try_take) has returned the outcome before.
    /// - [`CurrentThread`](JoinError::CurrentThread) if a task joins itself, and
    ///   [`WouldDeadlock`](JoinError::WouldDeadlock) if waiting would close a cycle of tasks that
    ///   wait for each other. The task goes on, detached.
    /// - [`NoThread`](JoinError::NoThread) if its pool starves and the system refuses a spare thread. The
    ///   task goes on, detached.
    pub fn join_into(mut self) -> Result<T, JoinError> {
        self.join_until_taken(None)
    }

    /// Like [`join_into`](Self::join_into), but returns the handle if the timeout expires first.
    ///
    /// [`Duration::ZERO`] polls. A timeout too long for the clock, such as [`Duration::MAX`], waits
    /// without a deadline. See [`Task::join_timeout`](super::Task::join_timeout) for the accuracy and
    /// for pool workers.
    ///
    /// ```
    /// use meanwhile_join as join;
    /// use std::time::Duration;
    ///
    /// let (release, gate) = std::sync::mpsc::channel();
    /// let task = join::spawn_owned("gate", move |_| gate.recv())?;
    /// let Err(task) = task.join_timeout_into(Duration::from_millis(1)) else { unreachable!() };
    /// release.send("open")?;
    /// assert_eq!(task.join_into()??, "open");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the handle itself if the timeout expires first. The task goes on. The inner errors are
    /// those of [`join_into`](Self::join_into).
    pub fn join_timeout_into(self, timeout: Duration) -> Result<Result<T, JoinError>, Self> {
        self.join_deadline_into(wait::deadline(Some(timeout)))
    }

    /// Like [`join_timeout_into`](Self::join_timeout_into), but times out at this time, and never
    /// earlier. `None` is no deadline.
    ///
    /// # Errors
    /// As [`join_timeout_into`](Self::join_timeout_into).
    pub fn join_deadline_into(
        mut self,
        deadline: impl Into<Option<Instant>>,
    ) -> Result<Result<T, JoinError>, Self> {
        match self.join_until_taken(deadline.into()) {
            Err(JoinError::TimedOut) => Err(self),
            joined => Ok(joined),
        }
    }

    fn join_until_taken(&mut self, deadline: Option<Instant>) -> Result<T, JoinError> {
        wait::for_one(graph::global(), &self.header, deadline)?;
        self.outcome()
    }

    /// The outcome of a task that has ended.
    pub(crate) fn outcome(&mut self) -> Result<T, JoinError> {
        self.try_take().unwrap_or(Err(JoinError::Taken))
    }

    /// Returns the outcome once the task has ended. Returns `None` while it runs and after the
    /// outcome was taken. Takes one atomic load while the task runs.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let mut task = join::spawn_owned("text", |_| String::from("mine"))?;
    /// let text = loop {
    ///     if let Some(outcome) = task.try_take() {
    ///         break outcome?;
    ///     }
    /// };
    /// assert_eq!(text, "mine");
    /// assert!(task.try_take().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        (self.is_finished() && !self.is_taken).then(|| self.take())
    }

    /// Returns the value of a task that has ended. Without a value, returns its outcome for a task
    /// that ends the same way and shows a panic instead of this one.
    pub(crate) fn into_value(self) -> Result<T, ClosureOutcome> {
        let value = self.slot.take();
        value.ok_or_else(|| self.header.hand_on_outcome())
    }

    fn take(&mut self) -> Result<T, JoinError> {
        self.is_taken = true;
        let value = self.slot.take();
        value.ok_or_else(|| self.header.no_value())
    }

    /// Returns whether the task has ended.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.header.is_finished()
    }

    /// Returns the state of the task.
    pub fn state(&self) -> TaskState {
        self.header.state()
    }

    /// Requests that the task stop, without waiting for its end. See
    /// [`Task::cancel`](super::Task::cancel).
    pub fn cancel(&self) {
        registry::cancel(&self.header);
    }

    /// Returns a guard that cancels the task when it is dropped. See
    /// [`Task::cancel_on_drop`](super::Task::cancel_on_drop).
    pub fn cancel_on_drop(&self) -> CancelGuard {
        CancelGuard::of_task(self.header().clone())
    }

    /// Returns whether a cancel was requested before the task ended, even if it ended otherwise.
    pub fn is_cancel_requested(&self) -> bool {
        self.header.cancel_requested_at().is_some()
    }

    /// Returns the progress that the task reported last.
    pub fn progress(&self) -> Progress {
        self.header.progress()
    }

    /// Runs `callback` when the task has ended, whatever its outcome, or now if it has ended
    /// already. See [`Task::on_finish`](super::Task::on_finish).
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        self.header.on_finish(Box::new(callback));
    }

    /// Returns a handle to the same task without its type. It does not give the value away.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Select};
    ///
    /// let (text, number) = (join::spawn_owned("text", |_| "seven")?, join::spawn("number", |_| 7)?);
    /// let first = Select::new().task(&text).task(&number).wait()?;
    /// # assert!(first < 2);
    /// text.any().join()?;
    /// assert_eq!(text.join_into()?, "seven");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn any(&self) -> AnyTask {
        self.into()
    }

    /// Runs `callback` when the task has ended, or now if it has ended already. It gets no value, which
    /// stays with this handle. Otherwise as
    /// [`Task::on_outcome`](super::Task::on_outcome).
    pub fn on_outcome(
        &self,
        callback: impl FnOnce(Result<(), JoinError>) + Send + 'static,
    ) -> CallbackGuard {
        self.any().on_outcome(callback)
    }
}

impl<T> From<&OwnedTask<T>> for AnyTask {
    fn from(task: &OwnedTask<T>) -> Self {
        Self::new(task.header())
    }
}

impl<T> fmt::Debug for OwnedTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedTask")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Like [`spawn`](Self::spawn), for a value that is moved out and need not be [`Sync`].
    ///
    /// # Errors
    /// Fails as [`spawn`](Self::spawn) does.
    pub fn spawn_owned<T, F>(self, f: F) -> Result<OwnedTask<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (code, slot) = owned(f);
        let handle = self.start(code)?;
        Ok(OwnedTask::new(handle, slot))
    }

    /// Like [`spawn_on`](Self::spawn_on), for a value that is moved out and need not be [`Sync`].
    ///
    /// ```
    /// use meanwhile_join::{Builder, Pool};
    ///
    /// let pool = Pool::builder().threads(2).build()?;
    /// let task = Builder::new("page 7").spawn_owned_on(&pool, |_| String::from("seven"))?;
    /// assert_eq!(task.join_into()?, "seven");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Never fails today, as [`spawn_on`](Self::spawn_on).
    pub fn spawn_owned_on<T, F>(self, pool: &Pool, f: F) -> Result<OwnedTask<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(self.queue_owned(pool, f))
    }

    fn queue_owned<T, F>(self, pool: &Pool, f: F) -> OwnedTask<T>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (code, slot) = owned(f);
        let handle = self.queue(pool, code);
        OwnedTask::new(handle, slot)
    }
}

impl Pool {
    /// Like [`spawn`](Self::spawn), for a value that is moved out and need not be [`Sync`].
    ///
    /// ```
    /// use meanwhile_join::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// let page = pool.spawn_owned(|_| String::from("seven"));
    /// assert_eq!(page.join_into()?, "seven");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_owned<T, F>(&self, f: F) -> OwnedTask<T>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        Builder::default().queue_owned(self, f)
    }
}

/// Starts a task on a thread of its own, whose value is moved out: `Builder::new(name).spawn_owned(f)`.
///
/// ```
/// let task = meanwhile_join::spawn_owned("greet", |_| String::from("hello"))?;
/// assert_eq!(task.join_into()?, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fails as [`Builder::spawn_owned`] does.
pub fn spawn_owned<T, F>(name: impl Into<String>, f: F) -> Result<OwnedTask<T>, SpawnError>
where
    F: FnOnce(&Context) -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new(name).spawn_owned(f)
}
