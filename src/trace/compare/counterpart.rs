//! Which span is that of another trace, for one span.

use super::align::{
    Entry, GroupPair, align_all, compared_name, entries, lanes_of, pair_groups, pair_lanes,
};
use crate::trace::{SpanId, Trace};

/// The span of the other trace that [`compare`](super::compare()) takes for the same as this one of the first trace;
/// `None` if it is there in the first trace alone. It does not matter which of the two traces is before and which is
/// after: the counterpart of the counterpart is the span.
///
/// It aligns only the spans of the same name and state in lanes of the same kind, in one group of each trace, and keeps
/// no others in memory. If its lane has the counterpart, the spans of other lanes are not aligned either. It looks at
/// the names of all spans of both groups, which of a million takes longer than a frame, so a window does it in a task.
pub fn counterpart(trace: &Trace, other: &Trace, span: SpanId) -> Option<SpanId> {
    let pairs = pair_groups(trace, other);
    let of_span = |(group, _): &GroupPair| *group == Some(span.lane.group);
    let (Some(group), Some(other_group)) = pairs.into_iter().find(of_span)? else {
        return None;
    };
    let kind = trace.lane(span.lane)?.kind;
    let one = trace.span(span)?;
    let name = compared_name(trace, group, kind, one);
    let lanes = (
        lanes_of(trace, Some(group)),
        lanes_of(other, Some(other_group)),
    );
    let pairs = pair_lanes(&lanes.0, &lanes.1);
    let pair = *pairs.0.get(span.lane.index)?;
    let spans_of = |trace: &Trace, group, pairs: &[u32], only: Option<u32>| {
        entries(trace, Some(group), pairs, 0, |pair, of, span| {
            let is_same = of == kind
                && span.state == one.state
                && only.is_none_or(|only| only == pair)
                && compared_name(trace, group, of, span) == name;
            is_same.then_some(0)
        })
    };
    // Those of its lane first: what is aligned there stays so.
    [Some(pair), None].into_iter().find_map(|only| {
        let spans = spans_of(trace, group, &pairs.0, only);
        let others = spans_of(other, other_group, &pairs.1, only);
        let found = aligned_with(span, &spans, &others)?;
        Some(found.id(other_group))
    })
}

/// What the span is aligned with.
fn aligned_with<'e>(span: SpanId, spans: &'e [Entry], others: &'e [Entry]) -> Option<&'e Entry> {
    let mut counterpart = None;
    align_all((spans, others), |one, other| {
        if one.is_some_and(|one| one.is(span)) {
            counterpart = other;
        }
    });
    counterpart
}
