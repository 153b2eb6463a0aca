//! The [`JobBoard`]: owns what runs, and turns what happens to it into [`Event`]s.
//!
//! A window never waits for the board. It asks for things (start, cancel, join) and polls once a
//! frame; waiting for a job is a state of the board with a deadline, not a call. Worker threads
//! publish what happened into a queue and then wake the window, at most once until its next poll.
//! Byte progress is not published at all: the board reads it from the running tasks when polled.
//!
//! ```
//! use meanwhile::board::JobBoard;
//! use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
//! use meanwhile::record::Record;
//!
//! // A window asks for a frame instead, and polls in it.
//! let (wake, woken) = std::sync::mpsc::sync_channel(1);
//! let mut board = JobBoard::new(move || drop(wake.try_send(())));
//! let mut record = Record::default();
//! let job = board.start(JobSpec {
//!     options: Options::Misbehave(misbehave::Options::default()),
//!     inputs: vec!["a".into(), "b".into()],
//!     run_on: RunOn::Pool,
//!     workers: 2,
//!     priority: Default::default(),
//! })?;
//! while board.is_busy() {
//!     woken.recv()?;
//!     for event in board.poll(10_000) {
//!         record.apply(event);
//!     }
//! }
//! assert_eq!(record.job(job).map(|job| job.counts().returned), Some(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod feed;
#[cfg_attr(not(unix), path = "board/isolated/windows.rs")]
mod isolated;
mod lane;
#[cfg(unix)]
mod live;
#[cfg(unix)]
mod processes;
mod run;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::jobs::JobSpec;
use crate::join::{self, JoinError, Priority, SpawnError, Task};
use crate::record::{Event, EventKind, JobId, JobState, JoinEnd, JoinId, PanicKey};
use feed::Feed;
use isolated::Isolation;
pub use isolated::run_as_worker;
use run::{Control, Ended, KeptBacktrace};

/// How often a window looks at work that goes on. Each look is a frame, and where frames are drawn
/// in software they take their cores from the workers, which yield to everybody.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// How long dropping a board waits for what it cancelled.
const DROP_GRACE: Duration = Duration::from_secs(1);

/// Every job that this program runs, and who waits for it.
///
/// The module's documentation shows one at work.
///
/// ```
/// use meanwhile::board::JobBoard;
///
/// let mut board = JobBoard::new(|| { /* a window: ask for a frame */ });
/// assert!(!board.is_busy());
/// assert_eq!(board.wants_poll_in(), None); // so the window may sleep
/// assert!(board.poll(10_000).is_empty());
/// ```
pub struct JobBoard {
    feed: Feed,
    isolation: Isolation,
    queue: Receiver<Event>,
    /// Facts of the board's own making, which the next poll hands out first.
    own: VecDeque<Event>,
    jobs: BTreeMap<JobId, Entry>,
    waits: Vec<Wait>,
    last_job: u64,
    has_more: bool,
    /// When progress is read again, should the queue not be empty before.
    progress_due_at: Duration,
    drop_grace: Duration,
}

struct Entry {
    task: Task<Ended>,
    control: Arc<Control>,
    cancel_was_asked: bool,
    timed_out: bool,
    /// Whether the end has been handed out.
    ended: bool,
    /// How many items ran when last asked.
    running: usize,
    joins: usize,
    backtraces_asked: BTreeSet<PanicKey>,
}

/// Someone who waits in the background.
struct Wait {
    job: JobId,
    join: JoinId,
    deadline: Option<Duration>,
}

impl JobBoard {
    /// An empty board. `wake` is called from worker threads, and from the calls below, when a poll
    /// is worth while; at most once until that poll begins, and never while nothing happens. Once
    /// it has been called, the poll finds what it was called for.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let (feed, queue) = Feed::new(wake);
        Self {
            feed,
            isolation: Isolation::of_this_program(),
            queue,
            own: VecDeque::new(),
            jobs: BTreeMap::new(),
            waits: Vec::new(),
            last_job: 0,
            has_more: false,
            progress_due_at: Duration::ZERO,
            drop_grace: DROP_GRACE,
        }
    }

    /// Has isolated workers started through this launcher, whose program is also theirs: its `main`
    /// calls [`run_as_worker`]. Default: the launcher that this program has installed.
    #[cfg(unix)]
    #[must_use]
    pub fn with_launcher(mut self, launcher: crate::join::process::Launcher) -> Self {
        self.isolation = Isolation::through(launcher);
        self
    }

    /// The time since the board was made: the clock of all events. Monotonic.
    pub fn now(&self) -> Duration {
        self.feed.now()
    }

    /// Starts a job and returns its number.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(misbehave::Options::default()),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let first = board.start(spec.clone())?;
    /// let again = board.start(spec)?;
    /// assert!(first < again);
    /// assert!(board.is_busy());
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    ///
    /// # Errors
    /// The system refused a thread; then nothing was started, and a later start may work.
    pub fn start(&mut self, spec: JobSpec) -> Result<JobId, SpawnError> {
        let spec = Arc::new(spec);
        let job = JobId(self.last_job + 1);
        let at = self.now();
        let (task, control) = run::start(job, &spec, &self.feed, &self.isolation)?;
        self.last_job = job.0;
        self.own.push_back(Event {
            job,
            at,
            kind: EventKind::JobDidStart { spec },
        });
        let feed = self.feed.clone();
        task.on_finish(move || feed.wake());
        self.jobs.insert(job, Entry::new(task, control));
        self.feed.wake();
        Ok(job)
    }

    /// Asks a job to cancel: what is done stays, what runs is asked to stop, the rest never
    /// starts. Without effect on a job that has ended or was asked before.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use meanwhile::record::{JobState, Record};
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let sleeps = misbehave::Options {
    /// #     end: misbehave::End::Sleep,
    /// #     after: 100_000.0,
    /// #     ..misbehave::Options::default()
    /// # };
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(sleeps),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let mut record = Record::default();
    /// let job = board.start(spec)?;
    /// board.cancel(job);
    /// board.join_blocking(job, None);
    /// for event in board.poll(10_000) {
    ///     record.apply(event);
    /// }
    /// assert_eq!(record.job(job).map(|job| job.state()), Some(&JobState::Cancelled));
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn cancel(&mut self, job: JobId) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        if entry.cancel_was_asked || entry.task.is_finished() {
            return;
        }
        entry.cancel_was_asked = true;
        entry.task.cancel();
        entry.control.stop();
        self.note(job, EventKind::CancelDidAsk);
        self.feed.wake();
    }

    /// Cancels a job because the wait for it ran out: it ends `TimedOut`, unless it comes through
    /// after all.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use meanwhile::record::{JobState, Record};
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let sleeps = misbehave::Options {
    /// #     end: misbehave::End::Sleep,
    /// #     after: 100_000.0,
    /// #     ..misbehave::Options::default()
    /// # };
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(sleeps),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let mut record = Record::default();
    /// let job = board.start(spec)?;
    /// board.time_out(job);
    /// board.join_blocking(job, None);
    /// for event in board.poll(10_000) {
    ///     record.apply(event);
    /// }
    /// assert_eq!(record.job(job).map(|job| job.state()), Some(&JobState::TimedOut));
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn time_out(&mut self, job: JobId) {
        if let Some(entry) = self.jobs.get_mut(&job) {
            entry.timed_out = !entry.cancel_was_asked;
        }
        self.cancel(job);
    }

    /// Begins to wait for a job in the background, at most for `timeout`, and returns the number
    /// of this wait.
    ///
    /// The end comes as [`EventKind::JoinDidEnd`]: never before the deadline has passed, and the
    /// job goes on if it has. A job that is not on the board any more is joined at once.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use meanwhile::record::{EventKind, JoinEnd};
    /// use std::time::Duration;
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let sleeps = misbehave::Options {
    /// #     end: misbehave::End::Sleep,
    /// #     after: 100_000.0,
    /// #     ..misbehave::Options::default()
    /// # };
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(sleeps),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let job = board.start(spec)?;
    /// board.join(job, Some(Duration::ZERO));
    /// let end = board.poll(10_000).into_iter().find_map(|event| match event.kind {
    ///     EventKind::JoinDidEnd { end, .. } => Some(end),
    ///     _ => None,
    /// });
    /// assert_eq!(end, Some(JoinEnd::TimedOut));
    /// assert!(board.is_busy()); // the job goes on
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn join(&mut self, job: JobId, timeout: Option<Duration>) -> JoinId {
        let join = self.begin_join(job, timeout, false);
        if self.jobs.get(&job).is_some_and(|entry| !entry.ended) {
            let deadline = timeout.and_then(|timeout| self.now().checked_add(timeout));
            self.waits.push(Wait {
                job,
                join,
                deadline,
            });
        } else {
            self.end_join(job, join, JoinEnd::Joined);
        }
        self.feed.wake();
        join
    }

    /// Waits for a job right here: the calling thread is blocked until the job has ended or
    /// `timeout` has passed, and returns which of both.
    ///
    /// In a window this is what freezes it; it is here to show that, and for programs without one.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use meanwhile::record::JoinEnd;
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(misbehave::Options::default()),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let job = board.start(spec)?;
    /// assert_eq!(board.join_blocking(job, None), JoinEnd::Joined);
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn join_blocking(&mut self, job: JobId, timeout: Option<Duration>) -> JoinEnd {
        let join = self.begin_join(job, timeout, true);
        let timed_out = self.jobs.get(&job).is_some_and(|entry| {
            let joined = match timeout {
                Some(timeout) => entry.task.join_timeout(timeout),
                None => entry.task.join(),
            };
            matches!(joined, Err(JoinError::TimedOut))
        });
        let end = if timed_out {
            JoinEnd::TimedOut
        } else {
            JoinEnd::Joined
        };
        self.end_join(job, join, end);
        self.feed.wake();
        end
    }

    /// Stops waiting for a job: every wait for it ends `Detached`. The job runs on.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use std::time::Duration;
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let sleeps = misbehave::Options {
    /// #     end: misbehave::End::Sleep,
    /// #     after: 100_000.0,
    /// #     ..misbehave::Options::default()
    /// # };
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(sleeps),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let job = board.start(spec)?;
    /// board.join(job, Some(Duration::from_secs(3_600)));
    /// assert!(board.next_deadline().is_some());
    /// board.detach(job);
    /// assert!(board.next_deadline().is_none());
    /// assert!(board.is_busy());
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn detach(&mut self, job: JobId) {
        for wait in self.take_waits(|wait| wait.job == job) {
            self.end_join(job, wait.join, JoinEnd::Detached);
            self.feed.wake();
        }
    }

    /// Asks for the backtrace of a panic. It is resolved in the background, which may take a
    /// second, and comes as [`EventKind::BacktraceDidResolve`]; asking again changes nothing.
    ///
    /// A job keeps the backtraces of its first 256 panics; for a later one the text says so.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use meanwhile::record::{EventKind, ItemId, PanicKey};
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(misbehave::Options { end: misbehave::End::PanicStr, ..misbehave::Options::default() }),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let mut board = JobBoard::new(move || drop(wake.try_send(())));
    /// let job = board.start(spec)?;
    /// board.join_blocking(job, None);
    /// // The first item has panicked.
    /// board.resolve_backtrace(job, PanicKey::Item(ItemId(0)));
    /// let text = loop {
    ///     woken.recv()?;
    ///     let text = board.poll(10_000).into_iter().find_map(|event| match event.kind {
    ///         EventKind::BacktraceDidResolve { text, .. } => Some(text),
    ///         _ => None,
    ///     });
    ///     if let Some(text) = text {
    ///         break text;
    ///     }
    /// };
    /// assert!(text.lines().count() > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resolve_backtrace(&mut self, job: JobId, panic: PanicKey) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        if !entry.backtraces_asked.insert(panic) {
            return;
        }
        let report = match entry.control.backtrace(panic) {
            Some(KeptBacktrace::Captured(report)) => report,
            Some(KeptBacktrace::Resolved(text)) => return self.tell_backtrace(job, panic, &text),
            None => return self.tell_backtrace(job, panic, &run::missing_backtrace()),
        };
        let feed = self.feed.clone();
        let resolve = join::Builder::new(format!("backtrace of {}", report.task_name()))
            .daemon(true)
            .priority(Priority::Background)
            .spawn(move |_| {
                let text = Arc::from(report.backtrace());
                feed.publish(job, EventKind::BacktraceDidResolve { panic, text });
                feed.wake();
            });
        if let Err(error) = resolve {
            self.tell_backtrace(job, panic, &error.to_string());
        }
    }

    /// Drops what the board keeps of a job that has ended. A job that runs is kept.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(misbehave::Options::default()),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// let job = board.start(spec)?;
    /// board.join_blocking(job, None);
    /// board.poll(10_000); // hands out that it ended
    /// board.forget(job);
    /// assert!(!board.is_busy());
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn forget(&mut self, job: JobId) {
        if self.jobs.get(&job).is_some_and(|entry| entry.ended) {
            self.jobs.remove(&job);
        }
    }

    /// Hands out what has happened since the last poll, in order, about `budget` events at most.
    /// Never waits.
    ///
    /// When there was more than that, [`wants_poll_in`](Self::wants_poll_in) is zero afterwards.
    pub fn poll(&mut self, budget: usize) -> Vec<Event> {
        self.feed.begin_poll();
        // Asked before the queue is emptied: the facts of a job that has ended are all in it.
        let finished = self.finished_jobs();
        let mut events: Vec<Event> = self.own.drain(..).collect();
        self.has_more = !self.drain_queue(budget, &mut events);
        // To ask every task takes longer than a portion of news: where these pile up, it is asked
        // as often as a person looks.
        if !self.has_more || self.now() >= self.progress_due_at {
            self.poll_progress(&mut events);
        }
        if !self.has_more {
            for job in finished {
                self.end_job(job);
            }
        }
        self.end_late_waits();
        events.extend(self.own.drain(..));
        events
    }

    /// When the next poll is due, if nothing wakes before: at once where the last poll left
    /// something, soon while work goes on, at the next deadline of a wait; `None` while the board
    /// is idle.
    pub fn wants_poll_in(&self) -> Option<Duration> {
        if self.has_more || !self.own.is_empty() {
            return Some(Duration::ZERO);
        }
        let progress = self.is_busy().then_some(PROGRESS_INTERVAL);
        let deadline = self.next_deadline();
        let deadline = deadline.map(|deadline| deadline.saturating_sub(self.now()));
        progress.into_iter().chain(deadline).min()
    }

    /// The earliest deadline of a wait, on the clock of [`now`](Self::now).
    pub fn next_deadline(&self) -> Option<Duration> {
        self.waits.iter().filter_map(|wait| wait.deadline).min()
    }

    /// Whether a job has not ended.
    pub fn is_busy(&self) -> bool {
        self.jobs.values().any(|entry| !entry.ended)
    }

    /// How many items ran when the board was last polled.
    pub fn running(&self) -> usize {
        self.jobs.values().map(|entry| entry.running).sum()
    }

    /// How many processes run for the jobs: commands, and isolated workers that have an item.
    pub fn processes(&self) -> usize {
        let active = self.jobs.values().filter(|entry| !entry.ended);
        active.map(|entry| entry.control.processes()).sum()
    }

    /// Cancels every job and waits for them, at most for `timeout` in all. Returns how many still
    /// run; those are left behind, and dropping the board waits no more.
    ///
    /// ```
    /// use meanwhile::board::JobBoard;
    /// use std::time::Duration;
    /// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
    /// # let sleeps = misbehave::Options {
    /// #     end: misbehave::End::Sleep,
    /// #     after: 100_000.0,
    /// #     ..misbehave::Options::default()
    /// # };
    /// # let spec = JobSpec {
    /// #     options: Options::Misbehave(sleeps),
    /// #     inputs: Vec::new(),
    /// #     run_on: RunOn::Pool,
    /// #     workers: 2,
    /// #     priority: Default::default(),
    /// # };
    ///
    /// let mut board = JobBoard::new(|| ());
    /// board.start(spec)?;
    /// assert_eq!(board.shutdown(Duration::from_secs(60)), 0);
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn shutdown(&mut self, timeout: Duration) -> usize {
        self.drop_grace = Duration::ZERO;
        let start = Instant::now();
        let jobs: Vec<JobId> = self.active_jobs().collect();
        for &job in &jobs {
            self.cancel(job);
        }
        let entries = jobs.iter().filter_map(|job| self.jobs.get(job));
        entries
            .filter(|entry| {
                let left = timeout.saturating_sub(start.elapsed());
                matches!(entry.task.join_timeout(left), Err(JoinError::TimedOut))
            })
            .count()
    }

    /// Stops the isolated workers that go on, and waits until they are gone.
    fn end_workers(&self) {
        let start = Instant::now();
        let left_behind = self.jobs.values().filter(|job| !job.task.is_finished());
        let isolated: Vec<&Entry> = left_behind
            .filter(|job| job.control.is_isolated())
            .collect();
        for job in &isolated {
            job.control.hurry();
        }
        for job in isolated {
            let left = DROP_GRACE.saturating_sub(start.elapsed());
            // What has not ended by then ends with the program.
            drop(job.task.join_timeout(left));
        }
    }

    fn active_jobs(&self) -> impl Iterator<Item = JobId> {
        let active = self.jobs.iter().filter(|(_, entry)| !entry.ended);
        active.map(|(&job, _)| job)
    }

    fn finished_jobs(&self) -> Vec<JobId> {
        self.active_jobs()
            .filter(|job| self.jobs[job].task.is_finished())
            .collect()
    }

    /// Returns whether the queue is empty now.
    fn drain_queue(&self, budget: usize, events: &mut Vec<Event>) -> bool {
        for _ in 0..budget {
            match self.queue.try_recv() {
                Ok(event) => events.push(event),
                Err(_) => return true,
            }
        }
        self.queue.is_empty()
    }

    fn poll_progress(&mut self, events: &mut Vec<Event>) {
        let at = self.now();
        self.progress_due_at = at + PROGRESS_INTERVAL;
        for (&job, entry) in self.jobs.iter_mut().filter(|(_, entry)| !entry.ended) {
            let counted = entry.control.progress(&mut |item, done, total| {
                let kind = EventKind::ItemDidProgress { item, done, total };
                events.push(Event { job, at, kind });
            });
            entry.running = counted.unwrap_or(entry.running);
            #[cfg(unix)]
            entry.control.live.pauses(&mut |item, paused| {
                let kind = EventKind::ItemDidPauseProcess { item, paused };
                events.push(Event { job, at, kind });
            });
        }
    }

    fn end_job(&mut self, job: JobId) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        entry.ended = true;
        entry.running = 0;
        let state = entry.final_state();
        let finished_at = entry.task.info().finished_at;
        let at = finished_at.map_or_else(|| self.now(), |at| self.feed.time_of(at));
        let kind = EventKind::JobDidFinish { state };
        self.own.push_back(Event { job, at, kind });
        for wait in self.take_waits(|wait| wait.job == job) {
            self.end_join(job, wait.join, JoinEnd::Joined);
        }
    }

    /// Ends the waits whose deadline has passed, except those for a job that has ended meanwhile
    /// and is about to be told.
    fn end_late_waits(&mut self) {
        let now = self.now();
        let jobs = &self.jobs;
        let is_late = |wait: &Wait| {
            let runs = jobs
                .get(&wait.job)
                .is_some_and(|job| !job.task.is_finished());
            runs && wait.deadline.is_some_and(|deadline| deadline <= now)
        };
        let late: Vec<Wait> = self.waits.extract_if(.., |wait| is_late(wait)).collect();
        for wait in late {
            self.end_join(wait.job, wait.join, JoinEnd::TimedOut);
        }
    }

    fn take_waits(&mut self, mut which: impl FnMut(&Wait) -> bool) -> Vec<Wait> {
        self.waits.extract_if(.., |wait| which(wait)).collect()
    }

    fn begin_join(&mut self, job: JobId, timeout: Option<Duration>, blocking: bool) -> JoinId {
        let count = self.jobs.get_mut(&job).map(|entry| &mut entry.joins);
        let join = count.map_or(JoinId(0), |count| {
            *count += 1;
            JoinId(*count - 1)
        });
        let kind = EventKind::JoinDidStart {
            join,
            timeout,
            blocking,
        };
        self.note(job, kind);
        join
    }

    fn end_join(&mut self, job: JobId, join: JoinId, end: JoinEnd) {
        self.note(job, EventKind::JoinDidEnd { join, end });
    }

    fn tell_backtrace(&mut self, job: JobId, panic: PanicKey, text: &str) {
        let text = Arc::from(text);
        self.note(job, EventKind::BacktraceDidResolve { panic, text });
        self.feed.wake();
    }

    /// Queues a fact of the board's own making for the poll that goes on or the next one.
    fn note(&mut self, job: JobId, kind: EventKind) {
        let at = self.now();
        self.own.push_back(Event { job, at, kind });
    }
}

impl Drop for JobBoard {
    /// Cancels everything and waits for it, one second at most. Isolated workers that run on even so
    /// are stopped.
    fn drop(&mut self) {
        self.shutdown(self.drop_grace);
        self.end_workers();
    }
}

impl Entry {
    fn new(task: Task<Ended>, control: Arc<Control>) -> Self {
        Self {
            task,
            control,
            cancel_was_asked: false,
            timed_out: false,
            ended: false,
            running: 0,
            joins: 0,
            backtraces_asked: BTreeSet::new(),
        }
    }

    fn final_state(&self) -> JobState {
        let panicked = |report| JobState::Panicked(self.control.keep_panic(PanicKey::Job, report));
        match self.task.poll() {
            Some(Ok(Ended::Returned)) => JobState::Returned,
            Some(Ok(Ended::Failed)) => JobState::Failed,
            Some(Ok(Ended::PlanPanicked(report))) => panicked(report),
            Some(Err(JoinError::Panicked(report))) => panicked(&report),
            _ if self.timed_out => JobState::TimedOut,
            _ => JobState::Cancelled,
        }
    }
}
