//! The spans of a row, which follow each other.
//!
//! They are in blocks, so that a clone of a million spans is a thousand pointers. Each block has a summary, and so has
//! each part of it. A view of the whole row reads those in place of the spans.

use std::sync::Arc;

use super::span::{Span, SpanOutcome};

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
    /// The place in its block of the span that stands out most.
    top: u16,
}

/// What to draw of a row: one span, or several that are too short to be seen alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub began: u64,
    /// `None` while its last span goes on.
    pub ended: Option<u64>,
    /// The span, or of several the one that went wrong, else the longest one.
    pub span: usize,
    /// The number of spans.
    pub count: usize,
    /// The time that its spans take, without one that goes on.
    pub busy: u64,
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
            ended: Some(span.began()),
            span: first,
            count: 0,
            busy: 0,
        };
        let mut weight = (SpanOutcome::None, 0);
        while let Some((next, len)) = self.next_within(first + piece.count, piece.began, step) {
            let top = (first + piece.count) / BLOCK * BLOCK + usize::from(next.top);
            if let Some(span) = self.get(top)
                && span.weight() > weight
            {
                weight = span.weight();
                piece.span = top;
            }
            piece.ended = Some(next.ended);
            piece.busy += next.busy;
            piece.count += len;
        }
        if piece.count == 0 {
            piece.ended = span.ended();
            piece.busy = span.length();
            piece.count = 1;
        }
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
            Some(part) if !place.is_multiple_of(PART) => part.add(&summary, &span, &self.spans),
            _ => self.parts.push(summary),
        }
        self.whole.add(&summary, &span, &self.spans);
        self.spans.push(span);
    }

    /// Puts a span in the place of the one that is there.
    fn set(&mut self, place: usize, span: Span) {
        let before = std::mem::replace(&mut self.spans[place], span);
        let begin = place / PART * PART;
        let end = self.spans.len().min(begin + PART);
        let part = &mut self.parts[place / PART];
        part.busy = part.busy - before.length() + span.length();
        self.whole.busy = self.whole.busy - before.length() + span.length();
        part.ended = self.spans[end - 1].raw_end();
        self.whole.ended = self.spans[self.spans.len() - 1].raw_end();
        part.top = top_of(&self.spans, begin..end);
        let top = usize::from(self.whole.top);
        if top == place {
            let tops = self.parts.iter().map(|part| usize::from(part.top));
            self.whole.top = top_of(&self.spans, tops);
        } else if span.weight() > self.spans[top].weight() {
            self.whole.top = number(place);
        }
    }
}

/// The place of the span that stands out most.
fn top_of(spans: &[Span], places: impl IntoIterator<Item = usize>) -> u16 {
    let top = places
        .into_iter()
        .max_by_key(|&place| spans[place].weight());
    top.map_or(0, number)
}

/// A place in a block, which has fewer than 65 536.
fn number(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

impl Summary {
    fn new(span: &Span, place: usize) -> Self {
        Self {
            ended: span.raw_end(),
            busy: span.length(),
            top: number(place),
        }
    }

    /// Adds a span that follows those `before`.
    fn add(&mut self, next: &Self, span: &Span, before: &[Span]) {
        self.ended = next.ended;
        self.busy += next.busy;
        if span.weight() > before[usize::from(self.top)].weight() {
            self.top = next.top;
        }
    }
}
