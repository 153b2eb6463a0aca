//! The [`JobBoard`] owns all running work, and reports it as [`JobEvent`]s.
//!
//! A window never waits for the board. It makes requests (start, cancel, join) and polls once a
//! frame; to wait for a job is a state of the board with a deadline, not a call. Worker threads
//! publish events into the queue of their job and then wake the window, at most once until its next
//! poll. The jobs take turns, so that none keeps the end of another from being reported. Byte
//! progress is not published: a poll reads it from the running tasks.

mod backpressure;
#[cfg(target_os = "linux")]
mod causes;
mod event_sender;
mod executor;
#[cfg_attr(not(unix), path = "isolated/windows.rs")]
mod isolated;
mod item;
mod item_names;
mod jobs;
mod joining;
mod joins;
mod long_wait;
mod output_sink;
#[cfg(unix)]
mod process_table;
#[cfg(unix)]
mod processes;
mod run;
mod thread_number;
pub mod waits;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Duration;

use self::event_sender::{BoardSignal, EventSender};
use self::isolated::Isolation;
pub use self::isolated::run_as_worker;
pub use self::item_names::ItemNames;
use self::jobs::JobEntry;
use self::joins::Joins;
pub use self::output_sink::OutputSink;
use self::run::KeptBacktrace;
use crate::format;
use crate::jobs::JobSpec;
use crate::join::{self, PanicReport, Priority, SpawnError, WaitUntil};
use crate::record::{EventKind, JobEvent, JobId, JoinOutcome, PanicKey};

/// The interval at which progress is read while work goes on. Each read is a frame, and with software
/// rendering frames take cores from the workers, which run at low priority.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// The number of events of a job that a poll takes before it is the next job's turn.
const EVENTS_PER_TURN: usize = 32;

/// The time that dropping a board waits for the work that it cancels.
const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// Every job that this program runs, and the joins that wait for them.
///
/// The module's documentation has an example.
pub struct JobBoard {
    signal: BoardSignal,
    isolation: Isolation,
    output: Option<Arc<dyn OutputSink>>,
    /// Events from calls of the board itself, which the next poll returns first.
    own_events: VecDeque<JobEvent>,
    jobs: BTreeMap<JobId, JobEntry>,
    joins: Joins,
    last_job: u64,
    /// The job whose queue was drained last; the next turn is that of the job after it.
    last_turn: JobId,
    /// Whether the last poll left events in a queue.
    has_more: bool,
    /// When progress is read next, even if the queue is not empty.
    progress_due_at: Duration,
    drop_timeout: Duration,
}

impl JobBoard {
    /// An empty board. `wake` is called when a poll is worthwhile, from worker threads and from the
    /// methods below: at most once until that poll begins, and never while nothing happens. The
    /// poll finds the event for which it was called.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            signal: BoardSignal::new(wake),
            isolation: Isolation::of_this_program(),
            output: None,
            own_events: VecDeque::new(),
            jobs: BTreeMap::new(),
            joins: Joins::default(),
            last_job: 0,
            last_turn: JobId::new(0),
            has_more: false,
            progress_due_at: Duration::ZERO,
            drop_timeout: DROP_TIMEOUT,
        }
    }

    /// Starts commands and isolated workers through this launcher. The workers run its program, whose
    /// `main` must call [`run_as_worker`]. Default: the launcher that this program has installed.
    #[cfg(unix)]
    #[must_use]
    pub fn with_launcher(mut self, launcher: crate::join::process::Launcher) -> Self {
        self.isolation = Isolation::through(launcher);
        self
    }

    /// Hands the output of the items' processes to `sink` while they run. Then their results keep but
    /// little of it.
    #[must_use]
    pub fn with_output(mut self, sink: Arc<dyn OutputSink>) -> Self {
        self.output = Some(sink);
        self
    }

    /// The time since the board was made: the clock of all events. Monotonic.
    pub fn now(&self) -> Duration {
        self.signal.now()
    }

    /// Starts a job and returns its number.
    ///
    /// # Errors
    /// The system refused a thread. Nothing was started, and a later start may succeed.
    pub fn start(&mut self, spec: JobSpec) -> Result<JobId, SpawnError> {
        self.start_job(spec, None)
    }

    /// The same with only those of its items that have these names. A note says which of them were not found.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_part(&mut self, spec: JobSpec, only: Arc<ItemNames>) -> Result<JobId, SpawnError> {
        self.start_job(spec, Some(only))
    }

    fn start_job(
        &mut self,
        spec: JobSpec,
        only: Option<Arc<ItemNames>>,
    ) -> Result<JobId, SpawnError> {
        let spec = Arc::new(spec);
        let job = JobId::new(self.last_job + 1);
        let at = self.now();
        let (events, queue) = EventSender::new(job, &self.signal);
        let (task, control) = run::start(
            job,
            &spec,
            only,
            &events,
            &self.isolation,
            self.output.clone(),
        )?;
        self.last_job = job.get();
        self.own_events.push_back(JobEvent {
            job,
            at,
            kind: EventKind::JobDidStart { spec },
        });
        let signal = self.signal.clone();
        task.on_finish(move || signal.wake());
        let entry = JobEntry::new(task, control, events, queue);
        self.jobs.insert(job, entry);
        self.signal.wake();
        Ok(job)
    }

    /// Cancels a job: finished items keep their results, running ones are asked to stop, the others
    /// never start. Without effect on a job that has ended or was cancelled before.
    pub fn cancel(&mut self, job: JobId) {
        let entry = self.jobs.get_mut(&job);
        if entry.is_some_and(JobEntry::cancel) {
            self.note(job, EventKind::CancelWasRequested);
            self.signal.wake();
        }
    }

    /// Cancels a job because its time is up: it ends as `TimedOut` instead of `Cancelled`. It may
    /// still return.
    pub fn time_out(&mut self, job: JobId) {
        if let Some(entry) = self.jobs.get_mut(&job) {
            entry.time_out();
        }
        self.cancel(job);
    }

    /// Resolves the backtrace of a panic in the background, which may take a second. It arrives as
    /// [`EventKind::BacktraceDidResolve`]. A second call for the same panic has no effect.
    ///
    /// A job keeps the backtraces of its first 256 panics; for a later one the text says so.
    pub fn resolve_backtrace(&mut self, job: JobId, panic: PanicKey) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        if !entry.request_backtrace(panic) {
            return;
        }
        match entry.control.backtrace(panic) {
            Some(KeptBacktrace::Captured(report)) => {
                let events = entry.events.clone();
                self.spawn_resolve(job, panic, report, events);
            }
            Some(KeptBacktrace::Resolved(text)) => self.note_backtrace(job, panic, &text),
            None => self.note_backtrace(job, panic, &run::missing_backtrace()),
        }
    }

    fn spawn_resolve(
        &mut self,
        job: JobId,
        panic: PanicKey,
        report: Arc<PanicReport>,
        events: EventSender,
    ) {
        let spawned = join::Builder::new(format!("backtrace of {}", report.task_name()))
            .daemon(true)
            .priority(Priority::Background)
            .spawn(move |_| {
                let text = Arc::from(format::backtrace(report.backtrace()));
                events.publish(EventKind::BacktraceDidResolve { panic, text });
                events.wake();
            });
        if let Err(error) = spawned {
            self.note_backtrace(job, panic, &error.to_string());
        }
    }

    /// Removes a job that has ended. A job that runs is kept.
    pub fn remove(&mut self, job: JobId) {
        if self.jobs.get(&job).is_some_and(|entry| entry.has_ended) {
            self.jobs.remove(&job);
        }
    }

    /// Returns the events since the last poll, about `budget` at most. Never waits.
    ///
    /// The events of each job are in order, and its end comes after its other events. A job with many
    /// events does not delay those of the others: they take turns. When events are left,
    /// [`wants_poll_in`](Self::wants_poll_in) then returns zero.
    pub fn poll(&mut self, budget: usize) -> Vec<JobEvent> {
        self.signal.begin_poll();
        // Read this before draining: the queue of a finished job then holds every event of it.
        let finished = self.finished_jobs();
        let mut events: Vec<JobEvent> = self.own_events.drain(..).collect();
        self.drain_queues(budget, &mut events);
        // Polling every task takes longer than a batch of events, so a full queue postpones it, by
        // at most one interval.
        if !self.has_more || self.now() >= self.progress_due_at {
            self.poll_progress(&mut events);
        }
        for job in finished {
            if self.jobs[&job].queue.is_empty() {
                self.end_job(job);
            }
        }
        self.end_expired_joins();
        events.extend(self.own_events.drain(..));
        events
    }

    /// When the next poll is due if no wake comes before: at once when the last poll left events,
    /// soon while work goes on, at the next deadline of a join; `None` while the board is idle.
    pub fn wants_poll_in(&self) -> Option<Duration> {
        if self.has_more || !self.own_events.is_empty() {
            return Some(Duration::ZERO);
        }
        let progress = self.is_busy().then_some(PROGRESS_INTERVAL);
        let deadline = self.next_deadline();
        let deadline = deadline.map(|deadline| deadline.saturating_sub(self.now()));
        progress.into_iter().chain(deadline).min()
    }

    /// Whether any job has not ended.
    pub fn is_busy(&self) -> bool {
        self.active_jobs().next().is_some()
    }

    /// The number of items that ran at the last poll.
    pub fn running(&self) -> usize {
        self.jobs.values().map(|entry| entry.running).sum()
    }

    /// The number of processes that run for the jobs: commands, and isolated workers that have an
    /// item.
    pub fn processes(&self) -> usize {
        let active = self.jobs.values().filter(|entry| !entry.has_ended);
        active.map(|entry| entry.control.process_count()).sum()
    }

    /// Cancels every job and waits until they end, or until `timeout` has passed. Returns how many
    /// still run; dropping the board then does not wait for them again.
    pub fn shutdown(&mut self, timeout: Duration) -> usize {
        self.drop_timeout = Duration::ZERO;
        let jobs: Vec<JobId> = self.active_jobs().collect();
        for &job in &jobs {
            self.cancel(job);
        }
        let tasks: Vec<_> = jobs.iter().map(|job| self.jobs[job].task.clone()).collect();
        let waited = join::wait_timeout(&tasks, WaitUntil::All, timeout);
        waited.pending.len()
    }

    /// Stops the isolated workers that ignored the cancel, and waits for them.
    fn stop_workers(&self) {
        let unfinished = self.jobs.values().filter(|job| !job.task.is_finished());
        let isolated = unfinished.filter(|job| job.control.is_isolated());
        let force_stop = |job: &JobEntry| {
            job.control.force_stop();
            job.task.clone()
        };
        let tasks: Vec<_> = isolated.map(force_stop).collect();
        // A worker that is still there ends with the program.
        drop(join::wait_timeout(&tasks, WaitUntil::All, DROP_TIMEOUT));
    }

    fn active_jobs(&self) -> impl Iterator<Item = JobId> {
        let active = self.jobs.iter().filter(|(_, entry)| !entry.has_ended);
        active.map(|(&job, _)| job)
    }

    fn finished_jobs(&self) -> Vec<JobId> {
        self.active_jobs()
            .filter(|job| self.jobs[job].task.is_finished())
            .collect()
    }

    /// Takes events from the queues of the jobs in turn, up to `budget`.
    fn drain_queues(&mut self, budget: usize, events: &mut Vec<JobEvent>) {
        let later = self.jobs.range((Excluded(self.last_turn), Unbounded));
        let jobs = later.chain(self.jobs.range(..=self.last_turn));
        let queues = jobs.map(|(&job, entry)| (job, &entry.queue));
        let mut waiting: VecDeque<_> = queues.filter(|(_, queue)| !queue.is_empty()).collect();
        let mut left = budget;
        while left > 0
            && let Some((job, queue)) = waiting.pop_front()
        {
            let before = events.len();
            events.extend(queue.try_iter().take(left.min(EVENTS_PER_TURN)));
            left -= events.len() - before;
            self.last_turn = job;
            if !queue.is_empty() {
                waiting.push_back((job, queue));
            }
        }
        self.has_more = !waiting.is_empty();
    }

    fn poll_progress(&mut self, events: &mut Vec<JobEvent>) {
        let at = self.now();
        self.progress_due_at = at + PROGRESS_INTERVAL;
        for (&job, entry) in self.jobs.iter_mut().filter(|(_, entry)| !entry.has_ended) {
            let running = entry.control.poll_progress(&mut |item, done, total| {
                let kind = EventKind::ItemDidProgress { item, done, total };
                events.push(JobEvent { job, at, kind });
            });
            entry.running = running.unwrap_or(entry.running);
            #[cfg(unix)]
            entry.control.processes.poll_pauses(&mut |item, paused| {
                let kind = EventKind::ItemDidPauseProcess { item, paused };
                events.push(JobEvent { job, at, kind });
            });
        }
    }

    fn end_job(&mut self, job: JobId) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        entry.has_ended = true;
        entry.running = 0;
        let state = entry.final_state();
        let finished_at = entry.task.info().finished_at;
        let at = finished_at.map_or_else(|| self.now(), |at| self.signal.time_of(at));
        let kind = EventKind::JobDidFinish { state };
        self.own_events.push_back(JobEvent { job, at, kind });
        for join in self.joins.take_of(job) {
            self.end_join(job, join.id, JoinOutcome::Joined);
        }
    }

    fn note_backtrace(&mut self, job: JobId, panic: PanicKey, text: &str) {
        let text = Arc::from(text);
        self.note(job, EventKind::BacktraceDidResolve { panic, text });
        self.signal.wake();
    }

    /// Adds an event of the board's own for the current poll or the next one.
    fn note(&mut self, job: JobId, kind: EventKind) {
        let at = self.now();
        self.own_events.push_back(JobEvent { job, at, kind });
    }
}

impl Drop for JobBoard {
    /// Cancels everything, waits up to a second, and then stops the isolated workers that still run.
    fn drop(&mut self) {
        self.shutdown(self.drop_timeout);
        self.stop_workers();
    }
}
