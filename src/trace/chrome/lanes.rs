//! Makes lanes of a trace out of the spans of threads.

use std::collections::HashMap;

use crate::trace::{
    GroupId, LaneId, LaneKind, MAX_SPANS, Span, SpanName, SpanOutcome, SpanState, Trace,
};

/// The lanes that the spans of a thread get at most when they overlap.
const MAX_OVERLAPS: usize = 64;

/// What a file has of a thread, or of asynchronous events of one name.
pub(super) struct LaneEvents {
    pub(super) name: String,
    pub(super) kind: LaneKind,
    /// Asynchronous spans may overlap as they like.
    pub(super) is_async: bool,
    pub(super) sort_index: i64,
    pub(super) spans: Vec<RawSpan>,
    /// The begins without an end, as places in `spans`, of a thread under the key "".
    pub(super) open: HashMap<String, Vec<usize>>,
}

/// The number of an item in a span that is none.
pub(super) const NO_ITEM: u32 = u32::MAX;

#[derive(Clone, Copy)]
pub(super) struct RawSpan {
    pub(super) began: i64,
    /// `None` while its end is not known.
    pub(super) ended: Option<i64>,
    pub(super) name: SpanName,
    /// The number of its item, in a file of this program.
    pub(super) item: u32,
    pub(super) state: SpanState,
    pub(super) outcome: SpanOutcome,
}

/// Gives a group the names of its items, and their spans the numbers.
pub(super) fn name_items(
    lanes: &mut [LaneEvents],
    places: &[usize],
    group: GroupId,
    trace: &mut Trace,
) {
    let mut names: Vec<Option<SpanName>> = Vec::new();
    for place in places {
        for span in &lanes[*place].spans {
            let number = span.item as usize;
            if number < MAX_SPANS {
                names.resize(names.len().max(number + 1), None);
                names[number].get_or_insert(span.name);
            }
        }
    }
    for place in places {
        for span in &mut lanes[*place].spans {
            // Another name is kept as a text.
            if names.get(span.item as usize) == Some(&Some(span.name)) {
                span.name = SpanName::Item(span.item);
            }
        }
    }
    for (number, name) in names.into_iter().enumerate() {
        let name = match name {
            Some(name) => trace.name(group, name).into_owned(),
            None => format!("item {}", number + 1),
        };
        trace.add_item(group, &name);
    }
}

/// The one around others comes before them.
pub(super) fn in_order(spans: &mut [RawSpan]) {
    spans.sort_by_key(|span| {
        let ended = span.ended.unwrap_or(i64::MAX);
        (span.began, std::cmp::Reverse(ended))
    });
}

/// Adds the spans of a thread: those that overlap others in lanes of their own. Returns the number of those that there
/// is no lane for.
pub(super) fn add_spans(
    lane: &mut LaneEvents,
    id: LaneId,
    since: &dyn Fn(i64) -> u64,
    trace: &mut Trace,
) -> usize {
    let mut spans = std::mem::take(&mut lane.spans);
    let mut to = id;
    for overlap in 0..MAX_OVERLAPS {
        if overlap > 0 {
            let name = format!("{} ({})", lane.name, overlap + 1);
            let Some(next) = trace.add_lane(id.group, name, lane.kind) else {
                break;
            };
            to = next;
        }
        spans.retain(|span| {
            let mut made = Span::open(since(span.began), span.name, span.state);
            if let Some(ended) = span.ended {
                made = made.until(since(ended), span.outcome);
            }
            trace.add(to, made).is_none()
        });
        if spans.is_empty() {
            break;
        }
    }
    spans.len()
}
