//! What differs between two traces.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use super::span::{Span, SpanOutcome, SpanState};
use super::{GroupId, Lane, LaneId, LaneKind, SpanId, Trace};
use crate::format;

/// The number of differences that are kept: those that matter most.
pub const MAX_DIFFERENCES: usize = 1_000;

/// Two lengths that differ by less are the same, in nanoseconds.
const LEAST: u64 = 1_000_000;
/// So are two that differ by less than this part of the longer one, and two begins that differ by less than this part
/// of the whole time.
const PART: u64 = 20;

/// What differs between two traces: the first one is before, the second one after.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What matters most comes first: what failed in one of the two alone, then by time, of which that of waits counts
    /// twice, and at last what only begins at another time.
    pub differences: Vec<Difference>,
    /// The number of differences that there was no room for.
    pub left_out: usize,
    /// The number of spans in both.
    pub common: usize,
}

/// Spans of one name, in one state and in one group, that differ in the same way.
#[derive(Clone, Debug)]
pub struct Difference {
    pub change: Change,
    pub name: String,
    pub state: SpanState,
    /// The name of the group and of the lane of that which differs most.
    pub group: String,
    pub lane: String,
    /// The number of spans.
    pub count: usize,
    /// The sum of their times before and after, in nanoseconds; 0 where they are not.
    pub before: u64,
    pub after: u64,
    /// By how much that which differs most is later, from the begin of its group, in nanoseconds.
    pub moved: i64,
    /// How that one ended before and after.
    pub outcomes: (SpanOutcome, SpanOutcome),
    /// That which differs most, before and after.
    pub spans: (Option<SpanId>, Option<SpanId>),
}

/// How spans differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// They are in the first trace alone.
    Vanished,
    /// They are in the second trace alone.
    New,
    /// They end in another way, such as `failed`.
    EndsOtherwise,
    Longer,
    Shorter,
    /// They begin later, as seen from the begin of their group.
    Later,
    Earlier,
}

impl Change {
    pub const ALL: [Self; 7] = [
        Self::Vanished,
        Self::New,
        Self::EndsOtherwise,
        Self::Longer,
        Self::Shorter,
        Self::Later,
        Self::Earlier,
    ];

    /// The words on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::EndsOtherwise => "ends otherwise",
            _ => self.label(),
        }
    }

    /// The word in files.
    pub fn label(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::New => "new",
            Self::EndsOtherwise => "ends_otherwise",
            Self::Longer => "longer",
            Self::Shorter => "shorter",
            Self::Later => "later",
            Self::Earlier => "earlier",
        }
    }
}

impl Difference {
    /// It in a line, such as `shorter: work, from 2.0 s to 20 ms`.
    pub fn text(&self) -> String {
        let time = |nanos| format::duration(std::time::Duration::from_nanos(nanos));
        let name = match self.count {
            1 => self.name.clone(),
            count => format!("{} × {}", format::count(count), self.name),
        };
        let how = match self.change {
            Change::Vanished => time(self.before),
            Change::New => time(self.after),
            Change::Longer | Change::Shorter => {
                format!("from {} to {}", time(self.before), time(self.after))
            }
            Change::EndsOtherwise => {
                let title = |outcome: SpanOutcome| match outcome.title() {
                    "" => "no outcome",
                    title => title,
                };
                let (before, after) = self.outcomes;
                format!("from {} to {}", title(before), title(after))
            }
            Change::Later | Change::Earlier => format!("by {}", time(self.moved.unsigned_abs())),
        };
        format!("{}: {name}, {how}", self.change.title())
    }

    /// Where it is: lane and group.
    pub fn place(&self) -> String {
        format!("{}, {}", self.lane, self.group)
    }
}

/// Compares two traces: what vanished, what is new, and what ends otherwise, takes longer or shorter, or begins at
/// another time.
///
/// The traces are aligned in steps, each in linear time but for a sort:
///
/// 1. Groups by their names, and several of one name in their order; those left by their names without the number that
///    a job has, as in `#3 Checksums`. If each trace has only one group, these two are compared whatever their names.
/// 2. Lanes of two groups by their names and kinds, and those left in the order of their kind.
/// 3. Spans of two lanes by their names and states, in their order; that of a whole job without its number. If one lane
///    has more of them, those stay alone whose begins, as seen from the begins of the groups, are farther from the next
///    one than that of the following span.
/// 4. Spans that stayed alone by the same rules in all lanes of a kind, so an item that another thread took has not
///    vanished.
///
/// What then stays alone has vanished or is new. Lengths are the same up to a millisecond or a twentieth of them, and
/// begins up to a twentieth of the whole time. A span that goes on ends with its trace. Swapping the traces swaps
/// `Vanished` and `New`, `Longer` and `Shorter`, `Later` and `Earlier`. Of a million spans it takes longer
/// than a frame, so a window does it in a task.
pub fn compare(before: &Trace, after: &Trace) -> Comparison {
    let mut found = Found {
        before,
        after,
        names: RandomState::new(),
        most: before.last_at().max(after.last_at()),
        best: BinaryHeap::new(),
        left_out: 0,
        common: 0,
    };
    for (place, pair) in pair_groups(before, after).into_iter().enumerate() {
        found.compare_groups(place, pair);
    }
    found.finish()
}

/// A span with what is needed to align it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The same for spans of one name, in one state and in lanes of one kind.
    key: u64,
    /// Since the begin of its group.
    began: u64,
    length: u64,
    /// The same for two lanes that are compared.
    pair: u32,
    lane: u32,
    row: u32,
    index: u32,
    state: SpanState,
    outcome: SpanOutcome,
}

impl Entry {
    fn id(&self, group: GroupId) -> SpanId {
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

type GroupPair = (Option<GroupId>, Option<GroupId>);

fn pair_groups(before: &Trace, after: &Trace) -> Vec<GroupPair> {
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
fn pair_lanes(before: &[&Lane], after: &[&Lane]) -> (Vec<u32>, Vec<u32>) {
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

fn lanes_of(trace: &Trace, group: Option<GroupId>) -> Vec<&Lane> {
    let lanes = group.and_then(|id| Some((id, trace.group(id)?)));
    let lanes = lanes.into_iter().flat_map(|(id, group)| group.lanes(id));
    lanes.map(|(_, lane)| lane).collect()
}

/// The spans of a group, those of one key together, of these those of one lane, in the order of their begins.
fn entries(
    trace: &Trace,
    group: Option<GroupId>,
    pairs: &[u32],
    names: &RandomState,
) -> Vec<Entry> {
    let (Some(group), lanes) = (group, lanes_of(trace, group)) else {
        return Vec::new();
    };
    let begin = lanes.iter().filter_map(|lane| lane.began()).min();
    let begin = begin.unwrap_or(0);
    let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let mut entries = Vec::with_capacity(lanes.iter().map(|lane| lane.len()).sum());
    for (lane, (found, pair)) in lanes.iter().zip(pairs).enumerate() {
        for (row, spans) in found.rows().iter().enumerate() {
            for (index, span) in spans.iter().enumerate() {
                let name = trace.name(group, span.name);
                let name = match found.kind {
                    LaneKind::Whole => without_number(&name),
                    _ => &name,
                };
                let key = names.hash_one((found.kind, span.state, name));
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

fn length(span: &Span, trace: &Trace) -> u64 {
    span.ended_by(trace.last_at()) - span.began()
}

/// Takes two lists, both in the order of this value, apart: calls `found` with those of both that have the same one.
fn for_each_run<'e, T: Ord>(
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

/// What was found so far.
struct Found<'t> {
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

impl Found<'_> {
    fn compare_groups(&mut self, place: usize, groups: GroupPair) {
        let (before, after) = (self.before, self.after);
        let lanes = (lanes_of(before, groups.0), lanes_of(after, groups.1));
        let pairs = pair_lanes(&lanes.0, &lanes.1);
        let before = entries(before, groups.0, &pairs.0, &self.names);
        let after = entries(after, groups.1, &pairs.1, &self.names);
        let key = |entry: &Entry| entry.key;
        for_each_run((&before, &after), key, |before, after| {
            self.compare_key(place, groups, (before, after));
        });
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

    fn finish(mut self) -> Comparison {
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

/// Aligns spans of one key: those of two lanes, then what stayed alone.
fn align_all<'e>(
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
        alone.sort_by_key(|entry| (entry.began, entry.row));
    }
    align(&alone_before, &alone_after, found);
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
