//! A trace: what ran and what waited, in which lane and when. Plain data, as a profiler has it.
//!
//! A trace has *groups*, such as a job or a program. A group has *lanes*: a thread, a process, the joins of a job. The
//! spans of a lane are in *rows*, as they are drawn: those of a row follow each other, and each of a lower row lies
//! within one of the row above. All times are nanoseconds since the trace began.

mod chrome;
mod compare;
mod counter;
mod csv;
mod frames;
mod item_names;
mod lane;
mod row;
mod search;
mod seen;
mod span;
mod statistics;
mod texts;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub use chrome::{ReadTrace, ReadTraceError, read_chrome, write_chrome};
pub use compare::{Change, Comparison, Difference, MAX_DIFFERENCES, compare, counterpart};
pub use counter::{Counter, CounterId, Point};
pub use csv::{CsvKind, write_csv};
pub use frames::{Frame, FrameCause, Frames};
use item_names::ItemNames;
pub use lane::{Lane, LaneKind};
pub use row::{Piece, Row};
pub use search::{Search, SearchStep};
pub use seen::Seen;
pub use span::{Span, SpanName, SpanOutcome, SpanState};
pub use statistics::{
    Bin, CriticalPath, Parallelism, Percentiles, Shares, Statistics, Step, figures,
    statistics_json, statistics_text,
};
use texts::Texts;

/// The number of spans that a trace keeps at most: 70 MB. It counts those that it drops.
pub const MAX_SPANS: usize = 2_000_000;
/// The number of lanes that a trace keeps at most, and of flows and of marks.
pub const MAX_LANES: usize = 100_000;

/// Numbers the groups of a trace, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u64);

/// Names a lane of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId {
    pub group: GroupId,
    /// The place of the lane in its group.
    pub index: usize,
}

/// Names a span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId {
    pub lane: LaneId,
    pub row: usize,
    /// The place of the span in its row.
    pub index: usize,
}

/// What ran and what waited, and when. A clone is a cheap snapshot, which shares the spans.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    groups: BTreeMap<GroupId, Group>,
    flows: Vec<Flow>,
    marks: Vec<Mark>,
    frames: Frames,
    /// The lane of the thread that draws the window.
    window: Option<LaneId>,
    texts: Texts,
    spans: usize,
    lanes: usize,
    dropped: u64,
    /// The earliest time of a span; `None` if that has to be looked for.
    first_at: Option<u64>,
    last_at: u64,
    shape: Shape,
}

/// A number that no other trace has, but clones.
#[derive(Clone, Debug)]
struct Shape(u64);

impl Default for Shape {
    fn default() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// Lanes that belong together, such as those of a job.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    counters: Vec<Counter>,
    lanes: Vec<Lane>,
    items: ItemNames,
}

/// From what happened in one lane to what that made happen in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub kind: FlowKind,
    pub from: (LaneId, u64),
    pub to: (LaneId, u64),
}

/// The kind of a [`Flow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowKind {
    /// One starts another.
    Start,
    /// The end of one ends the wait of another.
    Join,
}

/// Something that happened at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: u64,
    pub lane: LaneId,
    pub text: String,
}

impl GroupId {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Trace {
    pub fn groups(&self) -> impl DoubleEndedIterator<Item = (GroupId, &Group)> {
        self.groups.iter().map(|(id, group)| (*id, group))
    }

    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    pub fn lane(&self, id: LaneId) -> Option<&Lane> {
        self.group(id.group)?.lanes.get(id.index)
    }

    pub fn span(&self, id: SpanId) -> Option<&Span> {
        self.lane(id.lane)?.rows().get(id.row)?.get(id.index)
    }

    /// The lanes of all groups.
    pub fn lanes(&self) -> impl Iterator<Item = (LaneId, &Lane)> {
        self.groups().flat_map(|(id, group)| group.lanes(id))
    }

    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The last frames of the window.
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// The times in which the window was frozen, with their lane.
    pub fn freezes(&self) -> Option<(LaneId, &Row)> {
        let id = self.window?;
        Some((id, self.lane(id)?.rows().first()?))
    }

    /// The name of a span of a group.
    pub fn name(&self, group: GroupId, name: SpanName) -> Cow<'_, str> {
        match name {
            SpanName::Text(number) => self.texts.get(number).into(),
            SpanName::Item(number) => {
                let group = self.group(group);
                let name = group.and_then(|group| group.items.get(number as usize));
                name.map_or_else(|| format!("item {}", number + 1).into(), Cow::from)
            }
        }
    }

    /// The number of spans.
    pub fn len(&self) -> usize {
        self.spans
    }

    /// Whether it has no group.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The number of spans, lanes, flows and marks that there was no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// When the first span began.
    pub fn first_at(&self) -> Option<u64> {
        let begins = || self.lanes().filter_map(|(_, lane)| lane.began()).min();
        self.first_at.or_else(begins)
    }

    /// The latest time of anything in it.
    pub fn last_at(&self) -> u64 {
        self.last_at
    }

    /// A number that changes with the groups, the lanes, the number of their rows, and what kinds of spans they have. No
    /// other trace has it, but clones.
    pub fn shape(&self) -> u64 {
        self.shape.0
    }

    fn change_shape(&mut self) {
        self.shape = Shape::default();
    }

    /// Adds a group, or gives the one with this number another name.
    pub fn add_group(&mut self, id: GroupId, name: impl Into<String>) {
        let name = name.into();
        let new = || Group {
            name: String::new(),
            counters: Vec::new(),
            lanes: Vec::new(),
            items: ItemNames::default(),
        };
        self.groups.entry(id).or_insert_with(new).name = name;
        self.change_shape();
    }

    /// Removes a group with all that is in it, and returns it. Its texts stay.
    ///
    /// Dropping a million spans takes longer than a frame; drop it on another thread.
    pub fn remove_group(&mut self, id: GroupId) -> Option<Group> {
        let group = self.groups.remove(&id)?;
        self.spans -= group.lanes.iter().map(Lane::len).sum::<usize>();
        self.lanes -= group.lanes.len() + group.counters.len();
        self.first_at = None;
        self.change_shape();
        self.window = self.window.filter(|window| window.group != id);
        self.flows
            .retain(|flow| flow.from.0.group != id && flow.to.0.group != id);
        self.marks.retain(|mark| mark.lane.group != id);
        self.last_at = self.latest();
        Some(group)
    }

    /// A trace of these groups alone, with their numbers. It shares the spans, and has no frames.
    #[must_use]
    pub fn only(&self, groups: &[GroupId]) -> Self {
        let mut only = Self {
            texts: self.texts.clone(),
            ..Self::default()
        };
        for id in groups {
            if let Some(group) = self.groups.get(id) {
                only.groups.insert(*id, group.clone());
            }
        }
        let has = |lane: LaneId| only.groups.contains_key(&lane.group);
        let flows = self.flows.iter().copied();
        only.flows = flows
            .filter(|flow| has(flow.from.0) && has(flow.to.0))
            .collect();
        let marks = self.marks.iter().filter(|mark| has(mark.lane));
        only.marks = marks.cloned().collect();
        only.spans = only.lanes().map(|(_, lane)| lane.len()).sum();
        let groups = only.groups.values();
        only.lanes = groups
            .map(|group| group.lanes.len() + group.counters.len())
            .sum();
        only.first_at = only.first_at();
        only.last_at = only.latest();
        only.change_shape();
        only
    }

    /// The same, but the groups get the numbers from 1 on in the order in which they are given here.
    #[must_use]
    pub fn in_order(&self, groups: &[GroupId]) -> Self {
        let mut trace = self.only(groups);
        let numbers: BTreeMap<GroupId, GroupId> =
            groups.iter().copied().zip((1..).map(GroupId)).collect();
        let number = |id: GroupId| numbers.get(&id).copied().unwrap_or(id);
        let old = std::mem::take(&mut trace.groups).into_iter();
        trace.groups = old.map(|(id, group)| (number(id), group)).collect();
        for flow in &mut trace.flows {
            for (lane, _) in [&mut flow.from, &mut flow.to] {
                lane.group = number(lane.group);
            }
        }
        for mark in &mut trace.marks {
            mark.lane.group = number(mark.lane.group);
        }
        trace
    }

    /// The latest time of a span or a mark.
    fn latest(&self) -> u64 {
        let spans = self.lanes().filter_map(|(_, lane)| lane.last_at());
        let marks = self.marks.iter().map(|mark| mark.at);
        spans.chain(marks).max().unwrap_or(0)
    }

    /// Adds a lane to a group. Returns `None` if there is no such group, or no room.
    pub fn add_lane(
        &mut self,
        group: GroupId,
        name: impl Into<String>,
        kind: LaneKind,
    ) -> Option<LaneId> {
        let lanes = &mut self.groups.get_mut(&group)?.lanes;
        if self.lanes == MAX_LANES {
            self.dropped += 1;
            return None;
        }
        self.lanes += 1;
        lanes.push(Lane::new(name.into(), kind));
        let index = lanes.len() - 1;
        let id = LaneId { group, index };
        if kind == LaneKind::Window {
            self.window = Some(id);
        }
        self.change_shape();
        Some(id)
    }

    /// Adds the name of the next item of a group, for [`SpanName::Item`]. Does nothing if there is no such group.
    pub fn add_item(&mut self, group: GroupId, name: &str) {
        self.push_item(group, name, None);
    }

    /// The same for an item that was found then.
    pub fn add_found_item(&mut self, group: GroupId, name: &str, found_at: u64) {
        self.push_item(group, name, Some(found_at));
    }

    fn push_item(&mut self, group: GroupId, name: &str, found_at: Option<u64>) {
        if let Some(group) = self.groups.get_mut(&group) {
            group.items.push(name, found_at);
        }
    }

    /// How long the item of a span waited for its turn, to a thousandth of a second; `None` if that is not known.
    pub fn waited(&self, id: SpanId) -> Option<u64> {
        let span = self.span(id)?;
        let SpanName::Item(item) = span.name else {
            return None;
        };
        let found_at = self.group(id.lane.group)?.items.found_at(item as usize)?;
        span.began().checked_sub(found_at)
    }

    /// Counts what there was no room for where this comes from.
    pub(crate) fn note_dropped(&mut self, dropped: u64) {
        self.dropped += dropped;
    }

    /// Something went on until then at least.
    pub(crate) fn note_time(&mut self, at: u64) {
        self.last_at = self.last_at.max(at);
    }

    /// Whether it has a text already.
    fn has_text(&self, text: &str) -> bool {
        self.texts.has(text)
    }

    /// The number of a text, to be a [`SpanName`]. Equal texts have one number.
    pub fn add_text(&mut self, text: &str) -> SpanName {
        SpanName::Text(self.texts.add(text))
    }

    /// Begins a span in a lane, within those that are open there, and not before the end of the last one. Returns `None`
    /// if there is no such lane, or no room.
    pub fn begin(
        &mut self,
        lane: LaneId,
        at: u64,
        name: SpanName,
        state: SpanState,
    ) -> Option<SpanId> {
        let at = at.max(self.lane(lane)?.free_from());
        let span = Span::open(at, name, state);
        self.push(lane, span, at)
    }

    /// Ends the span in a lane that began last and is open. Does nothing if there is none.
    pub fn end(&mut self, lane: LaneId, at: u64, outcome: SpanOutcome) {
        self.last_at = self.last_at.max(at);
        self.change_lane(lane, |lane| lane.end(at, outcome));
    }

    /// Ends an open span with those within it. Of one that has ended it says how, and that it was earlier if that
    /// is known now.
    pub fn conclude(&mut self, span: SpanId, at: u64, outcome: SpanOutcome) {
        self.last_at = self.last_at.max(at);
        let place = (span.row, span.index);
        self.change_lane(span.lane, |lane| lane.conclude(place, at, outcome));
    }

    /// Adds a span that has ended. Those of a lane come in the order of their begins. Returns `None` if there is no such
    /// lane, if it would overlap the end of a span there, or if there is no room.
    pub fn add(&mut self, lane: LaneId, span: Span) -> Option<SpanId> {
        let last_at = span.ended().unwrap_or(span.began());
        self.push(lane, span, last_at)
    }

    fn push(&mut self, id: LaneId, span: Span, last_at: u64) -> Option<SpanId> {
        let is_full = self.spans == MAX_SPANS;
        self.last_at = self.last_at.max(last_at);
        let place = self.change_lane(id, |lane| {
            if is_full {
                lane.skip(&span)
            } else {
                lane.push(span)
            }
        })?;
        let Some((row, index)) = place else {
            self.dropped += u64::from(is_full);
            return None;
        };
        self.spans += 1;
        if self.spans == 1 {
            self.first_at = Some(span.began());
        }
        self.first_at = self.first_at.map(|first| first.min(span.began()));
        Some(SpanId {
            lane: id,
            row,
            index,
        })
    }

    /// Adds an arrow between two lanes, as far as there is room.
    pub fn add_flow(&mut self, flow: Flow) {
        if self.flows.len() == MAX_LANES {
            self.dropped += 1;
        } else {
            self.flows.push(flow);
        }
    }

    /// Adds a mark to a lane, as far as there is room.
    pub fn add_mark(&mut self, mark: Mark) {
        self.last_at = self.last_at.max(mark.at);
        if self.marks.len() == MAX_LANES {
            self.dropped += 1;
        } else {
            self.marks.push(mark);
        }
    }

    /// Adds a frame of the window, after all others.
    pub fn add_frame(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    /// Adds what asks for frames. Returns `None` if the text has more than 1 000 bytes, or the trace has 1 000 others.
    pub fn add_frame_cause(&mut self, text: &str) -> Option<FrameCause> {
        self.frames.add_cause(text)
    }

    fn change_lane<T>(&mut self, id: LaneId, change: impl FnOnce(&mut Lane) -> T) -> Option<T> {
        let lane = self.groups.get_mut(&id.group)?.lanes.get_mut(id.index)?;
        let shape = |lane: &Lane| {
            // The first lane of a group is open for as long as the group goes on.
            let goes_on = id.index == 0 && lane.is_open();
            (lane.rows().len(), lane.seen(), goes_on)
        };
        let before = shape(lane);
        let changed = change(lane);
        if shape(lane) != before {
            self.change_shape();
        }
        Some(changed)
    }
}

impl Group {
    /// Its lanes, in the order in which they were added. `id` is its own number.
    pub fn lanes(&self, id: GroupId) -> impl Iterator<Item = (LaneId, &Lane)> {
        let lanes = self.lanes.iter().enumerate();
        lanes.map(move |(index, lane)| (LaneId { group: id, index }, lane))
    }

    /// Its counters, in the order in which they were added. `id` is its own number.
    pub fn counters(&self, id: GroupId) -> impl Iterator<Item = (CounterId, &Counter)> {
        let counters = self.counters.iter().enumerate();
        counters.map(move |(index, counter)| (CounterId { group: id, index }, counter))
    }

    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.lanes.first().is_some_and(Lane::is_open)
    }

    /// Whether it is about the window, and not about work.
    pub(crate) fn is_of_window(&self) -> bool {
        let first = self.lanes.first();
        first.is_some_and(|lane| lane.kind == LaneKind::Window)
    }

    pub(crate) fn lane_count(&self) -> usize {
        self.lanes.len()
    }

    /// The number of its spans.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(Lane::len).sum()
    }

    /// Whether it has no span.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(Lane::is_empty)
    }
}
