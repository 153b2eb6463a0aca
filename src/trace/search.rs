//! A search for the next span with a text in its name, a part at a time.

use std::ops::Bound;

use super::{GroupId, LaneId, SpanId, SpanName, Trace};

/// A search that goes on from a span, lane by lane, and from the end of the trace again from its begin.
#[derive(Clone, Debug)]
pub struct Search {
    /// In small letters.
    text: String,
    goes_back: bool,
    at: Option<SpanId>,
    looked_at: usize,
    /// The last text of the trace, and whether it has the searched one: spans that follow each other often share it.
    last_text: Option<(u32, bool)>,
}

/// What a part of a search has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchStep {
    Found(SpanId),
    /// No name has the text.
    Nothing,
    /// There is more to look at.
    GoesOn,
}

impl Search {
    /// A search for the first span after `from`, or before it if it goes back, whose name has this text in small or
    /// large letters.
    pub fn new(text: &str, from: Option<SpanId>, goes_back: bool) -> Self {
        Self {
            text: text.to_lowercase(),
            goes_back,
            at: from,
            looked_at: 0,
            last_text: None,
        }
    }

    /// Looks at so many spans at most.
    pub fn go_on(&mut self, trace: &Trace, spans: usize) -> SearchStep {
        for _ in 0..spans {
            // Those that came meanwhile may be left out.
            if self.looked_at >= trace.len() {
                return SearchStep::Nothing;
            }
            self.looked_at += 1;
            let Some(next) = next_span(trace, self.at, self.goes_back) else {
                return SearchStep::Nothing;
            };
            self.at = Some(next);
            if self.has(trace, next) {
                return SearchStep::Found(next);
            }
        }
        SearchStep::GoesOn
    }

    fn has(&mut self, trace: &Trace, id: SpanId) -> bool {
        let Some(span) = trace.span(id) else {
            return false;
        };
        if let (SpanName::Text(number), Some((last, has))) = (span.name, self.last_text)
            && number == last
        {
            return has;
        }
        let has = contains(&trace.name(id.lane.group, span.name), &self.text);
        if let SpanName::Text(number) = span.name {
            self.last_text = Some((number, has));
        }
        has
    }
}

/// Whether a name has a text that is in small letters.
fn contains(name: &str, text: &str) -> bool {
    if !name.is_ascii() || !text.is_ascii() {
        return name.to_lowercase().contains(text);
    }
    let (name, text) = (name.as_bytes(), text.as_bytes());
    text.is_empty()
        || name
            .windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text))
}

/// The span after another one, or before it: in its row, else in the next row that has one. After the last one it is the
/// first.
fn next_span(trace: &Trace, from: Option<SpanId>, back: bool) -> Option<SpanId> {
    let Some(from) = from.filter(|from| trace.span(*from).is_some()) else {
        return in_groups(trace, Bound::Unbounded, back);
    };
    let next = if back {
        from.index.checked_sub(1)
    } else {
        Some(from.index + 1)
    };
    let beside = next.map(|index| SpanId { index, ..from });
    if let Some(beside) = beside.filter(|beside| trace.span(*beside).is_some()) {
        return Some(beside);
    }
    in_lane(trace, from.lane, Some(from.row), back)
        .or_else(|| in_group(trace, from.lane.group, Some(from.lane.index), back))
        .or_else(|| in_groups(trace, Bound::Excluded(from.lane.group), back))
        .or_else(|| in_groups(trace, Bound::Unbounded, back))
}

/// The first span of the next groups, or the last one of those before.
fn in_groups(trace: &Trace, from: Bound<GroupId>, back: bool) -> Option<SpanId> {
    let found = |id: &GroupId| in_group(trace, *id, None, back);
    if back {
        let mut before = trace.groups.range((Bound::Unbounded, from)).rev();
        before.find_map(|(id, _)| found(id))
    } else {
        let mut after = trace.groups.range((from, Bound::Unbounded));
        after.find_map(|(id, _)| found(id))
    }
}

/// The first span of the lanes after one of a group, or of all.
fn in_group(trace: &Trace, id: GroupId, from: Option<usize>, back: bool) -> Option<SpanId> {
    let lanes = trace.group(id)?.lane_count();
    let mut indices = beside(lanes, from, back);
    indices.find_map(|index| in_lane(trace, LaneId { group: id, index }, None, back))
}

/// The first span of the rows below one of a lane, or of all.
fn in_lane(trace: &Trace, lane: LaneId, from: Option<usize>, back: bool) -> Option<SpanId> {
    let rows = trace.lane(lane)?.rows();
    let mut numbers = beside(rows.len(), from, back);
    numbers.find_map(|row| {
        let last = rows[row].len().checked_sub(1)?;
        let index = if back { last } else { 0 };
        Some(SpanId { lane, row, index })
    })
}

/// The places after `from`, or those before it from the last one on.
fn beside(len: usize, from: Option<usize>, back: bool) -> Box<dyn Iterator<Item = usize>> {
    if back {
        Box::new((0..from.unwrap_or(len).min(len)).rev())
    } else {
        Box::new(from.map_or(0, |from| from + 1)..len)
    }
}
