//! The trace of jobs: lanes and spans, built from their events.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{EventKind, JobEvent, ThreadNumber};
use super::freezes::FreezeLane;
use super::incident::IncidentRecord;
use super::item::{ItemId, ItemState};
use super::item_counts::ItemCounts;
use super::job_state::{JobId, JobState};
use super::join::{JoinId, JoinOutcome};
use crate::jobs::{JobSpec, RunOn};
use crate::trace::{
    Flow, FlowKind, Group, GroupId, Lane, LaneId, LaneKind, Mark, SpanId, SpanName, SpanOutcome,
    SpanState, Trace,
};

/// A window that freezes so soon after the last job has ended may do so because of that.
const MAX_AFTER_JOBS: Duration = Duration::from_secs(1);

/// A frame goes on so long at most after its time was noted.
const MAX_FRAME_REST: Duration = Duration::from_millis(5);

/// A trace with a group for each job: a lane for the whole, one for each thread that runs items, and those of the
/// joins.
#[derive(Debug, Default)]
pub struct JobTrace {
    trace: Trace,
    jobs: BTreeMap<JobId, JobLanes>,
    running: usize,
    /// When the last job ended, if none runs.
    idle_since: u64,
    freezes: FreezeLane,
}

/// Where the spans of a job go. What there was no room for has no lane.
#[derive(Debug)]
struct JobLanes {
    group: GroupId,
    began: u64,
    whole: Option<LaneId>,
    /// Whether a thread ends with its item, so that the next one takes its lane.
    has_short_threads: bool,
    thread_kind: LaneKind,
    threads: BTreeMap<ThreadNumber, LaneId>,
    free: Vec<LaneId>,
    items: BTreeMap<ItemId, RunningItem>,
    /// The bytes of the items that were found, until the job ends.
    sizes: Vec<u64>,
    counts: ItemCounts,
    joins: BTreeMap<JoinId, SpanId>,
    free_joins: Vec<LaneId>,
    join_lanes: usize,
}

/// An item that has begun and has not ended.
#[derive(Debug)]
struct RunningItem {
    thread: ThreadNumber,
    span: SpanId,
    progress: Option<ItemProgress>,
}

/// How far an item is that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemProgress {
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 if unknown.
    pub total: u64,
    /// The time of the trace at which it last got on, in nanoseconds.
    pub at: u64,
}

impl JobTrace {
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The trace, to add what is about no job.
    pub fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Whether a job has not ended.
    pub fn is_running(&self) -> bool {
        self.running > 0
    }

    /// The group of a job.
    pub fn group_of(job: JobId) -> GroupId {
        GroupId::new(job.get())
    }

    /// The job of a group; `None` for the group 0.
    pub fn job_of(group: GroupId) -> Option<JobId> {
        (group.get() > 0).then(|| JobId::new(group.get()))
    }

    /// The span of a whole job.
    pub fn job_span(&self, job: JobId) -> Option<SpanId> {
        self.jobs.get(&job)?.whole.map(first_in)
    }

    /// The span of an item of a job that began at a time.
    pub fn item_span(&self, job: JobId, item: ItemId, began: Duration) -> Option<SpanId> {
        let (group, at) = (Self::group_of(job), nanos(began));
        let name = SpanName::Item(u32::try_from(item.index()).ok()?);
        let mut lanes = self.trace.group(group)?.lanes(group);
        lanes.find_map(|(lane, spans)| {
            let mut rows = spans.rows().iter().enumerate();
            rows.find_map(|(row, spans)| {
                // It begins later if the end of the one before came late, and may have no length.
                let near = spans.first_ending_after(at);
                let mut near = near.saturating_sub(1)..near + 2;
                let is_it = |index: &usize| spans.get(*index).is_some_and(|span| span.name == name);
                let index = near.find(is_it)?;
                Some(SpanId { lane, row, index })
            })
        })
    }

    /// How far an item is that runs; `None` if it does not run, or has not said that.
    pub fn progress(&self, job: JobId, item: ItemId) -> Option<ItemProgress> {
        self.jobs.get(&job)?.items.get(&item)?.progress
    }

    /// Applies one event, in constant time. Ignores those of a job that it does not know.
    pub fn apply(&mut self, event: &JobEvent) {
        let at = nanos(event.at);
        if let EventKind::JobDidStart { spec } = &event.kind {
            let lanes = JobLanes::new(event.job, spec, at, &mut self.trace);
            self.jobs.insert(event.job, lanes);
            self.running += 1;
        } else if let Some(lanes) = self.jobs.get_mut(&event.job) {
            lanes.apply(at, &event.kind, &mut self.trace);
            if matches!(event.kind, EventKind::JobDidFinish { .. }) {
                self.running -= 1;
                self.idle_since = at;
            }
        }
    }

    /// Removes a job that has ended, and returns its group.
    ///
    /// To drop a million spans takes longer than a frame; drop it on another thread.
    pub fn remove(&mut self, job: JobId) -> Option<Group> {
        self.jobs.remove(&job);
        let removed = self.trace.remove_group(Self::group_of(job));
        self.freezes.retain(self.first_began(), &mut self.trace);
        removed
    }

    /// Adds a time in which the window was frozen, if a job ran then or had just ended: what an idle window did would make
    /// the time of the trace much longer.
    pub fn add_freeze(&mut self, began: Duration, incident: &IncidentRecord) {
        let lasted = nanos(incident.lasted);
        let began = self.in_frame(nanos(began), lasted);
        let is_in_time = self
            .first_began()
            .is_some_and(|first| first <= began + lasted)
            && (self.is_running() || began <= self.idle_since + nanos(MAX_AFTER_JOBS));
        if is_in_time {
            let cause = incident.cause();
            self.freezes
                .add(began, began + lasted, &cause, &mut self.trace);
        }
    }

    /// The begin of a freeze within its frame: the report says that it was later, by as much as the report was late.
    fn in_frame(&self, began: u64, lasted: u64) -> u64 {
        let least = lasted.saturating_sub(nanos(MAX_FRAME_REST));
        let from = began.saturating_sub(nanos(MAX_AFTER_JOBS));
        let frames = self.trace.frames().between(from, began.saturating_add(1));
        let frame = frames.filter(|frame| frame.took >= least).last();
        let latest =
            frame.map(|frame| (frame.at + frame.took).saturating_sub(lasted).max(frame.at));
        latest.map_or(began, |latest| latest.min(began))
    }

    /// When the first one of the jobs that are kept began.
    fn first_began(&self) -> Option<u64> {
        self.jobs.values().map(|lanes| lanes.began).min()
    }
}

/// A time as the nanoseconds of a trace.
pub fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX - 1)
}

impl JobLanes {
    fn new(job: JobId, spec: &JobSpec, at: u64, trace: &mut Trace) -> Self {
        let (group, about) = (JobTrace::group_of(job), spec.options.job());
        let title = format!("{job} {}", about.title());
        trace.add_group(group, title.as_str());
        let whole = trace.add_lane(group, "Job", LaneKind::Whole);
        let counts = ItemCounts::new(group, trace);
        if let Some(whole) = whole {
            let (name, planning) = (trace.add_text(&title), trace.add_text("looks for items"));
            trace.begin(whole, at, name, SpanState::Runs);
            trace.begin(whole, at, planning, SpanState::Runs);
        }
        let thread_kind = match spec.run_on {
            _ if about.has_processes() => LaneKind::Process,
            RunOn::Process => LaneKind::Worker,
            RunOn::Pool | RunOn::Thread => LaneKind::Thread,
        };
        Self {
            group,
            began: at,
            whole,
            has_short_threads: spec.run_on == RunOn::Thread,
            thread_kind,
            threads: BTreeMap::new(),
            free: Vec::new(),
            items: BTreeMap::new(),
            sizes: Vec::new(),
            counts,
            joins: BTreeMap::new(),
            free_joins: Vec::new(),
            join_lanes: 0,
        }
    }

    fn apply(&mut self, at: u64, event: &EventKind, trace: &mut Trace) {
        match event {
            EventKind::ItemDidAppear { item } => {
                trace.add_found_item(self.group, &item.input.to_string_lossy(), at);
                self.counts.add(1, 0, at, trace);
                self.sizes.push(item.bytes);
            }
            EventKind::PlanDidFinish => self.end_plan(at, trace),
            EventKind::ItemDidStart { item, thread } => {
                self.counts.add(-1, 0, at, trace);
                self.begin_item(*item, *thread, at, trace);
            }
            EventKind::ItemDidProgress { item, done, total } => {
                self.advance_item(*item, *done, *total, at, trace);
            }
            EventKind::ItemDidPauseProcess { item, paused } => {
                self.pause_item(*item, *paused, at, trace);
            }
            EventKind::ItemDidFinish { item, state } => self.end_item(*item, state, at, trace),
            EventKind::CancelWasRequested => self.mark(at, "asked to cancel", trace),
            EventKind::JobDidFinish { state } => self.end(state, at, trace),
            EventKind::JoinDidStart {
                join,
                timeout,
                blocking,
            } => self.begin_join(*join, timeout.is_some(), *blocking, at, trace),
            EventKind::JoinDidEnd { join, outcome } => self.end_join(*join, *outcome, at, trace),
            EventKind::JoinWasExplained { join, causes } => {
                for cause in causes {
                    let name = item_name(cause.item, trace);
                    let item = trace.name(self.group, name).into_owned();
                    let text = format!("{item}: {}", cause.sentence);
                    self.mark_join(*join, at, &text, trace);
                }
            }
            EventKind::ItemDidIgnoreCancel { item, .. } => {
                let text = "ignored a cancel, so its worker was killed";
                self.mark_item(*item, at, text, trace);
            }
            EventKind::ProcessStopWasRequested { item } => {
                self.mark_item(*item, at, "asked to end", trace);
            }
            // Neither has a place in time, or the end of the item says it.
            EventKind::JobDidStart { .. }
            | EventKind::PlanDidNote { .. }
            | EventKind::ItemDidRunProcess { .. }
            | EventKind::ItemDidStopTree { .. }
            | EventKind::ItemDidEndProcess { .. }
            | EventKind::BacktraceDidResolve { .. } => {}
        }
    }

    fn end_plan(&self, at: u64, trace: &mut Trace) {
        if let Some(whole) = self.whole {
            trace.end(whole, at, SpanOutcome::None);
        }
    }

    fn begin_item(&mut self, item: ItemId, thread: ThreadNumber, at: u64, trace: &mut Trace) {
        let Some(lane) = self.lane_of(thread, at, trace) else {
            return;
        };
        // The end of the item before may still be on its way.
        if trace.lane(lane).is_some_and(Lane::is_open) {
            trace.end(lane, at, SpanOutcome::None);
        }
        let name = item_name(item, trace);
        if let Some(span) = trace.begin(lane, at, name, SpanState::Runs) {
            let progress = None;
            let running = RunningItem {
                thread,
                span,
                progress,
            };
            self.items.insert(item, running);
        }
    }

    fn lane_of(&mut self, thread: ThreadNumber, at: u64, trace: &mut Trace) -> Option<LaneId> {
        if let Some(lane) = self.threads.get(&thread) {
            return Some(*lane);
        }
        let lane = self.free.pop().or_else(|| self.add_thread(at, trace))?;
        self.threads.insert(thread, lane);
        Some(lane)
    }

    fn add_thread(&self, at: u64, trace: &mut Trace) -> Option<LaneId> {
        let number = self.threads.len() + 1;
        let name = match self.thread_kind {
            LaneKind::Process => format!("Process {number}"),
            LaneKind::Worker => format!("Isolated worker {number}"),
            _ => format!("Thread {number}"),
        };
        let lane = trace.add_lane(self.group, name, self.thread_kind)?;
        if let Some(whole) = self.whole {
            trace.add_flow(Flow {
                kind: FlowKind::Start,
                from: (whole, at),
                to: (lane, at),
            });
        }
        Some(lane)
    }

    fn advance_item(&mut self, id: ItemId, done: u64, total: u64, at: u64, trace: &mut Trace) {
        let Some(item) = self.items.get_mut(&id) else {
            return;
        };
        let before = item.progress.map_or(0, |before| before.done);
        // A command has neither.
        let is_first = item.progress.is_none() && total > 0;
        if done > before || is_first {
            item.progress = Some(ItemProgress { done, total, at });
            let bytes = done.saturating_sub(before);
            self.counts.add_bytes(bytes, at, trace);
        }
    }

    fn pause_item(&self, item: ItemId, paused: bool, at: u64, trace: &mut Trace) {
        let Some(RunningItem { span, .. }) = self.items.get(&item) else {
            return;
        };
        if paused {
            let name = trace.add_text("paused");
            trace.begin(span.lane, at, name, SpanState::Stopped);
        } else {
            trace.end(span.lane, at, SpanOutcome::None);
        }
    }

    fn end_item(&mut self, item: ItemId, state: &ItemState, at: u64, trace: &mut Trace) {
        let Some(ended) = self.items.remove(&item) else {
            // It has not begun.
            return self.counts.add(-1, 1, at, trace);
        };
        self.counts.add(0, 1, at, trace);
        if matches!(state, ItemState::Returned(_)) {
            let found = self.sizes.get(item.index()).copied().unwrap_or(0);
            let (done, total) = ended
                .progress
                .map_or((0, 0), |last| (last.done, last.total));
            let rest = found.max(total).saturating_sub(done);
            self.counts.add_bytes(rest, at, trace);
        }
        trace.conclude(ended.span, at, outcome_of_item(state));
        if self.has_short_threads
            && let Some(lane) = self.threads.remove(&ended.thread)
        {
            self.free.push(lane);
        }
    }

    fn end(&mut self, state: &JobState, at: u64, trace: &mut Trace) {
        for item in std::mem::take(&mut self.items).into_values() {
            trace.conclude(item.span, at, SpanOutcome::None);
        }
        self.sizes = Vec::new();
        self.threads.clear();
        self.free.clear();
        self.counts.end(at, trace);
        if let Some(whole) = self.whole {
            trace.conclude(first_in(whole), at, outcome_of_job(state));
        }
    }

    fn begin_join(
        &mut self,
        join: JoinId,
        has_timeout: bool,
        blocking: bool,
        at: u64,
        trace: &mut Trace,
    ) {
        let lane = self.free_joins.pop().or_else(|| {
            self.join_lanes += 1;
            let name = match self.join_lanes {
                1 => "Joins".to_owned(),
                number => format!("Joins {number}"),
            };
            trace.add_lane(self.group, name, LaneKind::Joins)
        });
        let Some(lane) = lane else {
            return;
        };
        let name = trace.add_text(match (blocking, has_timeout) {
            (true, _) => "join on the UI thread",
            (false, true) => "join with a timeout",
            (false, false) => "join",
        });
        let state = if has_timeout {
            SpanState::WaitsUntilDeadline
        } else {
            SpanState::WaitsInJoin
        };
        if let Some(span) = trace.begin(lane, at, name, state) {
            self.joins.insert(join, span);
        }
    }

    fn end_join(&mut self, join: JoinId, outcome: JoinOutcome, at: u64, trace: &mut Trace) {
        // It stays known, for its wait may be explained later.
        let Some(span) = self.joins.get(&join) else {
            return;
        };
        self.free_joins.push(span.lane);
        let ended = match outcome {
            JoinOutcome::Joined => SpanOutcome::Returned,
            JoinOutcome::TimedOut => SpanOutcome::TimedOut,
            JoinOutcome::Detached => SpanOutcome::Cancelled,
        };
        trace.conclude(*span, at, ended);
        if outcome == JoinOutcome::Joined
            && let Some(whole) = self.whole
        {
            trace.add_flow(Flow {
                kind: FlowKind::Join,
                from: (whole, at),
                to: (span.lane, at),
            });
        }
    }

    fn mark(&self, at: u64, text: &str, trace: &mut Trace) {
        add_mark(self.whole, at, text, trace);
    }

    fn mark_join(&self, join: JoinId, at: u64, text: &str, trace: &mut Trace) {
        add_mark(self.joins.get(&join).map(|span| span.lane), at, text, trace);
    }

    fn mark_item(&self, item: ItemId, at: u64, text: &str, trace: &mut Trace) {
        let lane = self.items.get(&item).map(|item| item.span.lane);
        add_mark(lane, at, text, trace);
    }
}

/// The first span of a lane.
fn first_in(lane: LaneId) -> SpanId {
    SpanId {
        lane,
        row: 0,
        index: 0,
    }
}

fn item_name(item: ItemId, trace: &mut Trace) -> SpanName {
    u32::try_from(item.index()).map_or_else(|_| trace.add_text("item"), SpanName::Item)
}

fn add_mark(lane: Option<LaneId>, at: u64, text: &str, trace: &mut Trace) {
    if let Some(lane) = lane {
        let text = text.to_owned();
        trace.add_mark(Mark { at, lane, text });
    }
}

fn outcome_of_item(state: &ItemState) -> SpanOutcome {
    match state {
        ItemState::Waiting | ItemState::Running => SpanOutcome::None,
        ItemState::Returned(_) => SpanOutcome::Returned,
        ItemState::Failed(_) => SpanOutcome::Failed,
        ItemState::Panicked(_) => SpanOutcome::Panicked,
        ItemState::Crashed(_) => SpanOutcome::Crashed,
        ItemState::Cancelled => SpanOutcome::Cancelled,
    }
}

fn outcome_of_job(state: &JobState) -> SpanOutcome {
    match state {
        JobState::Running => SpanOutcome::None,
        JobState::Returned => SpanOutcome::Returned,
        JobState::Failed => SpanOutcome::Failed,
        JobState::Panicked(_) => SpanOutcome::Panicked,
        JobState::Cancelled => SpanOutcome::Cancelled,
        JobState::TimedOut => SpanOutcome::TimedOut,
    }
}
