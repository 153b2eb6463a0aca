//! A running task's view of itself: its cancel, its pauses and its progress.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::current::current;
use super::error::{Cancelled, JoinError};
use super::header::Header;
use super::id::TaskId;
use super::info::{Progress, ProgressUnit};
use super::panic::unwind_cancelled;
use super::parking::{self, Unparker};
use super::select::{Select, SelectError};
use super::task::Task;
use super::token::CancelToken;
use super::wait;

/// The argument of a task's closure. With it the task checks for a cancel and reports progress.
///
/// It may be cloned and passed to other threads that help the task.
///
/// ```
/// use meanwhile_join::{self as join, Cancelled};
///
/// let task = join::spawn("sum", |context| {
///     let mut sum = 0;
///     for n in 1..=1_000 {
///         context.check()?;
///         context.set_progress(n, 1_000);
///         sum += n;
///     }
///     context.set_message("summed up");
///     Ok::<u64, Cancelled>(sum)
/// })?;
/// assert_eq!(*task.join()?, Ok(500_500));
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
    /// use meanwhile_join as join;
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

    /// Returns `Err` if a cancel was requested, so that `context.check()?` stops the work. Takes one
    /// atomic load.
    ///
    /// A long computation should call this often enough that a cancel takes effect at once. To make
    /// the outcome of the task [`JoinError::Cancelled`](super::JoinError::Cancelled), and not the
    /// error that the closure returns, spawn it with [`cancellable`](super::cancellable).
    ///
    /// ```
    /// use meanwhile_join::{self as join, Cancelled, Context};
    ///
    /// fn copy_all<'a>(
    ///     files: impl Iterator<Item = &'a str>,
    ///     context: &Context,
    /// ) -> Result<(), Cancelled> {
    ///     for _file in files {
    ///         context.check()?;
    ///         // and copy it
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let task = join::spawn("copy", |context| {
    ///     let copied = copy_all(std::iter::repeat("a.txt"), context);
    ///     if copied == Err(Cancelled) { "incomplete" } else { "complete" }
    /// })?;
    /// # while task.state() == join::TaskState::Queued { std::thread::yield_now(); }
    /// task.cancel();
    /// assert_eq!(*task.join()?, "incomplete");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Cancelled`] if a cancel was requested.
    #[inline]
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            self.header.cancel_marks().mark_failed_check();
            return Err(Cancelled);
        }
        Ok(())
    }

    /// Ends the task here if a cancel was requested, without a `Result`. The task unwinds and its
    /// destructors run, but nothing is printed. Its outcome is
    /// [`JoinError::Cancelled`](super::JoinError::Cancelled).
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// let task = join::spawn("endless", |context| -> () { loop { context.checkpoint() } })?;
    /// task.cancel();
    /// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    ///
    /// Unwinding is a panic for all code between this call and the end of the task. Use
    /// [`check`](Self::check) where that matters:
    /// - A std lock that is held across the call is poisoned.
    /// - In an `extern "C"` callback the program ends.
    /// - `catch_unwind` takes it for a panic of the code that it runs.
    ///
    /// It returns in spite of a cancel
    /// - while the thread unwinds already, as in a destructor: a second unwinding would end the
    ///   program;
    /// - in a program built with `panic = "abort"`, where nothing can unwind. There a task that never
    ///   calls [`check`](Self::check) or [`is_cancelled`](Self::is_cancelled) runs to its end.
    ///
    /// On a thread that helps the task it ends that thread, and the task when it goes on with the
    /// unwinding, as rayon and [`std::thread::scope`] do. Another task that calls it panics: it has
    /// not been cancelled itself, but can't go on.
    #[inline]
    #[track_caller]
    pub fn checkpoint(&self) {
        if self.is_cancelled() {
            self.unwind();
        }
    }

    #[cold]
    #[track_caller]
    fn unwind(&self) {
        if cfg!(panic = "abort") || std::thread::panicking() {
            return;
        }
        if current().is_none() {
            self.header.cancel_marks().mark_unwound_helper();
        }
        unwind_cancelled(&self.header.identity());
    }

    /// Returns the token of the task: cancelling the one cancels the other. Its
    /// [children](CancelToken::child) are cancelled with the task, such as the token of a process that
    /// the task starts.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Builder, JoinError};
    ///
    /// let outer = join::spawn("outer", |context| {
    ///     let inner = Builder::new("inner")
    ///         .cancel_token(&context.token())
    ///         .spawn(join::cancellable(|context| context.sleep_until(None)));
    ///     matches!(inner.expect("a thread").join(), Err(JoinError::Cancelled))
    /// })?;
    /// # while outer.state() == join::TaskState::Queued { std::thread::yield_now(); }
    /// outer.cancel();
    /// assert!(*outer.join()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn token(&self) -> CancelToken {
        CancelToken::of(self.header.clone())
    }

    /// Blocks for this time, or until a cancel is requested. A cancel ends it at once.
    ///
    /// A time too long for the clock, such as [`Duration::MAX`], ends with the cancel alone. Never ends
    /// early otherwise.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    /// use std::time::Duration;
    ///
    /// let task = join::spawn("backup", join::cancellable(|context| {
    ///     loop {
    ///         // and save something
    ///         context.sleep(Duration::from_secs(3_600))?;
    ///     }
    ///     #[expect(unreachable_code, reason = "the type of the result")]
    ///     Ok::<(), join::Cancelled>(())
    /// }))?;
    /// task.cancel();
    /// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    ///
    /// # Errors
    /// [`Cancelled`] if a cancel was requested, before the call or during it.
    pub fn sleep(&self, time: Duration) -> Result<(), Cancelled> {
        self.sleep_until(wait::deadline(Some(time)))
    }

    /// Like [`sleep`](Self::sleep), but until this time; with `None` until a cancel is requested.
    ///
    /// # Errors
    /// As `sleep`.
    pub fn sleep_until(&self, deadline: impl Into<Option<Instant>>) -> Result<(), Cancelled> {
        let slept = parking::pause(self.header.cancel(), deadline.into(), || false);
        self.checked(slept)
    }

    /// Blocks until another thread ends it with an [`unparker`](Self::unparker) of the task, or a
    /// cancel is requested. Returns at once if it was unparked since the last park returned.
    ///
    /// It does not end for other reasons, but an unpark may be older than what the task waits for now.
    /// So call it in a loop that checks for that. If several threads of the task park, an unpark ends
    /// one of them.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Cancelled};
    /// use std::sync::{Arc, Mutex};
    ///
    /// let list = Arc::new(Mutex::new(Vec::new()));
    /// let (send, unparkers) = std::sync::mpsc::channel();
    /// let task = join::spawn("printer", {
    ///     let list = list.clone();
    ///     move |context| {
    ///         send.send(context.unparker()).expect("the main thread waits");
    ///         loop {
    ///             if let Some(page) = list.lock().expect("never poisoned").pop() {
    ///                 return Ok::<u32, Cancelled>(page);
    ///             }
    ///             context.park()?;
    ///         }
    ///     }
    /// })?;
    /// let unparker = unparkers.recv()?;
    /// list.lock().expect("never poisoned").push(7);
    /// unparker.unpark();
    /// assert_eq!(*task.join()?, Ok(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Cancelled`] if a cancel was requested, before the call or during it.
    pub fn park(&self) -> Result<(), Cancelled> {
        self.park_deadline(None)
    }

    /// Like [`park`](Self::park), but also returns `Ok` after `timeout`.
    ///
    /// # Errors
    /// As `park`.
    pub fn park_timeout(&self, timeout: Duration) -> Result<(), Cancelled> {
        self.park_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`park`](Self::park), but also returns `Ok` at this time. `None` is no deadline.
    ///
    /// # Errors
    /// As `park`.
    pub fn park_deadline(&self, deadline: impl Into<Option<Instant>>) -> Result<(), Cancelled> {
        let cancel = self.header.cancel();
        let parked = self.header.parking().park(cancel, deadline.into());
        self.checked(parked)
    }

    /// Returns what ends a [`park`](Self::park) of this task. It may be sent to any thread.
    pub fn unparker(&self) -> Unparker {
        Unparker::new(self.header.parking().clone())
    }

    /// Returns a [`Select`] that ends with [`SelectError::Cancelled`](super::SelectError::Cancelled)
    /// when a cancel is requested.
    ///
    /// ```
    /// use meanwhile_join::{self as join, SelectError};
    ///
    /// let (send, jobs) = crossbeam_channel::bounded::<u32>(8);
    /// let task = join::spawn("server", move |context| {
    ///     let mut sum = 0;
    ///     while context.select().receiver(&jobs).wait() != Err(SelectError::Cancelled) {
    ///         sum += jobs.try_recv().unwrap_or_default();
    ///     }
    ///     sum
    /// })?;
    /// # while task.state() == join::TaskState::Queued { std::thread::yield_now(); }
    /// task.cancel(); // wakes it
    /// assert_eq!(*task.join()?, 0);
    /// # drop(send);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn select<'a>(&self) -> Select<'a> {
        Select::new().token(&self.token())
    }

    /// Blocks until another task has ended, and returns its outcome. A cancel of this task ends the wait
    /// at once; the other task goes on.
    ///
    /// So a task that is cancelled need not wait for what it has started. The outer error is this
    /// task's own cancel, the inner one that of the join, such as a cancel of the other task. For a task
    /// whose value is not shared, a process or several sources, see [`select`](Self::select).
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// let upload = join::spawn("upload", |context| context.sleep_until(None))?;
    /// let report = join::spawn("report", join::cancellable({
    ///     let upload = upload.clone();
    ///     move |context| {
    ///         let uploaded = context.join(&upload)?;
    ///         Ok::<bool, join::Cancelled>(uploaded.is_ok())
    ///     }
    /// }))?;
    /// report.cancel();
    /// assert!(matches!(report.join(), Err(JoinError::Cancelled)));
    /// assert!(!upload.is_finished());
    /// # upload.cancel();
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    ///
    /// # Errors
    /// - [`Cancelled`] if a cancel of this task was requested, before the call or during it.
    /// - Inside of `Ok`, the errors of [`Task::join`].
    pub fn join<'t, T>(&self, task: &'t Task<T>) -> Result<Result<&'t T, JoinError>, Cancelled> {
        match self.select().task(task).refuse_cycles().wait() {
            Ok(_) => Ok(task.outcome()),
            Err(SelectError::Cancelled) => Err(Cancelled),
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// Notes a cancel that the task is given as an error.
    fn checked(&self, result: Result<(), Cancelled>) -> Result<(), Cancelled> {
        if result.is_err() {
            self.header.cancel_marks().mark_failed_check();
        }
        result
    }

    /// Makes the outcome of the task a cancel, whatever its closure returns, if a
    /// [`check`](Self::check) has failed.
    pub(crate) fn give_up(&self) {
        let marks = self.header.cancel_marks();
        if marks.has_failed_check() {
            marks.mark_given_up();
        }
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Reports the work done and the whole work, in a unit of the task's choice. A `total` of 0
    /// means unknown. For a task of several parts, see [`parts`](Self::parts).
    ///
    /// Takes some nanoseconds, so an inner loop may call it.
    #[inline]
    pub fn set_progress(&self, done: u64, total: u64) {
        self.header.set_progress(done, total);
    }

    /// Returns the progress that the task reported last.
    pub fn progress(&self) -> Progress {
        self.header.progress()
    }

    /// Sets what [`set_progress`](Self::set_progress) counts, for the display. Call it once, before the
    /// first report. Default: [`ProgressUnit::None`].
    pub fn set_unit(&self, unit: ProgressUnit) {
        self.header.set_unit(unit);
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
