use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::event::{EventKind, PanicKey};
use super::item::{Backtrace, ItemId, ItemRecord, ItemState, Panic};
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
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Planning or working.
    Running,
    /// Every item returned.
    Returned,
    /// It went through, and at least one item failed or panicked.
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
        self.returned + self.failed + self.panicked + self.cancelled
    }

    fn of(&mut self, state: &ItemState) -> &mut usize {
        match state {
            ItemState::Waiting => &mut self.waiting,
            ItemState::Running => &mut self.running,
            ItemState::Returned(_) => &mut self.returned,
            ItemState::Failed(_) => &mut self.failed,
            ItemState::Panicked(_) => &mut self.panicked,
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

/// One job and how it went. A clone shares the items, so it is a snapshot that costs a pointer each.
#[derive(Clone, Debug)]
pub struct JobRecord {
    id: JobId,
    spec: Arc<JobSpec>,
    state: JobState,
    items: Vec<Arc<ItemRecord>>,
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

    /// The items found so far, in the order of their numbers. Each is shared, so that a snapshot
    /// of them all costs a pointer an item.
    pub fn items(&self) -> &[Arc<ItemRecord>] {
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
            items: Vec::new(),
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
        self.items.push(Arc::new(record));
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

    /// Changes an item that has not ended, if there is one with that number, and keeps the sums
    /// over all items right. Returns whether it did.
    fn change_item(
        &mut self,
        at: Duration,
        id: ItemId,
        change: impl FnOnce(&mut ItemRecord),
    ) -> bool {
        let item = self.items.get_mut(id.0);
        let Some(item) = item.filter(|item| !item.state.is_ended()) else {
            return false;
        };
        let item = Arc::make_mut(item);
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
                if let Some(item) = self.items.get_mut(id.0) {
                    Arc::make_mut(item).backtrace = Backtrace::Resolved(text);
                }
            }
        }
    }
}
