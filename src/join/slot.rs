//! A place for the latest of several tasks that replace each other.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::builder::Builder;
use super::context::Context;
use super::error::SpawnError;
use super::id::TaskId;
use super::info::Progress;
use super::owned::OwnedTask;
use super::pool::Pool;
use super::schedule::Schedule;
use super::slot_run::Run;
use super::slot_state::{SlotError, SlotState};
use super::timer::{self, Timers};
use super::wait;

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
/// while view.frame().starts_with("loading") {
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
    run: Option<Arc<Run<T>>>,
    value: Option<T>,
    error: Option<SlotError>,
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
            run: None,
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
        let task = spawn(self.pool.as_ref(), builder, f)?;
        self.replace(task);
        Ok(())
    }

    /// Starts a task after `delay`, in place of the one before, which is cancelled now. Another start
    /// before that takes this one back. So the task starts once there was no start for that long, as for a
    /// search while the user types (a debounce).
    ///
    /// The slot is loading from now on. The window is also woken when the task starts. The delay takes no
    /// thread of its own: see [`after`](super::after).
    ///
    /// ```
    /// use meanwhile_join::{Builder, Slot, SlotState};
    /// use std::time::Duration;
    ///
    /// let mut found = Slot::new();
    /// for query in ["r", "ru", "rust"] {
    ///     let search = move |_: &_| format!("the results for {query}");
    ///     found.start_after(Duration::from_millis(50), Builder::new("search"), search)?;
    /// }
    /// while matches!(found.poll(), SlotState::Loading { .. }) {} // a frame each
    /// let SlotState::Ready(results) = found.poll() else { unreachable!() };
    /// assert_eq!(results, "the results for rust");
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    ///
    /// # Errors
    /// Fails if the system refuses the thread of the timer. Then the slot stays as it is. If it refuses the
    /// thread of the task, after the delay, the slot has failed with [`SlotError::NotStarted`].
    pub fn start_after<F>(
        &mut self,
        delay: Duration,
        builder: Builder,
        f: F,
    ) -> Result<(), SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        let timers = timer::global()?;
        let run = Run::waiting();
        let start = {
            let (run, pool) = (run.clone(), self.pool.clone());
            move || {
                let changes = builder.changes().cloned();
                run.start(changes.as_ref(), || spawn(pool.as_ref(), builder, f));
            }
        };
        run.arm(|| timers.add(wait::deadline(Some(delay)), Box::new(start)));
        self.replace_run(run);
        Ok(())
    }

    /// Starts a task now, in place of the one before, which is cancelled, and then another one every
    /// `period`. Each keeps the value of the one before visible. Another start, a
    /// [cancel](Self::cancel) or dropping the slot ends that at once.
    ///
    /// The schedule is fixed: its times are now and whole periods from now. If a task still runs at such a
    /// time, it goes on and that start is left out. If a task panics or the system refuses its thread, the
    /// slot has failed until the next start. A period below a millisecond counts as one. Time in which the
    /// computer sleeps may not count.
    ///
    /// The window is also woken when a task starts. Between the tasks there is no thread: see
    /// [`after`](super::after).
    ///
    /// ```
    /// use meanwhile_join::{Builder, Slot};
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    ///
    /// let mut clock = Slot::new();
    /// let ticks = AtomicU32::new(0);
    /// clock.start_every(Duration::from_millis(10), Builder::new("clock"), move |_| {
    ///     ticks.fetch_add(1, Ordering::Relaxed)
    /// })?;
    /// while clock.poll().latest() < Some(&3) {} // a frame each
    /// clock.cancel();
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    ///
    /// # Errors
    /// Fails if the system refuses a thread now. Then the slot stays as it is.
    pub fn start_every<F>(
        &mut self,
        period: Duration,
        builder: Builder,
        f: F,
    ) -> Result<(), SpawnError>
    where
        F: Fn(&Context) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let timers = timer::global()?;
        let schedule = Schedule::new(Instant::now(), period);
        let f = Arc::new(f);
        let first = spawn(self.pool.as_ref(), builder.clone(), call(&f))?;
        let run = Run::of(first);
        let series = Series {
            run: run.clone(),
            pool: self.pool.clone(),
            builder,
            f,
            schedule,
        };
        series.arm(timers);
        self.replace_run(run);
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
        self.replace_run(Run::of(task));
    }

    fn replace_run(&mut self, run: Arc<Run<T>>) {
        self.collect();
        self.cancel();
        self.run = Some(run);
        self.error = None;
    }

    /// Returns the state, with the outcome of a task that has ended since. It waits for no task, and takes
    /// a lock that is held for a moment only.
    pub fn poll(&mut self) -> SlotState<'_, T> {
        let is_loading = self.collect();
        let previous = self.value.as_ref();
        match (is_loading, &self.error, previous) {
            (true, _, previous) => SlotState::Loading { previous },
            (false, Some(error), previous) => SlotState::Failed { error, previous },
            (false, None, Some(value)) => SlotState::Ready(value),
            (false, None, None) => SlotState::Empty,
        }
    }

    /// Takes over what has ended since. Returns whether the slot is loading.
    fn collect(&mut self) -> bool {
        let Some(news) = self.run.as_ref().map(|run| run.take_news()) else {
            return false;
        };
        if news.value.is_some() {
            self.value = news.value;
            self.error = None;
        }
        if news.error.is_some() {
            self.error = news.error;
        }
        news.is_loading
    }

    /// Requests that the task stop, and takes back the starts that are to come. The slot is loading until
    /// the task has ended, and then has failed with [`SlotError::Cancelled`]; at once if it has not begun.
    pub fn cancel(&self) {
        if let Some(run) = &self.run {
            run.cancel();
        }
    }

    /// Cancels the task, takes back the starts that are to come, and drops the value, so that the slot is
    /// empty.
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
        let task = self.run.as_ref()?.task()?;
        Some(task.progress())
    }

    /// Returns the number of the task, which [`Changes::take`](super::Changes::take) returns; `None`
    /// without a task, and once [`poll`](Self::poll) has its outcome.
    pub fn task_id(&self) -> Option<TaskId> {
        let task = self.run.as_ref()?.task()?;
        Some(task.id())
    }
}

/// The starts of [`Slot::start_every`].
struct Series<T, F> {
    run: Arc<Run<T>>,
    pool: Option<Pool>,
    builder: Builder,
    f: Arc<F>,
    schedule: Schedule,
}

impl<T, F> Series<T, F>
where
    F: Fn(&Context) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    /// Sets the next start.
    fn arm(mut self, timers: &'static Timers) {
        let (at, _missed) = self.schedule.next_after(Instant::now());
        let run = self.run.clone();
        run.arm(|| timers.add(at, Box::new(move || self.tick(timers))));
    }

    fn tick(self, timers: &'static Timers) {
        self.run.start(self.builder.changes(), || {
            spawn(self.pool.as_ref(), self.builder.clone(), call(&self.f))
        });
        self.arm(timers);
    }
}

fn call<T, F>(f: &Arc<F>) -> impl FnOnce(&Context) -> T + Send + 'static
where
    F: Fn(&Context) -> T + Send + Sync + 'static,
{
    let f = f.clone();
    move |context| f(context)
}

fn spawn<T, F>(pool: Option<&Pool>, builder: Builder, f: F) -> Result<OwnedTask<T>, SpawnError>
where
    F: FnOnce(&Context) -> T + Send + 'static,
    T: Send + 'static,
{
    match pool {
        Some(pool) => builder.spawn_owned_on(pool, f),
        None => builder.spawn_owned(f),
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
            .field("task", &self.task_id())
            .field("has_value", &self.value.is_some())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
