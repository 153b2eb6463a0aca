//! Which differences matter most.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher as _, RandomState};

use super::align::{
    Entry, GroupPair, align_all, compared_name, entries, for_each_run, lanes_of, pair_lanes,
};
use super::{Change, Comparison, Difference, MAX_DIFFERENCES};
use crate::trace::span::{SpanOutcome, SpanState};
use crate::trace::{Group, GroupId, Trace};

/// Two lengths that differ by less are the same, in nanoseconds.
const LEAST: u64 = 1_000_000;
/// So are two that differ by less than this part of the longer one, and two begins that differ by less than this part
/// of the whole time.
const PART: u64 = 20;

/// What was found so far.
pub(super) struct Found<'t> {
    before: &'t Trace,
    after: &'t Trace,
    names: RandomState,
    /// The longer time of the two.
    most: u64,
    /// The differences that matter most; the least of them is on top.
    best: BinaryHeap<Reverse<Ranked>>,
    left_out: usize,
    common: usize,
}

/// The place of a pair of groups, and the lane, the row and the place of a span there.
type Place = (usize, u32, u32, u32, Change);

/// A difference with what it matters.
#[derive(Clone, Copy, Debug)]
struct Ranked {
    /// The greater, the more it matters: its rank, its time, and of equal ones the first one.
    order: (u8, u64, Reverse<Place>),
    sum: Sum,
    groups: GroupPair,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

/// Spans of one key that differ in the same way.
#[derive(Clone, Copy, Debug)]
struct Sum {
    change: Change,
    count: usize,
    before: u64,
    after: u64,
    /// The sum of what differs, in nanoseconds.
    weight: u64,
    /// What differs of that which differs most.
    most: u64,
    spans: (Option<Entry>, Option<Entry>),
}

impl Sum {
    fn add(&mut self, weight: u64, spans: (Option<&Entry>, Option<&Entry>)) {
        self.count += 1;
        let length = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.length);
        self.before = self.before.saturating_add(length(spans.0));
        self.after = self.after.saturating_add(length(spans.1));
        self.weight = self.weight.saturating_add(weight);
        if self.count == 1 || weight > self.most {
            self.most = weight;
            self.spans = (spans.0.copied(), spans.1.copied());
        }
    }

    fn ranked(self, place: usize, groups: GroupPair) -> Option<Ranked> {
        let one = self.spans.0.or(self.spans.1)?;
        let ends = [self.spans.0, self.spans.1];
        let fails = ends.iter().flatten().any(|it| it.outcome.is_failure());
        let rank = match self.change {
            Change::Later | Change::Earlier => 0,
            Change::Vanished | Change::New | Change::EndsOtherwise if fails => 2,
            _ => 1,
        };
        let is_wait = !matches!(one.state, SpanState::Runs | SpanState::Unknown);
        let weight = self.weight.saturating_mul(if is_wait { 2 } else { 1 });
        let first = (place, one.lane, one.row, one.index, self.change);
        Some(Ranked {
            order: (rank, weight, Reverse(first)),
            sum: self,
            groups,
        })
    }
}

impl<'t> Found<'t> {
    pub(super) fn new(before: &'t Trace, after: &'t Trace) -> Self {
        Self {
            before,
            after,
            names: RandomState::new(),
            most: before.last_at().max(after.last_at()),
            best: BinaryHeap::new(),
            left_out: 0,
            common: 0,
        }
    }

    /// Compares two groups, of which there may be one alone. `place` numbers the pair.
    pub(super) fn compare_groups(&mut self, place: usize, groups: GroupPair) {
        let (before, after) = (self.before, self.after);
        let lanes = (lanes_of(before, groups.0), lanes_of(after, groups.1));
        let pairs = pair_lanes(&lanes.0, &lanes.1);
        let before = self.entries(before, groups.0, &pairs.0);
        let after = self.entries(after, groups.1, &pairs.1);
        let key = |entry: &Entry| entry.key;
        for_each_run((&before, &after), key, |before, after| {
            self.compare_key(place, groups, (before, after));
        });
    }

    /// All spans of a group.
    fn entries(&self, trace: &Trace, group: Option<GroupId>, pairs: &[u32]) -> Vec<Entry> {
        let all = group.and_then(|group| trace.group(group));
        let all = all.map_or(0, Group::len);
        entries(trace, group, pairs, all, |_, kind, span| {
            let name = compared_name(trace, group?, kind, span);
            Some(self.names.hash_one((kind, span.state, name)))
        })
    }

    /// Compares the spans of one key.
    fn compare_key(&mut self, place: usize, groups: GroupPair, spans: (&[Entry], &[Entry])) {
        let mut sums: [Option<Sum>; Change::ALL.len()] = [None; Change::ALL.len()];
        let most = self.most;
        let mut common = 0;
        let mut found = |before: Option<&Entry>, after: Option<&Entry>| {
            common += usize::from(before.is_some() && after.is_some());
            let Some((change, weight)) = change(before, after, most) else {
                return;
            };
            let sum = sums[change as usize].get_or_insert(Sum {
                change,
                count: 0,
                before: 0,
                after: 0,
                weight: 0,
                most: 0,
                spans: (None, None),
            });
            sum.add(weight, (before, after));
        };
        if let ([before], [after]) = spans {
            found(Some(before), Some(after));
        } else {
            align_all(spans, &mut found);
        }
        self.common += common;
        for sum in sums.into_iter().flatten() {
            if let Some(ranked) = sum.ranked(place, groups) {
                self.keep(ranked);
            }
        }
    }

    fn keep(&mut self, ranked: Ranked) {
        self.best.push(Reverse(ranked));
        if self.best.len() > MAX_DIFFERENCES {
            self.best.pop();
            self.left_out += 1;
        }
    }

    pub(super) fn finish(mut self) -> Comparison {
        let best = std::mem::take(&mut self.best).into_sorted_vec();
        let differences = best
            .into_iter()
            .filter_map(|Reverse(ranked)| self.difference(ranked));
        Comparison {
            differences: differences.collect(),
            left_out: self.left_out,
            common: self.common,
        }
    }

    fn difference(&self, ranked: Ranked) -> Option<Difference> {
        let Ranked { sum, groups, .. } = ranked;
        let id = |entry: Option<Entry>, group: Option<GroupId>| Some(entry?.id(group?));
        let (before, after) = (id(sum.spans.0, groups.0), id(sum.spans.1, groups.1));
        let (trace, span) = match (before, after) {
            (Some(before), _) => (self.before, before),
            (None, Some(after)) => (self.after, after),
            (None, None) => return None,
        };
        let found = trace.span(span)?;
        let outcome = |entry: Option<Entry>| entry.map_or(SpanOutcome::None, |it| it.outcome);
        let moved = match sum.spans {
            (Some(before), Some(after)) => {
                let by = i128::from(after.began) - i128::from(before.began);
                i64::try_from(by).unwrap_or(i64::MAX)
            }
            _ => 0,
        };
        Some(Difference {
            change: sum.change,
            name: trace.name(span.lane.group, found.name).into_owned(),
            state: found.state,
            group: trace.group(span.lane.group)?.name.clone(),
            lane: trace.lane(span.lane)?.name.clone(),
            count: sum.count,
            before: sum.before,
            after: sum.after,
            moved,
            outcomes: (outcome(sum.spans.0), outcome(sum.spans.1)),
            spans: (before, after),
        })
    }
}

/// How a span differs, and by how many nanoseconds. `most` is the whole time.
fn change(before: Option<&Entry>, after: Option<&Entry>, most: u64) -> Option<(Change, u64)> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (Some(before), None) => return Some((Change::Vanished, before.length)),
        (None, Some(after)) => return Some((Change::New, after.length)),
        (None, None) => return None,
    };
    let longest = before.length.max(after.length);
    if before.outcome != after.outcome {
        return Some((Change::EndsOtherwise, longest));
    }
    let by = before.length.abs_diff(after.length);
    if by > LEAST.max(longest / PART) {
        let is_longer = after.length > before.length;
        let change = if is_longer {
            Change::Longer
        } else {
            Change::Shorter
        };
        return Some((change, by));
    }
    let by = before.began.abs_diff(after.began);
    let change = if after.began > before.began {
        Change::Later
    } else {
        Change::Earlier
    };
    (by > LEAST.max(most / PART)).then_some((change, by))
}
