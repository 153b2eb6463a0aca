//! Which span of one trace is which of the other.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::trace::span::{Span, SpanOutcome, SpanState};
use crate::trace::{GroupId, Lane, LaneId, LaneKind, SpanId, Trace};

/// A span with what is needed to align it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The same for spans of one name, in one state and in lanes of one kind.
    pub(super) key: u64,
    /// Since the begin of its group.
    pub(super) began: u64,
    pub(super) length: u64,
    /// The same for two lanes that are compared.
    pair: u32,
    pub(super) lane: u32,
    pub(super) row: u32,
    pub(super) index: u32,
    pub(super) state: SpanState,
    pub(super) outcome: SpanOutcome,
}

impl Entry {
    /// Whether it is that span of its trace.
    pub(super) fn is(&self, span: SpanId) -> bool {
        let place = (span.lane.index, span.row, span.index);
        place == (self.lane as usize, self.row as usize, self.index as usize)
    }

    pub(super) fn id(&self, group: GroupId) -> SpanId {
        let lane = LaneId {
            group,
            index: self.lane as usize,
        };
        SpanId {
            lane,
            row: self.row as usize,
            index: self.index as usize,
        }
    }

    /// How far it is from a span of the other trace: the begin counts, then the length.
    fn distance(&self, other: &Self) -> (u64, u64) {
        let began = self.began.abs_diff(other.began);
        (began, self.length.abs_diff(other.length))
    }
}

pub(super) type GroupPair = (Option<GroupId>, Option<GroupId>);

pub(super) fn pair_groups(before: &Trace, after: &Trace) -> Vec<GroupPair> {
    let groups = |trace: &Trace| -> Vec<(GroupId, String)> {
        let groups = trace.groups();
        groups.map(|(id, group)| (id, group.name.clone())).collect()
    };
    let (mut before, mut after) = (groups(before), groups(after));
    let mut pairs = Vec::new();
    if let ([before], [after]) = (&before[..], &after[..]) {
        return vec![(Some(before.0), Some(after.0))];
    }
    for key in [whole_name, without_number] {
        let found = pair_up(&before, &after, |(_, name)| key(name).to_owned());
        let of_pair = |&(a, b): &(usize, usize)| (Some(before[a].0), Some(after[b].0));
        pairs.extend(found.iter().map(of_pair));
        let (paired_before, paired_after) = found.into_iter().unzip();
        before = without(before, &paired_before);
        after = without(after, &paired_after);
    }
    pairs.extend(before.iter().map(|(id, _)| (Some(*id), None)));
    pairs.extend(after.iter().map(|(id, _)| (None, Some(*id))));
    pairs
}

/// All but those at these places.
fn without<T>(all: Vec<T>, places: &BTreeSet<usize>) -> Vec<T> {
    let all = all.into_iter().enumerate();
    let rest = all.filter(|(place, _)| !places.contains(place));
    rest.map(|(_, one)| one).collect()
}

fn whole_name(name: &str) -> &str {
    name
}

/// The name of a job without its number.
fn without_number(name: &str) -> &str {
    let rest = name.strip_prefix('#').and_then(|it| it.split_once(' '));
    let rest = rest.filter(|(number, _)| number.chars().all(|it| it.is_ascii_digit()));
    rest.map_or(name, |(_, rest)| rest)
}

/// The places of those that have the same key, in their order.
fn pair_up<T, K: Ord>(before: &[T], after: &[T], key: impl Fn(&T) -> K) -> Vec<(usize, usize)> {
    let mut waiting: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
    for (place, one) in after.iter().enumerate() {
        waiting.entry(key(one)).or_default().push_back(place);
    }
    let before = before.iter().enumerate();
    before
        .filter_map(|(place, one)| {
            let other = waiting.get_mut(&key(one))?.pop_front()?;
            Some((place, other))
        })
        .collect()
}

/// The number of each lane's pair. Those of lanes that have no other one are theirs alone.
pub(super) fn pair_lanes(before: &[&Lane], after: &[&Lane]) -> (Vec<u32>, Vec<u32>) {
    let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let mut of_after: Vec<Option<usize>> = vec![None; after.len()];
    let mut is_paired = vec![false; before.len()];
    for (a, b) in pair_up(before, after, |lane| (lane.kind, lane.name.clone())) {
        is_paired[a] = true;
        of_after[b] = Some(a);
    }
    let rest_before: Vec<usize> = (0..before.len()).filter(|&a| !is_paired[a]).collect();
    let rest_after: Vec<usize> = (0..after.len())
        .filter(|&b| of_after[b].is_none())
        .collect();
    let kinds = |lanes: &[&Lane], rest: &[usize]| -> Vec<LaneKind> {
        rest.iter().map(|&place| lanes[place].kind).collect()
    };
    let (kinds_before, kinds_after) = (kinds(before, &rest_before), kinds(after, &rest_after));
    for (a, b) in pair_up(&kinds_before, &kinds_after, |kind| *kind) {
        of_after[rest_after[b]] = Some(rest_before[a]);
    }
    let alone = |place: usize| before.len() + place;
    let of_after = of_after.into_iter().enumerate();
    let of_after = of_after.map(|(place, pair)| number(pair.unwrap_or_else(|| alone(place))));
    ((0..before.len()).map(number).collect(), of_after.collect())
}

pub(super) fn lanes_of(trace: &Trace, group: Option<GroupId>) -> Vec<&Lane> {
    let lanes = group.and_then(|id| Some((id, trace.group(id)?)));
    let lanes = lanes.into_iter().flat_map(|(id, group)| group.lanes(id));
    lanes.map(|(_, lane)| lane).collect()
}

/// The spans of a group, those of one key together, of these those of one lane, in the order of their begins. `key` is
/// that of a span in a lane of this pair and this kind; `None` leaves the span out. There is room for `expected` ones
/// from the beginning.
pub(super) fn entries(
    trace: &Trace,
    group: Option<GroupId>,
    pairs: &[u32],
    expected: usize,
    key: impl Fn(u32, LaneKind, &Span) -> Option<u64>,
) -> Vec<Entry> {
    let lanes = lanes_of(trace, group);
    let begin = lanes.iter().filter_map(|lane| lane.began()).min();
    let begin = begin.unwrap_or(0);
    let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let mut entries = Vec::with_capacity(expected);
    for (lane, (found, pair)) in lanes.iter().zip(pairs).enumerate() {
        for (row, spans) in found.rows().iter().enumerate() {
            for (index, span) in spans.iter().enumerate() {
                let Some(key) = key(*pair, found.kind, span) else {
                    continue;
                };
                entries.push(Entry {
                    key,
                    began: span.began().saturating_sub(begin),
                    length: length(span, trace),
                    pair: *pair,
                    lane: number(lane),
                    row: number(row),
                    index: number(index),
                    state: span.state,
                    outcome: span.outcome,
                });
            }
        }
    }
    entries.sort_by_key(|entry| (entry.key, entry.pair, entry.began, entry.row));
    entries
}

/// The name by which a span of a lane of this kind is compared: that of a whole job without its number.
pub(super) fn compared_name<'t>(
    trace: &'t Trace,
    group: GroupId,
    kind: LaneKind,
    span: &Span,
) -> Cow<'t, str> {
    match (kind, trace.name(group, span.name)) {
        (LaneKind::Whole, Cow::Borrowed(name)) => without_number(name).into(),
        (LaneKind::Whole, Cow::Owned(name)) => without_number(&name).to_owned().into(),
        (_, name) => name,
    }
}

fn length(span: &Span, trace: &Trace) -> u64 {
    span.ended_by(trace.last_at()) - span.began()
}

/// Takes two lists, both in the order of this value, apart: calls `found` with those of both that have the same one.
pub(super) fn for_each_run<'e, T: Ord>(
    (mut before, mut after): (&'e [Entry], &'e [Entry]),
    of: impl Fn(&Entry) -> T,
    mut found: impl FnMut(&'e [Entry], &'e [Entry]),
) {
    while let Some(value) = before
        .first()
        .into_iter()
        .chain(after.first())
        .map(&of)
        .min()
    {
        let run = |entries: &[Entry]| {
            let run = entries.iter().take_while(|entry| of(entry) == value);
            run.count()
        };
        let (first_before, first_after) = (run(before), run(after));
        let (these, others) = (before.split_at(first_before), after.split_at(first_after));
        found(these.0, others.0);
        (before, after) = (these.1, others.1);
    }
}

/// Aligns spans of one key, in the order of their begins.
fn align<'e>(
    before: &[&'e Entry],
    after: &[&'e Entry],
    mut found: impl FnMut(Option<&'e Entry>, Option<&'e Entry>),
) {
    let (mut a, mut b) = (0, 0);
    loop {
        let (rest_a, rest_b) = (&before[a..], &after[b..]);
        let (first_a, first_b) = (rest_a.first().copied(), rest_b.first().copied());
        let (mut takes_a, mut takes_b) = (first_a.is_some(), first_b.is_some());
        match (first_a, first_b) {
            (None, None) => return,
            (Some(first), Some(other)) if rest_a.len() > rest_b.len() => {
                takes_b = other.distance(first) <= other.distance(rest_a[1]);
            }
            (Some(first), Some(other)) if rest_b.len() > rest_a.len() => {
                takes_a = first.distance(other) <= first.distance(rest_b[1]);
            }
            _ => {}
        }
        found(first_a.filter(|_| takes_a), first_b.filter(|_| takes_b));
        a += usize::from(takes_a);
        b += usize::from(takes_b);
    }
}

/// Aligns spans of one key: those of two lanes, then what stayed alone.
pub(super) fn align_all<'e>(
    (before, after): (&'e [Entry], &'e [Entry]),
    mut found: impl FnMut(Option<&'e Entry>, Option<&'e Entry>),
) {
    let (mut alone_before, mut alone_after) = (Vec::<&Entry>::new(), Vec::<&Entry>::new());
    let pair = |entry: &Entry| entry.pair;
    for_each_run((before, after), pair, |before, after| {
        let (before, after): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
        align(&before, &after, |before, after| {
            if before.is_some() && after.is_some() {
                found(before, after);
            } else {
                alone_before.extend(before);
                alone_after.extend(after);
            }
        });
    });
    for alone in [&mut alone_before, &mut alone_after] {
        // By nothing of the other trace, so that it does not matter which of the two is the first one.
        alone.sort_by_key(|entry| (entry.began, entry.row, entry.lane, entry.index));
    }
    align(&alone_before, &alone_after, found);
}
