//! The handle of a task.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::cell::Header;
use super::outcome::{JoinError, Progress, TaskId, TaskInfo, TaskState};
use super::panic::Contained;
use super::sync::CountedArc;
use super::{graph, registry, wait};

/// The place of a task's value. Empty for ever when the task panicked or was cancelled.
pub(crate) type Slot<T> = CountedArc<OnceLock<Contained<T>>>;

/// A handle of one background computation that ends with a `T`.
///
/// A task begins *queued*, is *running* while its closure runs, and ends *returned*, *panicked* or
/// *cancelled*. The outcome is kept as long as a handle is, and any number of threads may ask for
/// it any number of times. Handles are cheap to clone; dropping the last one detaches the task: it
/// runs on, and its value is dropped when it ends.
///
/// A window polls. [`poll`](Self::poll) costs one atomic load while the task runs, and
/// [`Builder::report_to`](super::Builder::report_to) wakes the window when there is something to
/// see:
///
/// ```
/// use meanwhile::join::{self, Task};
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
    header: Arc<Header>,
    slot: Slot<T>,
}

impl<T> Task<T> {
    pub(crate) fn new(header: Arc<Header>, slot: Slot<T>) -> Self {
        Self { header, slot }
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        self.header.id()
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        self.header.name()
    }

    /// A snapshot of everything known about the task but its value.
    ///
    /// ```
    /// use meanwhile::join::{self, Placement};
    ///
    /// let task = join::spawn("index", |_| ())?;
    /// let info = task.info();
    /// assert_eq!((info.id, &*info.name), (task.id(), task.name()));
    /// assert_eq!(info.placement, Placement::Thread);
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn info(&self) -> TaskInfo {
        self.header.info()
    }

    /// Blocks until the task has ended and gives its outcome; at once if it has ended already.
    ///
    /// On a pool worker, a task that is still queued on that same pool is run right here, so that
    /// a pool whose workers all wait never starves.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let page = join::spawn("render", |_| "<h1>Hello</h1>")?;
    /// let length = join::spawn("measure", {
    ///     let page = page.clone();
    ///     move |_| page.join().map(|html| html.len())
    /// })?;
    /// assert_eq!(*page.join()?, "<h1>Hello</h1>");
    /// assert_eq!(*page.join()?, "<h1>Hello</h1>"); // as often as one likes
    /// assert!(matches!(length.join()?, Ok(14)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Panicked`](JoinError::Panicked) or [`Cancelled`](JoinError::Cancelled) when the task ended
    /// that way; [`CurrentThread`](JoinError::CurrentThread) when a task joins itself;
    /// [`WouldDeadlock`](JoinError::WouldDeadlock) when waiting would close a ring of tasks that
    /// wait for each other. In the last two cases the task goes on.
    pub fn join(&self) -> Result<&T, JoinError> {
        wait::for_one(graph::global(), &self.header, None)?;
        self.outcome()
    }

    /// Like [`join`](Self::join), but waits at most for `timeout`, and never less. On Linux the
    /// thread does without its timer slack meanwhile, which would let the wait end 50 µs late.
    ///
    /// [`Duration::ZERO`] asks without waiting; a timeout too long for the clock, such as
    /// [`Duration::MAX`], waits without a deadline. A wait that times out may stand in a ring: its
    /// deadline ends it.
    ///
    /// ```
    /// use meanwhile::join::{self, JoinError};
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
    /// [`TimedOut`](JoinError::TimedOut) when the time is up and the task goes on; otherwise as
    /// `join`.
    pub fn join_timeout(&self, timeout: Duration) -> Result<&T, JoinError> {
        let deadline = wait::deadline(Some(timeout));
        wait::for_one(graph::global(), &self.header, deadline)?;
        self.outcome()
    }

    /// The outcome if the task has ended, without waiting: one atomic load while it has not.
    ///
    /// ```
    /// use meanwhile::join;
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

    /// Whether the outcome is not published yet. False once any join has returned.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("endless", |context| -> () { loop { context.checkpoint() } })?;
    /// assert!(task.is_alive() && !task.is_finished());
    /// task.cancel();
    /// assert!(task.join().is_err());
    /// assert!(task.is_finished() && !task.is_alive());
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    #[inline]
    pub fn is_alive(&self) -> bool {
        !self.is_finished()
    }

    /// Whether the outcome is published.
    ///
    /// The opposite of [`is_alive`](Self::is_alive), which has the example.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.header.is_finished()
    }

    /// Where the task stands.
    ///
    /// ```
    /// use meanwhile::join::{Builder, Pool, TaskState};
    ///
    /// let pool = Pool::builder().threads(1).build()?;
    /// let busy = Builder::new("busy").spawn_on(&pool, |context| -> () { loop { context.checkpoint() } })?;
    /// let next = Builder::new("next").spawn_on(&pool, |_| ())?;
    /// assert_eq!(next.state(), TaskState::Queued);
    /// busy.cancel();
    /// next.join()?;
    /// assert_eq!(next.state(), TaskState::Returned);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state(&self) -> TaskState {
        self.header.state()
    }

    /// Asks the task to stop. Returns at once.
    ///
    /// A task that is still queued never runs and is [`Cancelled`](TaskState::Cancelled) when this
    /// returns. A running one stops at its next [`checkpoint`](super::Context::checkpoint); one
    /// that does not ask goes on to its end. After the end this has no effect.
    ///
    /// ```
    /// use meanwhile::join::{self, JoinError};
    ///
    /// let task = join::spawn("endless", |context| -> () { loop { context.checkpoint() } })?;
    /// task.cancel();
    /// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn cancel(&self) {
        registry::cancel(&self.header);
    }

    /// Whether a cancel was asked for while the task lived, whatever came of it.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("save", |context| {
    ///     while !context.is_cancelled() {}
    ///     "saved all the same"
    /// })?;
    /// assert!(!task.is_cancel_requested());
    /// task.cancel();
    /// assert!(task.is_cancel_requested());
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn is_cancel_requested(&self) -> bool {
        self.header.is_cancel_requested()
    }

    /// How far the task says it is.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("copy", |context| context.set_progress(512, 2_048))?;
    /// task.join()?;
    /// let progress = task.progress();
    /// assert_eq!(100 * progress.done / progress.total, 25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn progress(&self) -> Progress {
        self.header.progress()
    }

    /// Runs `callback` when the task has ended, in whatever way, or now if it has.
    ///
    /// It runs on the thread that ended the task, after the outcome is published and the joiners
    /// are woken. A callback that panics does not stop the next.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let (send, receive) = std::sync::mpsc::channel();
    /// let task = join::spawn("tells", |_| ())?;
    /// task.on_finish(move || send.send("ended").unwrap());
    /// assert_eq!(receive.recv()?, "ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        self.header.on_finish(Box::new(callback));
    }

    /// The outcome by value.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("text", |_| String::from("mine"))?;
    /// task.join()?;
    /// let text: String = task.into_output().expect("the only handle")?;
    /// assert_eq!(text, "mine");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The handle itself, when the task has not ended or another handle exists.
    pub fn into_output(self) -> Result<Result<T, JoinError>, Self> {
        if !self.is_finished() {
            return Err(self);
        }
        let Self { header, slot } = self;
        match CountedArc::try_unwrap(slot) {
            Ok(slot) => Ok(slot
                .into_inner()
                .and_then(Contained::into_inner)
                .ok_or_else(|| no_value(&header))),
            Err(slot) => Err(Self { header, slot }),
        }
    }

    fn outcome(&self) -> Result<&T, JoinError> {
        self.slot
            .get()
            .and_then(Contained::get)
            .ok_or_else(|| no_value(&self.header))
    }
}

/// How a finished task without a value ended.
fn no_value(header: &Header) -> JoinError {
    header.panic().map_or(JoinError::Cancelled, |report| {
        JoinError::Panicked(report.clone())
    })
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
