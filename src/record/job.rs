use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::event::{EventKind, PanicKey};
use super::item::{Backtrace, ItemId, ItemRecord, ItemState, Panic, ProcessRecord, ProcessState};
use super::items::Items;
use super::join::{JoinEnd, JoinId, JoinRecord};
use super::rate::{self, RateWindow};
use crate::jobs::{Item, JobSpec};

/// Numbers the jobs of one run of the program, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where a job stands.
///
/// ```
/// use meanwhile::record::JobState;
///
/// assert!(JobState::TimedOut.is_ended());
/// assert_eq!(JobState::TimedOut.word(), "timed_out");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Planning or working.
    Running,
    /// Every item returned.
    Returned,
    /// It went through, and at least one item failed, panicked or crashed.
    Failed,
    /// The job's own planning panicked.
    Panicked(Arc<Panic>),
    /// It was cancelled; what was done is kept.
    Cancelled,
    /// The wait for it ran out and it was cancelled because of that.
    TimedOut,
}

impl JobState {
    /// The word for it, the same on screen, in files and on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether nothing more will happen to the job.
    pub fn is_ended(&self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// How many items stand where.
///
/// ```
/// use meanwhile::record::Counts;
///
/// let counts = Counts { running: 2, returned: 5, failed: 1, ..Counts::default() };
/// assert_eq!(format!("{} of {}", counts.ended(), counts.total()), "6 of 8");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found, not yet taken.
    pub waiting: usize,
    /// Being worked on.
    pub running: usize,
    /// Came back with an output.
    pub returned: usize,
    /// Ended with an error.
    pub failed: usize,
    /// Panicked.
    pub panicked: usize,
    /// Took their worker along.
    pub crashed: usize,
    /// Cancelled.
    pub cancelled: usize,
}

impl Counts {
    /// All items found so far.
    pub fn total(&self) -> usize {
        self.waiting + self.running + self.ended()
    }

    /// The items to which nothing more will happen.
    pub fn ended(&self) -> usize {
        self.returned + self.failed + self.panicked + self.crashed + self.cancelled
    }

    fn of(&mut self, state: &ItemState) -> &mut usize {
        match state {
            ItemState::Waiting => &mut self.waiting,
            ItemState::Running => &mut self.running,
            ItemState::Returned(_) => &mut self.returned,
            ItemState::Failed(_) => &mut self.failed,
            ItemState::Panicked(_) => &mut self.panicked,
            ItemState::Crashed(_) => &mut self.crashed,
            ItemState::Cancelled => &mut self.cancelled,
        }
    }
}

/// How fast a job goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Bytes per second over the last few seconds.
    pub bytes_per_sec: f64,
    /// What is left at that rate; `None` while that can't be said.
    pub time_left: Option<Duration>,
}

/// One job and how it went. A clone is a snapshot, and cheap: it shares the items.
///
/// ```
/// use meanwhile::record::{JobRecord, JobState};
/// # use meanwhile::{board::JobBoard, record::Record};
/// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
/// # let spec = JobSpec {
/// #     options: Options::Misbehave(misbehave::Options::default()),
/// #     inputs: Vec::new(),
/// #     run_on: RunOn::Pool,
/// #     workers: 2,
/// #     priority: Default::default(),
/// # };
/// # let mut board = JobBoard::new(|| ());
/// # let mut record = Record::default();
/// # let id = board.start(spec)?;
/// # board.join_blocking(id, None);
/// # for event in board.poll(10_000) {
/// #     record.apply(event);
/// # }
///
/// // The board's events have been applied until the job, three items, had ended.
/// let job: &JobRecord = record.job(id).ok_or("it was started")?;
/// assert_eq!(*job.state(), JobState::Returned);
/// assert_eq!((job.counts().ended(), job.items().len()), (3, 3));
/// assert!(job.ended_at().is_some_and(|ended_at| ended_at >= job.started_at()));
/// assert_eq!(job.panics().count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct JobRecord {
    id: JobId,
    spec: Arc<JobSpec>,
    state: JobState,
    items: Items,
    counts: Counts,
    planned: bool,
    done_bytes: u64,
    total_bytes: u64,
    started_at: Duration,
    ended_at: Option<Duration>,
    last_progress_at: Duration,
    cancel_asked_at: Option<Duration>,
    joins: Vec<JoinRecord>,
    backtrace: Backtrace,
    panicked: Vec<ItemId>,
    first_process: Option<ItemId>,
    rate: RateWindow,
    revision: u64,
}

impl JobRecord {
    /// Which job.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// What was started, to start it again.
    pub fn spec(&self) -> &Arc<JobSpec> {
        &self.spec
    }

    /// Where it stands.
    pub fn state(&self) -> &JobState {
        &self.state
    }

    /// The items found so far, in the order of their numbers.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// One item, if it has been found.
    pub fn item(&self, id: ItemId) -> Option<&Arc<ItemRecord>> {
        self.items.get(id.0)
    }

    /// How many items stand where.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether every item has been found.
    pub fn is_planned(&self) -> bool {
        self.planned
    }

    /// Bytes done, of ended and running items.
    pub fn done_bytes(&self) -> u64 {
        self.done_bytes
    }

    /// Bytes in all as far as known. What an ended item left undone no longer counts, so that a
    /// job which ended is done to the last byte.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// How fast the job goes: over the last 5 s while it runs, over its whole time afterwards.
    pub fn rate(&self, now: Duration) -> Rate {
        if self.state.is_ended() {
            return Rate {
                bytes_per_sec: rate::per_sec(self.done_bytes, self.elapsed(now)),
                time_left: None,
            };
        }
        let bytes_per_sec = self.rate.bytes_per_sec(now, self.done_bytes);
        let left = self.total_bytes.saturating_sub(self.done_bytes);
        let known = self.planned && self.total_bytes > 0;
        Rate {
            bytes_per_sec,
            time_left: known
                .then(|| rate::time_left(left, bytes_per_sec))
                .flatten(),
        }
    }

    /// When it was started.
    pub fn started_at(&self) -> Duration {
        self.started_at
    }

    /// When it ended; `None` while it runs.
    pub fn ended_at(&self) -> Option<Duration> {
        self.ended_at
    }

    /// How long it has run, or ran, at the time `now`.
    pub fn elapsed(&self, now: Duration) -> Duration {
        let end = self.ended_at.unwrap_or(now);
        end.saturating_sub(self.started_at)
    }

    /// When anything last went on: an item was found, started, came further or ended.
    pub fn last_progress_at(&self) -> Duration {
        self.last_progress_at
    }

    /// When someone first asked for a cancel.
    pub fn cancel_asked_at(&self) -> Option<Duration> {
        self.cancel_asked_at
    }

    /// Every wait for the job, oldest first.
    pub fn joins(&self) -> &[JoinRecord] {
        &self.joins
    }

    /// The waits that have not ended, oldest first.
    pub fn active_joins(&self) -> impl DoubleEndedIterator<Item = &JoinRecord> {
        self.joins.iter().filter(|join| join.ended.is_none())
    }

    /// The captured panics with what is known of their backtraces: the job's own first, then the
    /// items' in the order in which they happened.
    pub fn panics(&self) -> impl Iterator<Item = (PanicKey, &Panic, &Backtrace)> {
        let own = self.panic(PanicKey::Job).into_iter();
        let items = self.panicked.iter().copied().map(PanicKey::Item);
        own.map(|(panic, backtrace)| (PanicKey::Job, panic, backtrace))
            .chain(items.filter_map(|key| {
                let (panic, backtrace) = self.panic(key)?;
                Some((key, panic, backtrace))
            }))
    }

    /// One captured panic with what is known of its backtrace.
    pub fn panic(&self, key: PanicKey) -> Option<(&Panic, &Backtrace)> {
        match key {
            PanicKey::Job => match &self.state {
                JobState::Panicked(panic) => Some((panic, &self.backtrace)),
                _ => None,
            },
            PanicKey::Item(id) => {
                let item = self.item(id)?;
                match &item.state {
                    ItemState::Panicked(panic) => Some((panic, &item.backtrace)),
                    _ => None,
                }
            }
        }
    }

    /// The first item that has or had a process of its own.
    pub fn first_process(&self) -> Option<ItemId> {
        self.first_process
    }

    /// A number that changes whenever anything in this record does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn new(id: JobId, spec: Arc<JobSpec>, at: Duration) -> Self {
        let mut rate = RateWindow::default();
        rate.note(at, 0);
        Self {
            id,
            spec,
            state: JobState::Running,
            items: Items::default(),
            counts: Counts::default(),
            planned: false,
            done_bytes: 0,
            total_bytes: 0,
            started_at: at,
            ended_at: None,
            last_progress_at: at,
            cancel_asked_at: None,
            joins: Vec::new(),
            backtrace: Backtrace::default(),
            panicked: Vec::new(),
            first_process: None,
            rate,
            revision: 0,
        }
    }

    /// Adds what one event says, in constant time.
    pub(super) fn apply(&mut self, at: Duration, kind: EventKind) {
        self.revision += 1;
        match kind {
            EventKind::JobDidStart { .. } => {}
            EventKind::ItemDidAppear { item } => self.add_item(at, item),
            EventKind::PlanDidFinish => self.planned = true,
            EventKind::ItemDidStart { item } => self.start_item(at, item),
            EventKind::ItemDidProgress { item, done, total } => {
                self.advance_item(at, item, done, total);
            }
            EventKind::ItemDidRunProcess { item, pid } => self.begin_process(item, pid),
            EventKind::ItemDidPauseProcess { item, paused } => self.pause_process(item, paused),
            EventKind::ItemDidAskProcess { item } => {
                self.change_process(item, |process| process.was_asked = true);
            }
            EventKind::ItemDidStopTree { item, stopped } => {
                self.change_process(item, |process| process.stopped = Some(stopped));
            }
            EventKind::ItemDidEndProcess { item, ran } => {
                self.change_process(item, |process| process.state = ProcessState::Ended(ran));
            }
            EventKind::ItemDidIgnoreCancel { item, within } => {
                self.change_item(at, item, |item| item.ignored_cancel = Some(within));
            }
            EventKind::ItemDidFinish { item, state } => self.end_item(at, item, state),
            EventKind::CancelDidAsk => {
                self.cancel_asked_at.get_or_insert(at);
            }
            EventKind::JobDidFinish { state } => {
                self.state = state;
                self.ended_at = Some(at);
            }
            EventKind::JoinDidStart {
                join,
                timeout,
                blocking,
            } => self.joins.push(JoinRecord {
                id: join,
                timeout,
                blocking,
                started_at: at,
                ended: None,
            }),
            EventKind::JoinDidEnd { join, end } => self.end_join(at, join, end),
            EventKind::BacktraceDidResolve { panic, text } => self.keep_backtrace(panic, text),
        }
    }

    fn add_item(&mut self, at: Duration, item: Item) {
        let record = ItemRecord::new(ItemId(self.items.len()), item);
        self.total_bytes += record.total;
        self.counts.waiting += 1;
        self.items.push(record);
        self.last_progress_at = at;
    }

    fn start_item(&mut self, at: Duration, id: ItemId) {
        self.change_item(at, id, |item| {
            item.state = ItemState::Running;
            item.started_at = Some(at);
        });
    }

    fn advance_item(&mut self, at: Duration, id: ItemId, done: u64, total: u64) {
        self.change_item(at, id, |item| {
            item.done = done;
            if total > 0 {
                item.total = total;
            }
        });
    }

    fn end_item(&mut self, at: Duration, id: ItemId, state: ItemState) {
        let did_panic = matches!(state, ItemState::Panicked(_));
        let changed = self.change_item(at, id, |item| {
            if matches!(state, ItemState::Returned(_)) {
                item.done = item.done.max(item.total);
            }
            item.state = state;
            item.ended_at = Some(at);
        });
        if changed && did_panic {
            self.panicked.push(id);
        }
    }

    fn begin_process(&mut self, id: ItemId, pid: u32) {
        if let Some(item) = self.items.get_mut(id) {
            let first = self.first_process.map_or(id, |first| first.min(id));
            self.first_process = Some(first);
            item.process = Some(Box::new(ProcessRecord {
                pid,
                state: ProcessState::Running,
                was_asked: false,
                stopped: None,
            }));
        }
    }

    fn pause_process(&mut self, id: ItemId, paused: bool) {
        self.change_process(id, |process| {
            process.state = match (&process.state, paused) {
                (ProcessState::Ended(ran), _) => ProcessState::Ended(Arc::clone(ran)),
                (_, true) => ProcessState::Paused,
                (_, false) => ProcessState::Running,
            };
        });
    }

    fn change_process(&mut self, id: ItemId, change: impl FnOnce(&mut ProcessRecord)) {
        let item = self.items.get_mut(id);
        if let Some(process) = item.and_then(|item| item.process.as_mut()) {
            change(process);
        }
    }

    /// Changes an item that has not ended, if there is one with that number, and keeps the sums
    /// over all items right. Returns whether it did.
    fn change_item(
        &mut self,
        at: Duration,
        id: ItemId,
        change: impl FnOnce(&mut ItemRecord),
    ) -> bool {
        if self.item(id).is_none_or(|item| item.state.is_ended()) {
            return false;
        }
        let Some(item) = self.items.get_mut(id) else {
            return false;
        };
        *self.counts.of(&item.state) -= 1;
        self.done_bytes -= item.done;
        self.total_bytes -= item.expected();
        change(item);
        *self.counts.of(&item.state) += 1;
        self.done_bytes += item.done;
        self.total_bytes += item.expected();
        self.last_progress_at = at;
        self.rate.note(at, self.done_bytes);
        true
    }

    fn end_join(&mut self, at: Duration, id: JoinId, end: JoinEnd) {
        let join = self.joins.iter_mut().rev().find(|join| join.id == id);
        if let Some(join) = join {
            join.ended.get_or_insert((at, end));
        }
    }

    fn keep_backtrace(&mut self, key: PanicKey, text: Arc<str>) {
        match key {
            PanicKey::Job => self.backtrace = Backtrace::Resolved(text),
            PanicKey::Item(id) => {
                if let Some(item) = self.items.get_mut(id) {
                    item.backtrace = Backtrace::Resolved(text);
                }
            }
        }
    }
}
