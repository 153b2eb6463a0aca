//! Where the groups and lanes of a trace are, from top to bottom.

use std::ops::Range;

use super::TraceViewState;
use crate::trace::{GroupId, Lane, LaneId, Trace};

pub(super) const GROUP_HEIGHT: f32 = 24.0;
pub(super) const ROW_HEIGHT: f32 = 16.0;
/// Above and below the rows of a lane.
pub(super) const LANE_GAP: f32 = 2.0;

/// The place of a group's heading or of a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) entry: Entry,
    pub(super) top: f32,
    pub(super) height: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Group(GroupId),
    Lane(LaneId),
}

/// The places of all that is not folded and not filtered out. The pinned lanes come first.
pub(super) fn places(trace: &Trace, state: &TraceViewState) -> Vec<Place> {
    let mut places = Vec::new();
    let mut top = 0.0;
    let mut add = |entry, height: f32| {
        places.push(Place { entry, top, height });
        top += height;
    };
    for &id in &state.pinned {
        if let Some(lane) = trace.lane(id) {
            add(Entry::Lane(id), lane_height(lane));
        }
    }
    let filter = state.filter.to_lowercase();
    let has = |text: &str| filter.is_empty() || text.to_lowercase().contains(&filter);
    for (id, group) in trace.groups() {
        let all = has(&group.name);
        let shown = |(id, lane): &(LaneId, &Lane)| {
            !state.pinned.contains(id) && (all || has(&lane.name)) && !lane.is_empty()
        };
        let mut lanes = group.lanes(id).filter(shown).peekable();
        if lanes.peek().is_none() && !(all && group.is_empty()) {
            continue;
        }
        add(Entry::Group(id), GROUP_HEIGHT);
        if !state.folded.contains(&id) {
            for (id, lane) in lanes {
                add(Entry::Lane(id), lane_height(lane));
            }
        }
    }
    places
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
