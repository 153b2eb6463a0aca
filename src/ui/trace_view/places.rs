//! Where the groups, counters and lanes of a trace are, from top to bottom.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::TraceViewState;
use super::only::Only;
use crate::trace::{CounterId, Group, GroupId, Lane, LaneId, Trace};

pub(super) const GROUP_HEIGHT: f32 = 24.0;
pub(super) const COUNTER_HEIGHT: f32 = 28.0;
pub(super) const ROW_HEIGHT: f32 = 16.0;
/// Above and below the rows of a lane.
pub(super) const LANE_GAP: f32 = 2.0;

/// The place of a group's heading, of a counter or of a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) entry: Entry,
    pub(super) top: f32,
    pub(super) height: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Group(GroupId),
    Counter(CounterId),
    Lane(LaneId),
}

/// The places that were found last: a pass over all lanes, which is only made when something is different.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptPlaces {
    places: Arc<Vec<Place>>,
    /// What they were found for.
    found_for: Option<FoundFor>,
}

#[derive(Clone, Debug)]
struct FoundFor {
    shape: u64,
    filter: String,
    only: Only,
    folded: BTreeSet<GroupId>,
    pinned: BTreeSet<LaneId>,
}

impl FoundFor {
    fn new(trace: &Trace, state: &TraceViewState) -> Self {
        Self {
            shape: trace.shape(),
            filter: state.filter.clone(),
            only: state.only,
            folded: state.folded.clone(),
            pinned: state.pinned.clone(),
        }
    }

    fn is_for(&self, trace: &Trace, state: &TraceViewState) -> bool {
        self.shape == trace.shape()
            && self.only == state.only
            && self.filter == state.filter
            && self.folded == state.folded
            && self.pinned == state.pinned
    }
}

/// The places of all that is not folded and not filtered out. The pinned lanes come first, and what is about the window
/// last: the frames are below it, and a first freeze moves no other lane.
pub(super) fn places(trace: &Trace, state: &mut TraceViewState) -> Arc<Vec<Place>> {
    let kept = &state.places;
    let is_kept = kept.found_for.as_ref();
    if !is_kept.is_some_and(|found_for| found_for.is_for(trace, state)) {
        state.places = KeptPlaces {
            places: Arc::new(found_places(trace, state)),
            found_for: Some(FoundFor::new(trace, state)),
        };
    }
    Arc::clone(&state.places.places)
}

fn found_places(trace: &Trace, state: &TraceViewState) -> Vec<Place> {
    let mut places = Places::default();
    for &id in &state.pinned {
        if let Some(lane) = trace.lane(id) {
            places.add(Entry::Lane(id), lane_height(lane));
        }
    }
    let filter = state.filter.to_lowercase();
    let has = |text: &str| filter.is_empty() || text.to_lowercase().contains(&filter);
    let of_window = |is_of_window: bool| {
        let groups = trace.groups();
        groups.filter(move |(_, group)| group.is_of_window() == is_of_window)
    };
    for (id, group) in of_window(false).chain(of_window(true)) {
        add_group(id, group, &has, state, &mut places);
    }
    places.all
}

fn add_group(
    id: GroupId,
    group: &Group,
    has: &dyn Fn(&str) -> bool,
    state: &TraceViewState,
    places: &mut Places,
) {
    let all = has(&group.name);
    let goes_on = group.is_open();
    let shown = |(id, lane): &(LaneId, &Lane)| {
        !state.pinned.contains(id)
            && (all || has(&lane.name))
            && !lane.is_empty()
            && state.only.has_lane(lane, goes_on)
    };
    let mut lanes = group.lanes(id).filter(shown).peekable();
    let is_empty = all && state.only == Only::All && group.is_empty();
    if lanes.peek().is_none() && !is_empty {
        return;
    }
    places.add(Entry::Group(id), GROUP_HEIGHT);
    if state.folded.contains(&id) {
        return;
    }
    let counters = group.counters(id).filter(|(_, counter)| counter.is_shown());
    for (id, _) in counters.filter(|(_, counter)| all || has(&counter.name)) {
        places.add(Entry::Counter(id), COUNTER_HEIGHT);
    }
    for (id, lane) in lanes {
        places.add(Entry::Lane(id), lane_height(lane));
    }
}

#[derive(Default)]
struct Places {
    all: Vec<Place>,
    top: f32,
}

impl Places {
    fn add(&mut self, entry: Entry, height: f32) {
        let top = self.top;
        self.all.push(Place { entry, top, height });
        self.top += height;
    }
}

/// The height of all.
pub(super) fn height(places: &[Place]) -> f32 {
    places.last().map_or(0.0, |last| last.top + last.height)
}

/// Those that are between two heights, at least in part.
pub(super) fn between(places: &[Place], top: f32, bottom: f32) -> Range<usize> {
    let first = places.partition_point(|place| place.top + place.height <= top);
    let end = places.partition_point(|place| place.top < bottom);
    first..end.max(first)
}

fn lane_height(lane: &Lane) -> f32 {
    ROW_HEIGHT * lane.rows().len().max(1) as f32 + 2.0 * LANE_GAP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{LaneKind, Span, SpanOutcome, SpanState};

    const GROUP: GroupId = GroupId::new(1);

    /// A trace with so many lanes, each with a span.
    fn trace(lanes: usize) -> Trace {
        let mut trace = Trace::default();
        trace.add_group(GROUP, "group");
        let name = trace.add_text("span");
        for number in 0..lanes {
            let lane = trace.add_lane(GROUP, format!("lane {number}"), LaneKind::Thread);
            let lane = lane.expect("there is room");
            let span = Span::open(0, name, SpanState::Runs).until(1, SpanOutcome::Returned);
            trace.add(lane, span);
        }
        trace
    }

    fn last_lane(trace: &Trace) -> LaneId {
        trace.lanes().last().expect("a lane").0
    }

    #[test]
    fn spans_of_a_kind_that_is_there_move_no_lane() {
        let mut trace = trace(100_000);
        let mut state = TraceViewState::default();
        let (lane, name) = (last_lane(&trace), trace.add_text("span"));
        let mut add = |at: u64| {
            trace.begin(lane, at, name, SpanState::Runs);
            trace.end(lane, at + 5, SpanOutcome::Returned);
            places(&trace, &mut state)
        };
        // A span that has not ended is of a new kind.
        let before = add(10);
        assert_eq!(before.len(), 100_001);
        assert!((2..100).all(|number| Arc::ptr_eq(&before, &add(number * 10))));
    }

    #[test]
    fn what_changes_the_lanes_finds_them_anew() {
        let mut trace = trace(3);
        let mut state = TraceViewState::default();
        assert_eq!(places(&trace, &mut state).len(), 4);
        state.filter = "lane 1".to_owned();
        assert_eq!(places(&trace, &mut state).len(), 2);
        state.filter.clear();
        state.only = Only::Failed;
        assert_eq!(places(&trace, &mut state).len(), 0);
        let (lane, name) = (last_lane(&trace), trace.add_text("span"));
        trace.begin(lane, 10, name, SpanState::Runs);
        trace.end(lane, 20, SpanOutcome::Failed);
        assert_eq!(places(&trace, &mut state).len(), 2);
        state.folded.insert(GROUP);
        assert_eq!(places(&trace, &mut state).len(), 1);
        state.pinned.insert(lane);
        assert_eq!(places(&trace, &mut state)[0].entry, Entry::Lane(lane));
        trace.remove_group(GROUP);
        assert_eq!(places(&trace, &mut state).len(), 0);
    }
}
