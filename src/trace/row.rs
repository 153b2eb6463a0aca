//! The spans of a row, which follow each other.
//!
//! They are in blocks, so that a clone of a million spans is a thousand pointers. Each block has a summary, and so has
//! each part of it. A view of the whole row reads those in place of the spans.

use std::sync::Arc;

use super::seen::Seen;
use super::span::{Span, SpanOutcome, SpanState, weight};

/// The spans of a block.
const BLOCK: usize = 1_024;
/// The spans of a part of a block.
const PART: usize = 8;

/// Spans in the order of their times, of which none begins before the one before it ends.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// All but the last one are full.
    blocks: Vec<Arc<Block>>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Block {
    spans: Vec<Span>,
    parts: Vec<Summary>,
    whole: Summary,
}

/// What there is to know of spans that follow each other.
#[derive(Clone, Copy, Debug)]
struct Summary {
    /// Above all others while the last one is open.
    ended: u64,
    /// The sum of the times of those that have ended.
    busy: u64,
    /// The span that stands out most: its place in its block, and what there is to know of it.
    top: u16,
    length: u64,
    state: SpanState,
    outcome: SpanOutcome,
    seen: Seen,
}

/// One for each part of a block is an eighth of a span.
const _: () = assert!(size_of::<Summary>() <= 32, "a summary is small");

/// What to draw of a row: one span, or several that are too short to be seen alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub began: u64,
    /// `None` while its last span goes on.
    pub ended: Option<u64>,
    /// The span, or of several the one that went wrong, else the longest one.
    pub span: usize,
    /// What that span does, and how it ended.
    pub state: SpanState,
    pub outcome: SpanOutcome,
    /// The number of spans.
    pub count: usize,
    /// The time that its spans take, without one that goes on.
    pub busy: u64,
    /// What kinds of spans they are.
    pub seen: Seen,
}

impl Row {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, index: usize) -> Option<&Span> {
        self.blocks.get(index / BLOCK)?.spans.get(index % BLOCK)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Span> {
        self.blocks.iter().flat_map(|block| &block.spans)
    }

    pub fn last(&self) -> Option<&Span> {
        self.blocks.last()?.spans.last()
    }

    /// Appends a span, and returns its place. It begins at the end of the one before if it would begin earlier, as
    /// after a jump of the clock. The one before has ended.
    pub(super) fn push(&mut self, mut span: Span) -> usize {
        let earliest = self.last().map_or(0, Span::raw_end);
        span.begin_not_before(earliest);
        match self.blocks.last_mut() {
            Some(last) if !self.len.is_multiple_of(BLOCK) => Arc::make_mut(last).push(span),
            _ => self.blocks.push(Arc::new(Block::new(span))),
        }
        self.len += 1;
        self.len - 1
    }

    /// Ends the span at a place, or notes that it has ended earlier than was known, and how.
    pub(super) fn end(&mut self, index: usize, at: u64, outcome: SpanOutcome) {
        if let Some(block) = self.blocks.get_mut(index / BLOCK)
            && let Some(span) = block.spans.get(index % BLOCK)
        {
            let ended = span.until(at.min(span.raw_end()), outcome);
            Arc::make_mut(block).set(index % BLOCK, ended);
        }
    }

    /// The place of the first span that ends after a time; the number of spans if there is none.
    pub fn first_ending_after(&self, at: u64) -> usize {
        let block = self.blocks.partition_point(|block| block.whole.ended <= at);
        self.blocks.get(block).map_or(self.len, |found| {
            let spans = &found.spans;
            block * BLOCK + spans.partition_point(|span| span.raw_end() <= at)
        })
    }

    /// The span at a time, with its place.
    pub fn at(&self, at: u64) -> Option<(usize, &Span)> {
        let index = self.first_ending_after(at);
        let span = self.get(index)?;
        (span.began() <= at).then_some((index, span))
    }

    /// Calls `draw` for the pieces between two times: each is a span that is longer than `step` nanoseconds, or stands
    /// for all spans within such a time, or within twice that. So there are at most `2 * (until - from) / step` of them
    /// or so, however many spans there are.
    pub fn pieces(&self, from: u64, until: u64, step: u64, mut draw: impl FnMut(Piece)) {
        let mut index = self.first_ending_after(from);
        while let Some(piece) = self.piece_at(index, step.max(1))
            && piece.began < until
        {
            index += piece.count;
            draw(piece);
        }
    }

    fn piece_at(&self, first: usize, step: u64) -> Option<Piece> {
        let span = self.get(first)?;
        let mut piece = Piece {
            began: span.began(),
            ended: span.ended(),
            span: first,
            state: span.state,
            outcome: span.outcome,
            count: 0,
            busy: span.length(),
            seen: Seen::of(span),
        };
        let mut sum: Option<Summary> = None;
        while let Some((next, len)) = self.next_within(first + piece.count, piece.began, step) {
            let block = (first + piece.count) / BLOCK * BLOCK;
            match &mut sum {
                Some(sum) if sum.weight() >= next.weight() => sum.add(&next),
                _ => {
                    piece.span = block + usize::from(next.top);
                    let (busy, mut seen) =
                        sum.map_or_else(Default::default, |sum| (sum.busy, sum.seen));
                    seen.add(next.seen);
                    let busy = busy + next.busy;
                    sum = Some(Summary { busy, seen, ..next });
                }
            }
            piece.count += len;
        }
        if let Some(sum) = sum {
            piece.ended = Some(sum.ended);
            piece.busy = sum.busy;
            piece.state = sum.state;
            piece.outcome = sum.outcome;
            piece.seen = sum.seen;
        }
        piece.count = piece.count.max(1);
        Some(piece)
    }

    /// The summary of the block, part or span at a place, with the number of its spans; `None` if it ends more than
    /// `step` after `began`.
    ///
    /// A part or a block may take twice as long. So where there are many spans, all pieces begin with one, and no
    /// span is looked at.
    fn next_within(&self, index: usize, began: u64, step: u64) -> Option<(Summary, usize)> {
        let block = self.blocks.get(index / BLOCK)?;
        let place = index % BLOCK;
        let limit = began.saturating_add(step);
        let far = limit.saturating_add(step);
        if place == 0 && block.whole.ended <= far {
            return Some((block.whole, block.spans.len()));
        }
        if place.is_multiple_of(PART)
            && let Some(part) = block.parts.get(place / PART)
            && part.ended <= far
        {
            return Some((*part, PART.min(block.spans.len() - place)));
        }
        let span = block.spans.get(place)?;
        (span.raw_end() <= limit).then(|| (Summary::new(span, place), 1))
    }
}

impl Block {
    fn new(first: Span) -> Self {
        let whole = Summary::new(&first, 0);
        Self {
            spans: vec![first],
            parts: vec![whole],
            whole,
        }
    }

    fn push(&mut self, span: Span) {
        let place = self.spans.len();
        let summary = Summary::new(&span, place);
        match self.parts.last_mut() {
            Some(part) if !place.is_multiple_of(PART) => part.add(&summary),
            _ => self.parts.push(summary),
        }
        self.whole.add(&summary);
        self.spans.push(span);
    }

    /// Puts a span in the place of the one that is there.
    fn set(&mut self, place: usize, span: Span) {
        self.spans[place] = span;
        let begin = place / PART * PART;
        let end = self.spans.len().min(begin + PART);
        let spans = (begin..end).map(|place| Summary::new(&self.spans[place], place));
        let before = self.parts[place / PART];
        let Some(part) = sum(spans) else {
            return;
        };
        self.parts[place / PART] = part;
        let is_worse = part.weight() < before.weight();
        if is_worse && self.whole.top == before.top {
            self.whole = sum(self.parts.iter().copied()).unwrap_or(part);
            return;
        }
        self.whole.busy = self.whole.busy - before.busy + part.busy;
        self.whole.seen.add(part.seen);
        if end == self.spans.len() {
            self.whole.ended = part.ended;
        }
        self.whole.take_top(&part);
    }
}

/// The summary of all; `None` if there are none.
fn sum(all: impl IntoIterator<Item = Summary>) -> Option<Summary> {
    all.into_iter().reduce(|mut sum, next| {
        sum.add(&next);
        sum
    })
}

impl Summary {
    fn new(span: &Span, place: usize) -> Self {
        Self {
            ended: span.raw_end(),
            busy: span.length(),
            // A block has fewer than 65 536.
            top: u16::try_from(place).unwrap_or(u16::MAX),
            length: span.length(),
            state: span.state,
            outcome: span.outcome,
            seen: Seen::of(span),
        }
    }

    fn weight(&self) -> (SpanOutcome, u64) {
        weight(self.outcome, self.length)
    }

    /// Adds what follows.
    fn add(&mut self, next: &Self) {
        self.ended = next.ended;
        self.busy += next.busy;
        self.seen.add(next.seen);
        self.take_top(next);
    }

    fn take_top(&mut self, other: &Self) {
        if other.weight() > self.weight() {
            self.top = other.top;
            self.length = other.length;
            self.state = other.state;
            self.outcome = other.outcome;
        }
    }
}
