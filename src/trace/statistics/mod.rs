//! What the spans of one group of a trace say in figures.
//!
//! Every figure takes time in proportion to the number of spans, but for one sort of the begins and ends of items.
//! Compute them in a task: a million spans take longer than a frame.

mod critical_path;
mod distribution;
mod parallelism;
mod report;

pub use critical_path::{CriticalPath, Step};
pub use distribution::{Bin, Percentiles};
pub use parallelism::Parallelism;
pub use report::{figures, statistics_json, statistics_text};

use super::{Group, GroupId, Lane, LaneId, LaneKind, Row, Span, SpanName, SpanState, Trace};

/// The figures of a group. All times are nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// When its first span began, and when its last one ended.
    pub began: u64,
    pub ended: u64,
    /// The number of items that have ended, of those of them that went wrong, and of those that go on.
    ///
    /// Items are the spans that are named so. In a trace without such names they are the outermost spans that run.
    pub items: usize,
    pub failed: usize,
    pub running: usize,
    /// The times of the items that have ended; `None` without any.
    pub times: Option<Percentiles>,
    /// How many items took how long, from the bin of the shortest one to that of the longest one.
    pub histogram: Vec<Bin>,
    /// What the lanes did with their time.
    pub shares: Shares,
    pub parallelism: Parallelism,
    pub critical_path: CriticalPath,
}

/// How the lanes that run items spend their time: sums over these lanes, from the begin of the group to its end.
///
/// A span within another one takes its time from that, so no time counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    pub busy: u64,
    pub queued: u64,
    /// In a join, for something else, asleep or paused.
    pub waiting: u64,
    /// Busy or waiting, which nobody knows.
    pub unknown: u64,
    /// Without a span.
    pub idle: u64,
}

impl Shares {
    pub fn total(&self) -> u64 {
        let Self {
            busy,
            queued,
            waiting,
            unknown,
            idle,
        } = *self;
        [queued, waiting, unknown, idle]
            .into_iter()
            .fold(busy, u64::saturating_add)
    }

    /// A part of the total, from 0 to 1.
    pub fn share(&self, part: u64) -> f64 {
        part as f64 / self.total().max(1) as f64
    }
}

impl Statistics {
    /// The figures of a group, whose open spans end at `now`; `None` if there is no such group, or no span in it.
    pub fn of(trace: &Trace, id: GroupId, now: u64) -> Option<Self> {
        let group = trace.group(id)?;
        let began = group.lanes(id).filter_map(|(_, lane)| lane.began()).min()?;
        let ends = group.lanes(id).map(|(_, lane)| end_of(lane, now));
        let ended = ends.max()?.max(began);
        let items = Items::of(group, id, now);
        let mut times = items.times;
        Some(Self {
            began,
            ended,
            items: times.len(),
            failed: items.failed,
            running: items.all.len() - times.len(),
            histogram: distribution::histogram(&times),
            times: Percentiles::of(&mut times),
            shares: shares(group, id, ended - began, now),
            parallelism: Parallelism::of(&items.all, began, ended),
            critical_path: CriticalPath::of(trace, group, id, (began, ended)),
        })
    }

    pub fn elapsed(&self) -> u64 {
        self.ended - self.began
    }

    /// The items that have ended, divided by the elapsed time.
    pub fn items_per_sec(&self) -> f64 {
        match self.elapsed() {
            0 => 0.0,
            elapsed => self.items as f64 / (elapsed as f64 / 1e9),
        }
    }
}

/// The items of a group.
struct Items {
    /// When each began and ended.
    all: Vec<(u64, u64)>,
    /// The times of those that have ended.
    times: Vec<u64>,
    failed: usize,
}

impl Items {
    fn of(group: &Group, id: GroupId, now: u64) -> Self {
        let mut items = Self {
            all: Vec::new(),
            times: Vec::new(),
            failed: 0,
        };
        for (_, span) in items_of(group, id) {
            items.all.push((span.began(), span.ended_by(now)));
            if span.ended().is_some() {
                items.times.push(span.length());
                items.failed += usize::from(span.outcome.is_failure());
            }
        }
        items
    }
}

/// The items of a group, each with its lane.
pub(super) fn items_of(group: &Group, id: GroupId) -> impl Iterator<Item = (&Lane, &Span)> {
    let is_named = |span: &Span| matches!(span.name, SpanName::Item(_));
    let mut rows = working(group, id).flat_map(|(_, lane)| lane.rows());
    let has_names = rows.any(|row| row.iter().any(|span| is_busy(span) && is_named(span)));
    let depth = if has_names { usize::MAX } else { 1 };
    let spans = working(group, id).flat_map(move |(_, lane)| {
        let rows = lane.rows().iter().take(depth);
        rows.flat_map(move |row| row.iter().map(move |span| (lane, span)))
    });
    spans.filter(move |(_, span)| is_busy(span) && (!has_names || is_named(span)))
}

/// The waits of a group, each with its lane: spans that wait, sleep, are queued, paused or frozen.
pub(super) fn waits_of(group: &Group, id: GroupId) -> impl Iterator<Item = (&Lane, &Span)> {
    let spans = group.lanes(id).flat_map(|(_, lane)| {
        let rows = lane.rows().iter();
        rows.flat_map(move |row| row.iter().map(move |span| (lane, span)))
    });
    spans.filter(|(_, span)| waits(span.state))
}

fn is_busy(span: &Span) -> bool {
    matches!(span.state, SpanState::Runs | SpanState::Unknown)
}

/// The lanes that do the work of a group.
fn working(group: &Group, id: GroupId) -> impl Iterator<Item = (LaneId, &Lane)> {
    let does_work = |kind| !matches!(kind, LaneKind::Whole | LaneKind::Joins);
    group
        .lanes(id)
        .filter(move |(_, lane)| does_work(lane.kind))
}

/// When the last span of a lane ends.
fn end_of(lane: &Lane, now: u64) -> u64 {
    let last = lane.rows().first().and_then(|row| row.last());
    last.map_or(0, |last| last.ended_by(now))
}

fn shares(group: &Group, id: GroupId, elapsed: u64, now: u64) -> Shares {
    let mut shares = Shares::default();
    let mut whole = 0_u64;
    for (_, lane) in working(group, id).filter(|(_, lane)| !lane.is_empty()) {
        whole = whole.saturating_add(elapsed);
        for (depth, row) in lane.rows().iter().enumerate() {
            let above = depth
                .checked_sub(1)
                .and_then(|above| lane.rows().get(above));
            let mut around = above.into_iter().flat_map(Row::iter).peekable();
            for span in row.iter() {
                let length = span.ended_by(now) - span.began();
                let part = shares.part(span.state);
                *part = part.saturating_add(length);
                // The spans above that end before this one are done with.
                while around
                    .next_if(|outer| outer.ended_by(now) < span.ended_by(now))
                    .is_some()
                {}
                if let Some(outer) = around.peek() {
                    let part = shares.part(outer.state);
                    *part = part.saturating_sub(length);
                }
            }
        }
    }
    shares.idle = whole.saturating_sub(shares.total());
    shares
}

impl Shares {
    fn part(&mut self, state: SpanState) -> &mut u64 {
        match state {
            SpanState::Runs => &mut self.busy,
            SpanState::Queued => &mut self.queued,
            SpanState::Unknown | SpanState::Frozen => &mut self.unknown,
            SpanState::WaitsInJoin
            | SpanState::WaitsUntilDeadline
            | SpanState::Waits
            | SpanState::Sleeps
            | SpanState::Stopped => &mut self.waiting,
        }
    }
}

/// Whether a span waits.
fn waits(state: SpanState) -> bool {
    !matches!(state, SpanState::Runs | SpanState::Unknown)
}
