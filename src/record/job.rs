use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::counts::Counts;
use super::event::{EventKind, PanicKey};
use super::item::{
    Backtrace, FoundItem, ItemId, ItemProcessState, ItemRecord, ItemState, Panic, ProcessRecord,
};
use super::items::Items;
use super::job_state::{JobId, JobState};
use super::join::{JoinId, JoinOutcome, JoinRecord, WaitCause};
use super::rate::{self, Rate, RateWindow};
use crate::format;
use crate::jobs::JobSpec;

/// The kinds of errors that are counted. A program has fewer.
const MAX_ERROR_KINDS: usize = 100;

/// A job, with its history. A clone is a cheap snapshot, which shares the items.
#[derive(Clone, Debug)]
pub struct JobRecord {
    id: JobId,
    spec: Arc<JobSpec>,
    state: JobState,
    items: Items,
    counts: Counts,
    errors: BTreeMap<String, usize>,
    notes: Vec<Arc<str>>,
    lengths: Option<(u128, u128)>,
    planned: bool,
    /// Exact sums, whatever sizes a faulty worker reports.
    done_bytes: u128,
    total_bytes: u128,
    started_at: Duration,
    ended_at: Option<Duration>,
    last_progress_at: Duration,
    cancel_requested_at: Option<Duration>,
    joins: Vec<JoinRecord>,
    backtrace: Backtrace,
    panicked: Vec<ItemId>,
    first_process: Option<ItemId>,
    rate: RateWindow,
    revision: u64,
}

impl JobRecord {
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The job, with its options and inputs.
    pub fn spec(&self) -> &Arc<JobSpec> {
        &self.spec
    }

    /// Whether the names of its items are paths of files.
    pub fn names_are_paths(&self) -> bool {
        let has_inputs = !self.spec.inputs.is_empty();
        self.spec.options.job().names_are_paths(has_inputs)
    }

    /// Whether its items are files, or folders, with their paths as names.
    pub fn items_are_files(&self) -> bool {
        let has_inputs = !self.spec.inputs.is_empty();
        self.spec.options.job().items_are_files(has_inputs)
    }

    /// Its number and its name: `#3 Checksums`.
    pub fn title(&self) -> String {
        format!("{} {}", self.id, self.spec.options.job().title())
    }

    pub fn state(&self) -> &JobState {
        &self.state
    }

    /// The items found so far, in the order of their numbers.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// One item, if it has been found.
    pub fn item(&self, id: ItemId) -> Option<&Arc<ItemRecord>> {
        self.items.get(id.index())
    }

    /// The number of items in each state.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The number of items that failed with errors of this [kind](crate::jobs::ItemError::kind).
    pub fn failed_with(&self, kind: &str) -> usize {
        self.errors.get(kind).copied().unwrap_or(0)
    }

    /// The sentences about its plan that are no items, such as which files were left out; about a
    /// hundred at most.
    pub fn notes(&self) -> &[Arc<str>] {
        &self.notes
    }

    /// The lengths of all files before and after, in bytes, as far as items have returned; `None` unless
    /// the job is about them.
    pub fn lengths(&self) -> Option<(u64, u64)> {
        let (before, after) = self.lengths?;
        Some((saturated(before), saturated(after)))
    }

    /// Such as `84.0 MiB became 6.1 MiB, 93 % less`; `None` unless the job is about such lengths.
    pub fn lengths_text(&self) -> Option<String> {
        let (before, after) = self.lengths()?;
        let percent = 100.0 * (after as f64 / before.max(1) as f64 - 1.0);
        let change = if percent > 0.0 { "more" } else { "less" };
        let (before, after) = (format::bytes(before), format::bytes(after));
        let percent = percent.abs();
        Some(format!("{before} became {after}, {percent:.0} % {change}"))
    }

    /// Whether every item has been found.
    pub fn is_planned(&self) -> bool {
        self.planned
    }

    /// Bytes done, of all items; `u64::MAX` at most.
    pub fn done_bytes(&self) -> u64 {
        saturated(self.done_bytes)
    }

    /// Bytes in all, as far as known; `u64::MAX` at most. The undone rest of an item that has ended
    /// does not count, so the job ends with all bytes done.
    pub fn total_bytes(&self) -> u64 {
        saturated(self.total_bytes)
    }

    /// Its rate over the last 5 s while it runs, or over its whole time once it has ended.
    pub fn rate(&self, now: Duration) -> Rate {
        if self.state.is_ended() {
            return Rate {
                bytes_per_sec: rate::per_sec(self.done_bytes(), self.elapsed(now)),
                time_left: None,
            };
        }
        let bytes_per_sec = self.rate.bytes_per_sec(now, self.done_bytes());
        let left = saturated(self.total_bytes.saturating_sub(self.done_bytes));
        let known = self.planned && self.total_bytes > 0;
        Rate {
            bytes_per_sec,
            time_left: known
                .then(|| rate::time_left(left, bytes_per_sec))
                .flatten(),
        }
    }

    pub fn started_at(&self) -> Duration {
        self.started_at
    }

    /// When it ended; `None` while it runs.
    pub fn ended_at(&self) -> Option<Duration> {
        self.ended_at
    }

    /// The time that it ran until it ended or until `now`.
    pub fn elapsed(&self, now: Duration) -> Duration {
        let end = self.ended_at.unwrap_or(now);
        end.saturating_sub(self.started_at)
    }

    /// When an item was last found, started, advanced or ended.
    pub fn last_progress_at(&self) -> Duration {
        self.last_progress_at
    }

    /// When a cancel was first requested.
    pub fn cancel_requested_at(&self) -> Option<Duration> {
        self.cancel_requested_at
    }

    /// Every join of the job, oldest first.
    pub fn joins(&self) -> &[JoinRecord] {
        &self.joins
    }

    /// The joins that have not ended, oldest first.
    pub fn active_joins(&self) -> impl DoubleEndedIterator<Item = &JoinRecord> {
        self.joins.iter().filter(|join| join.ended.is_none())
    }

    /// The captured panics with their backtraces: the job's own first, then those of items in the
    /// order in which they happened.
    pub fn panics(&self) -> impl Iterator<Item = (PanicKey, &Panic, &Backtrace)> {
        let own = self.panic(PanicKey::Job).into_iter();
        let items = self.panicked.iter().copied().map(PanicKey::Item);
        own.map(|(panic, backtrace)| (PanicKey::Job, panic, backtrace))
            .chain(items.filter_map(|key| {
                let (panic, backtrace) = self.panic(key)?;
                Some((key, panic, backtrace))
            }))
    }

    /// One captured panic with its backtrace.
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

    /// The first item that has, or had, a process.
    pub fn first_process(&self) -> Option<ItemId> {
        self.first_process
    }

    /// A number that changes with every change of this record.
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
            errors: BTreeMap::new(),
            notes: Vec::new(),
            lengths: None,
            planned: false,
            done_bytes: 0,
            total_bytes: 0,
            started_at: at,
            ended_at: None,
            last_progress_at: at,
            cancel_requested_at: None,
            joins: Vec::new(),
            backtrace: Backtrace::default(),
            panicked: Vec::new(),
            first_process: None,
            rate,
            revision: 0,
        }
    }

    /// Applies one event, in constant time.
    pub(super) fn apply(&mut self, at: Duration, kind: EventKind) {
        self.revision += 1;
        match kind {
            EventKind::JobDidStart { .. } => {}
            EventKind::ItemDidAppear { item } => self.add_item(at, item),
            EventKind::PlanDidNote { note } => self.notes.push(note),
            EventKind::PlanDidFinish => self.planned = true,
            EventKind::ItemDidStart { item, .. } => self.start_item(at, item),
            EventKind::ItemDidProgress { item, done, total } => {
                self.advance_item(at, item, done, total);
            }
            EventKind::ItemDidRunProcess { item, pid } => self.begin_process(item, pid),
            EventKind::ItemDidPauseProcess { item, paused } => self.pause_process(item, paused),
            EventKind::ProcessStopWasRequested { item } => {
                self.change_process(item, |process| process.stop_requested = true);
            }
            EventKind::ItemDidStopTree { item, stopped } => {
                self.change_process(item, |process| process.stopped = Some(stopped));
            }
            EventKind::ItemDidEndProcess { item, ran } => {
                self.change_process(item, |process| process.state = ItemProcessState::Ended(ran));
            }
            EventKind::ItemDidIgnoreCancel { item, within } => {
                self.change_item(at, item, |item| item.ignored_cancel = Some(within));
            }
            EventKind::ItemDidFinish { item, state } => self.end_item(at, item, state),
            EventKind::CancelWasRequested => {
                self.cancel_requested_at.get_or_insert(at);
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
                causes: Vec::new(),
            }),
            EventKind::JoinDidEnd { join, outcome } => self.end_join(at, join, outcome),
            EventKind::JoinWasExplained { join, causes } => self.explain_join(join, causes),
            EventKind::BacktraceDidResolve { panic, text } => self.keep_backtrace(panic, text),
        }
    }

    fn add_item(&mut self, at: Duration, item: FoundItem) {
        let record = ItemRecord::new(ItemId::new(self.items.len()), item);
        self.total_bytes += u128::from(record.total);
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
        let (mut lengths, mut error) = (None, None);
        match &state {
            ItemState::Returned(output) => lengths = output.lengths(),
            ItemState::Failed(failure) => error = Some(failure.kind.clone()),
            _ => {}
        }
        let changed = self.change_item(at, id, |item| {
            if matches!(state, ItemState::Returned(_)) {
                item.done = item.done.max(item.total);
            }
            item.state = state;
            item.ended_at = Some(at);
        });
        if changed && let Some((before, after)) = lengths {
            let sums = self.lengths.get_or_insert_default();
            sums.0 += u128::from(before);
            sums.1 += u128::from(after);
        }
        if changed && did_panic {
            self.panicked.push(id);
        }
        if changed && let Some(kind) = error {
            self.count_error(kind);
        }
    }

    /// Counts an error of a known kind, or of a new one while these are few: a worker makes them up.
    fn count_error(&mut self, kind: String) {
        if self.errors.len() < MAX_ERROR_KINDS || self.errors.contains_key(&kind) {
            *self.errors.entry(kind).or_default() += 1;
        }
    }

    fn begin_process(&mut self, id: ItemId, pid: u32) {
        if let Some(item) = self.items.get_mut(id) {
            let first = self.first_process.map_or(id, |first| first.min(id));
            self.first_process = Some(first);
            item.process = Some(Box::new(ProcessRecord {
                pid,
                state: ItemProcessState::Running,
                stop_requested: false,
                stopped: None,
            }));
        }
    }

    fn pause_process(&mut self, id: ItemId, paused: bool) {
        self.change_process(id, |process| {
            process.state = match (&process.state, paused) {
                (ItemProcessState::Ended(ran), _) => ItemProcessState::Ended(Arc::clone(ran)),
                (_, true) => ItemProcessState::Paused,
                (_, false) => ItemProcessState::Running,
            };
        });
    }

    fn change_process(&mut self, id: ItemId, change: impl FnOnce(&mut ProcessRecord)) {
        let item = self.items.get_mut(id);
        if let Some(process) = item.and_then(|item| item.process.as_mut()) {
            change(process);
        }
    }

    /// Changes an item and updates the sums over all items. Returns false, without effect, if the
    /// item has ended or does not exist.
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
        self.done_bytes -= u128::from(item.done);
        self.total_bytes -= u128::from(item.expected());
        change(item);
        *self.counts.of(&item.state) += 1;
        self.done_bytes += u128::from(item.done);
        self.total_bytes += u128::from(item.expected());
        self.last_progress_at = at;
        self.rate.note(at, saturated(self.done_bytes));
        true
    }

    fn end_join(&mut self, at: Duration, id: JoinId, outcome: JoinOutcome) {
        if let Some(join) = self.join_mut(id) {
            join.ended.get_or_insert((at, outcome));
        }
    }

    fn explain_join(&mut self, id: JoinId, causes: Vec<WaitCause>) {
        if let Some(join) = self.join_mut(id) {
            join.causes = causes;
        }
    }

    fn join_mut(&mut self, id: JoinId) -> Option<&mut JoinRecord> {
        self.joins.iter_mut().rev().find(|join| join.id == id)
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

fn saturated(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
