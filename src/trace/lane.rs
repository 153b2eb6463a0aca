//! A lane: the rows of spans of one thread, process or the like.

use super::row::Row;
use super::seen::Seen;
use super::span::{Span, SpanOutcome};

/// One thread, process, or whatever else has spans that lie within each other or follow each other.
#[derive(Clone, Debug)]
pub struct Lane {
    pub name: String,
    pub kind: LaneKind,
    rows: Vec<Row>,
    /// The spans that have not ended, outermost first: each is the last one of the row at its place.
    open: Vec<Open>,
    /// How many of these are kept.
    kept: usize,
    seen: Seen,
}

/// Whose lane it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LaneKind {
    /// A job, or a program, as a whole.
    Whole,
    /// Waits for the end of a job.
    Joins,
    /// A task or a thread.
    Thread,
    /// A thread that hands its items to isolated workers.
    Worker,
    Process,
    /// The thread that draws a window.
    Window,
}

impl LaneKind {
    pub const ALL: [Self; 6] = [
        Self::Whole,
        Self::Joins,
        Self::Thread,
        Self::Worker,
        Self::Process,
        Self::Window,
    ];

    pub(super) fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.label() == label)
    }

    /// The word in files.
    pub fn label(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Joins => "joins",
            Self::Thread => "thread",
            Self::Worker => "worker",
            Self::Process => "process",
            Self::Window => "window",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Open {
    /// At this place of its row.
    Kept(usize),
    /// There was no room for it.
    Skipped,
}

impl Lane {
    pub(super) fn new(name: String, kind: LaneKind) -> Self {
        Self {
            name,
            kind,
            rows: Vec::new(),
            open: Vec::new(),
            kept: 0,
            seen: Seen::default(),
        }
    }

    /// The rows, outermost first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The number of its spans.
    pub fn len(&self) -> usize {
        self.rows.iter().map(Row::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(Row::is_empty)
    }

    /// Whether a span has begun in it and has not ended.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// What kinds of spans it has, or once had.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// When its first span began.
    pub fn began(&self) -> Option<u64> {
        Some(self.rows.first()?.get(0)?.began())
    }

    /// The latest time of anything in it.
    pub(super) fn last_at(&self) -> Option<u64> {
        let last = self.rows.iter().filter_map(Row::last);
        last.map(|span| span.ended().unwrap_or(span.began())).max()
    }

    /// When the next span within the open ones may begin.
    pub(super) fn free_from(&self) -> u64 {
        let last = self.rows.get(self.kept).and_then(Row::last);
        let around = self
            .kept
            .checked_sub(1)
            .and_then(|row| self.rows[row].last());
        let ended = last.and_then(Span::ended).unwrap_or(0);
        ended.max(around.map_or(0, Span::began))
    }

    /// Adds a span within those that are open, or after those that have ended. Returns its row and its place; `None` if
    /// it would overlap the end of another one.
    pub(super) fn push(&mut self, span: Span) -> Option<(usize, usize)> {
        let depth = self.depth_of(&span)?;
        if depth == self.rows.len() {
            self.rows.push(Row::default());
        }
        let index = self.rows[depth].push(span);
        self.seen.add(Seen::of(&span));
        if span.is_open() {
            self.open.push(Open::Kept(index));
            self.kept += 1;
        }
        Some((depth, index))
    }

    /// Passes over a span for which there is no room.
    pub(super) fn skip(&mut self, span: &Span) -> Option<(usize, usize)> {
        if span.is_open() {
            self.open.push(Open::Skipped);
        }
        None
    }

    /// The row of a span: below the open ones, and below those of the rest that it lies in.
    fn depth_of(&self, span: &Span) -> Option<usize> {
        // In each row below them the last span ends no later than in the row above, so a search in halves finds the place:
        // there may be a hundred thousand rows.
        let below = self.rows.get(self.kept..).unwrap_or_default();
        let ends_later = |row: &Row| row.last().is_some_and(|last| last.raw_end() > span.began());
        let around = below.partition_point(ends_later);
        let innermost = around.checked_sub(1).and_then(|row| below[row].last());
        // An open span would end whenever it likes.
        let overlaps = |last: &Span| span.is_open() || last.raw_end() < span.raw_end();
        (!innermost.is_some_and(overlaps)).then_some(self.kept + around)
    }

    /// Ends the innermost open span.
    pub(super) fn end(&mut self, at: u64, outcome: SpanOutcome) {
        if let Some(Open::Kept(index)) = self.open.pop() {
            self.kept -= 1;
            let depth = self.kept;
            let at = self.not_before_inner((depth, index), at);
            self.end_in_row(depth, index, at, outcome);
        }
    }

    /// Ends the span at a row and a place there, and those within it. Of one that has ended it says how, and that it
    /// was earlier.
    pub(super) fn conclude(&mut self, place: (usize, usize), at: u64, outcome: SpanOutcome) {
        let is_open = |lane: &Self| {
            let row = lane.rows.get(place.0);
            lane.kept > place.0 && row.is_some_and(|row| row.len() == place.1 + 1)
        };
        while is_open(self) {
            self.end(at, SpanOutcome::None);
        }
        let at = self.not_before_inner(place, at);
        self.end_in_row(place.0, place.1, at, outcome);
    }

    fn end_in_row(&mut self, row: usize, index: usize, at: u64, outcome: SpanOutcome) {
        if let Some(row) = self.rows.get_mut(row) {
            row.end(index, at, outcome);
            if let Some(span) = row.get(index) {
                self.seen.add(Seen::of(span));
            }
        }
    }

    /// A span ends no earlier than what lies in it.
    fn not_before_inner(&self, (row, index): (usize, usize), at: u64) -> u64 {
        let span = self.rows.get(row).and_then(|row| row.get(index));
        let inner = self.rows.get(row + 1);
        let (Some(span), Some(inner)) = (span, inner) else {
            return at;
        };
        // What ends after it lies in a later one.
        let after = inner.first_ending_after(span.raw_end());
        let last = after.checked_sub(1).and_then(|last| inner.get(last));
        let ended = last.and_then(Span::ended);
        ended.map_or(at, |ended| at.max(ended))
    }
}
