//! Makes lanes of a trace out of the spans of threads.

use std::collections::HashMap;

use super::collect::{MAX_TEXT, SHORT_TEXT};
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

impl LaneEvents {
    /// Changes the times of its spans. Done before they are put in order, so that the order is that in which they are
    /// read again.
    pub(super) fn count_from(&mut self, relative: &dyn Fn(i64) -> i64) {
        for span in &mut self.spans {
            span.began = relative(span.began);
            span.ended = span.ended.map(relative);
        }
    }
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

/// How many items the groups may have together, and the bytes of their names that are not short.
pub(super) struct ItemRoom {
    items: usize,
    text: usize,
}

impl Default for ItemRoom {
    fn default() -> Self {
        Self {
            items: MAX_SPANS,
            text: MAX_TEXT,
        }
    }
}

/// Gives a group the names of its items, and their spans the numbers, as far as there is room: the others are no items.
pub(super) fn name_items(
    lanes: &mut [LaneEvents],
    places: &[usize],
    group: GroupId,
    room: &mut ItemRoom,
    trace: &mut Trace,
) {
    let mut names: Vec<Option<SpanName>> = Vec::new();
    for place in places {
        for span in &lanes[*place].spans {
            let number = span.item as usize;
            if number >= room.items || names.get(number).is_some_and(Option::is_some) {
                continue;
            }
            let name = trace.name(group, span.name).len();
            let text = if name > SHORT_TEXT { name } else { 0 };
            if let Some(left) = room.text.checked_sub(text) {
                room.text = left;
                names.resize(names.len().max(number + 1), None);
                names[number] = Some(span.name);
            }
        }
    }
    room.items -= names.len();
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
pub(super) fn add_spans(lane: &mut LaneEvents, id: LaneId, trace: &mut Trace) -> usize {
    let mut spans = std::mem::take(&mut lane.spans);
    let mut to = id;
    for overlap in 0..MAX_OVERLAPS {
        if overlap > 0 {
            let end = lane.name.floor_char_boundary(SHORT_TEXT);
            let name = format!("{} ({})", &lane.name[..end], overlap + 1);
            let Some(next) = trace.add_lane(id.group, name, lane.kind) else {
                break;
            };
            to = next;
        }
        spans.retain(|span| {
            let mut made = Span::open(span.began.unsigned_abs(), span.name, span.state);
            if let Some(ended) = span.ended {
                made = made.until(ended.unsigned_abs(), span.outcome);
            }
            trace.add(to, made).is_none()
        });
        if spans.is_empty() {
            break;
        }
    }
    spans.len()
}
