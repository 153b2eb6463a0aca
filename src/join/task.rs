//! The handle to a task.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callback_guard::CallbackGuard;
use super::error::JoinError;
use super::handle::Handle;
use super::header::Header;
use super::id::TaskId;
use super::info::{Progress, TaskInfo, TaskState};
use super::shared_slot::SharedSlot;
use super::token::CancelGuard;
use super::{graph, registry, wait};

/// A handle to one background computation that returns a `T`.
///
/// A task begins *queued*, is *running* while its closure runs, and ends *returned*, *panicked* or
/// *cancelled*. The outcome is kept as long as a handle exists, and any number of threads can ask
/// for it any number of times. Handles are cheap to clone. Dropping the last one detaches the task:
/// it runs on, and its value is dropped when it ends. A panic that no handle can show any more is
/// reported as [`on_panic`](super::on_panic) says.
///
/// A window polls. [`poll`](Self::poll) costs one atomic load while the task runs, and
/// [`Builder::report_to`](super::Builder::report_to) wakes the window when the task has changed:
///
/// ```
/// use meanwhile_join::{self as join, Task};
///
/// struct View { task: Task<u64> }
///
/// impl View {
///     fn frame(&self) -> String {
///         match self.task.poll() {
///             None => format!("{} of {}", self.task.progress().done, self.task.progress().total),
///             Some(Ok(sum)) => format!("the sum is {sum}"),
///             Some(Err(error)) => error.to_string(),
///         }
///     }
/// }
///
/// let view = View { task: join::spawn("sum", |_| (1..=10).sum())? };
/// view.task.join()?;
/// assert_eq!(view.frame(), "the sum is 55");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Task<T> {
    header: Handle,
    slot: SharedSlot<T>,
}

impl<T> Task<T> {
    pub(crate) fn new(header: Handle, slot: SharedSlot<T>) -> Self {
        Self { header, slot }
    }

    pub(crate) fn into_parts(self) -> (Handle, SharedSlot<T>) {
        (self.header, self.slot)
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

    /// Blocks until the task has ended, and returns its value or its error. Returns at once if it
    /// has ended already.
    ///
    /// A worker of a [`Pool`](super::Pool) that joins a task still queued on the same pool runs it
    /// itself. Inside of a task, [`Context::join`](super::Context::join) also ends when that task is
    /// cancelled.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let page = join::spawn("render", |_| "<h1>Hello</h1>")?;
    /// let length = join::spawn("measure", {
    ///     let page = page.clone();
    ///     move |_| page.join().map(|html| html.len())
    /// })?;
    /// assert_eq!(*page.join()?, "<h1>Hello</h1>");
    /// assert_eq!(*page.join()?, "<h1>Hello</h1>"); // as often as you like
    /// assert!(matches!(length.join()?, Ok(14)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`Panicked`](JoinError::Panicked) or [`Cancelled`](JoinError::Cancelled) if the task ended
    ///   that way.
    /// - [`CurrentThread`](JoinError::CurrentThread) if a task joins itself. The task goes on.
    /// - [`WouldDeadlock`](JoinError::WouldDeadlock) if waiting would close a cycle of tasks that
    ///   wait for each other. The task goes on.
    /// - [`NoThread`](JoinError::NoThread) if its pool starves and the system refuses a spare thread. The
    ///   task goes on.
    pub fn join(&self) -> Result<&T, JoinError> {
        wait::for_one(graph::global(), &self.header, None)?;
        self.outcome()
    }

    /// Like [`join`](Self::join), but times out after `timeout`, and never earlier.
    ///
    /// [`Duration::ZERO`] polls. A timeout too long for the clock, such as [`Duration::MAX`], waits
    /// without a deadline. A wait with a deadline may be part of a cycle, because the deadline ends
    /// it. A pool worker never runs the task itself, or the timeout could not end the wait; if no
    /// other thread of the pool is free, a spare one runs the task. On Linux the thread's timer
    /// slack, 50 µs by default, is reduced during the wait.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    /// use std::time::Duration;
    ///
    /// let (release, gate) = std::sync::mpsc::channel();
    /// let task = join::spawn("gate", move |_| gate.recv())?;
    /// let too_early = task.join_timeout(Duration::from_millis(1));
    /// assert!(matches!(too_early, Err(JoinError::TimedOut)));
    /// release.send("open")?;
    /// assert_eq!(*task.join()?, Ok("open"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`TimedOut`](JoinError::TimedOut) if the timeout expires first. The task goes on.
    /// - The errors of [`join`](Self::join).
    pub fn join_timeout(&self, timeout: Duration) -> Result<&T, JoinError> {
        self.join_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`join_timeout`](Self::join_timeout), but times out at this time, and never earlier. So
    /// several joins share one deadline. `None` is no deadline.
    ///
    /// ```
    /// use meanwhile_join as join;
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(10);
    /// let (two, three) = (join::spawn("two", |_| 2)?, join::spawn("three", |_| 3)?);
    /// assert_eq!(two.join_deadline(deadline)? * three.join_deadline(deadline)?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`join_timeout`](Self::join_timeout).
    pub fn join_deadline(&self, deadline: impl Into<Option<Instant>>) -> Result<&T, JoinError> {
        wait::for_one(graph::global(), &self.header, deadline.into())?;
        self.outcome()
    }

    /// Returns the outcome without waiting, or `None` if the task has not ended. Takes one atomic
    /// load while the task runs.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let (release, gate) = std::sync::mpsc::channel();
    /// let task = join::spawn("gate", move |_| gate.recv())?;
    /// assert!(task.poll().is_none());
    /// release.send("open")?;
    /// task.join()?;
    /// assert!(matches!(task.poll(), Some(Ok(Ok("open")))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn poll(&self) -> Option<Result<&T, JoinError>> {
        self.is_finished().then(|| self.outcome())
    }

    /// Returns whether the outcome is published. True once any join has returned one.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.header.is_finished()
    }

    /// Returns the state of the task.
    pub fn state(&self) -> TaskState {
        self.header.state()
    }

    /// Requests that the task stop, without waiting for its end.
    ///
    /// A task that is still queued never runs and is [`Cancelled`](TaskState::Cancelled) when this
    /// returns; what its closure owns is dropped on this thread. A running task stops at its next [`check`](super::Context::check) or
    /// [`checkpoint`](super::Context::checkpoint); without one it runs to its end. A cancel after the
    /// end has no effect.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// let task = join::spawn("copy", join::cancellable(|context| {
    ///     for _file in std::iter::repeat("a.txt") {
    ///         context.check()?;
    ///         // and copy it
    ///     }
    ///     Ok::<(), join::Cancelled>(())
    /// }))?;
    /// task.cancel();
    /// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn cancel(&self) {
        registry::cancel(&self.header);
    }

    /// Returns a guard that cancels the task when it is dropped, also by a panic or by an `async fn` that
    /// is dropped before its end. After the end of the task that has no effect.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    /// use std::time::Duration;
    ///
    /// let sleeper = join::spawn("sleeper", join::cancellable(|context| {
    ///     context.sleep_until(None)
    /// }))?;
    /// let guard = sleeper.cancel_on_drop();
    /// drop(guard);
    /// assert!(matches!(sleeper.join(), Err(JoinError::Cancelled)));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
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
    /// already.
    ///
    /// It runs on the thread that ended the task, after the outcome is published and the joiners
    /// are woken. If it panics, the panic is ignored and the next callback still runs.
    /// If it waits for something of this library, the later callbacks run first: one that blocks holds up
    /// a wait with a timeout, too.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let (send, receive) = std::sync::mpsc::channel();
    /// let task = join::spawn("index", |_| ())?;
    /// task.on_finish(move || send.send("ended").unwrap());
    /// assert_eq!(receive.recv()?, "ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        self.header.on_finish(self.header.counted(callback));
    }

    /// Runs `callback` with the outcome when the task has ended, or now if it has ended already.
    /// Dropping the guard takes the callback back; [`CallbackGuard::keep`] leaves it.
    ///
    /// Otherwise as [`on_finish`](Self::on_finish). Until the callback has run or was taken back, it
    /// holds a handle: a panic counts as seen by it, and [`into_output`](Self::into_output) waits for it.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let (send, receive) = std::sync::mpsc::channel();
    /// let task = join::spawn("count", |_| 3)?;
    /// let guard = task.on_outcome(move |outcome| {
    ///     let text = outcome.map_or_else(|error| error.to_string(), |pages| format!("{pages} pages"));
    ///     send.send(text).unwrap();
    /// });
    /// assert_eq!(receive.recv()?, "3 pages");
    /// drop(guard);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_outcome(
        &self,
        callback: impl FnOnce(Result<&T, JoinError>) + Send + 'static,
    ) -> CallbackGuard
    where
        T: Send + Sync + 'static,
    {
        let task = self.clone();
        let callback = self.header.counted(move || callback(task.outcome()));
        self.header.on_finish_guarded(callback)
    }

    /// The outcome of a task that has ended.
    pub(crate) fn outcome(&self) -> Result<&T, JoinError> {
        self.slot.get().ok_or_else(|| self.header.no_value())
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Self {
        Self {
            header: self.header.clone(),
            slot: self.slot.clone(),
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
