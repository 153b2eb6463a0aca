//! What differs between two traces.

use meanwhile::trace::{
    Change, Comparison, Difference, GroupId, LaneKind, MAX_DIFFERENCES, Span, SpanId, SpanOutcome,
    SpanState, Trace, compare, counterpart,
};
use proptest::prelude::*;

const MILLI: u64 = 1_000_000;

/// A span of a test: its lane, its name, the gap before it and its length in milliseconds, and how it ended.
type Spec = (usize, usize, u64, u64, usize);

/// A trace of one group with these spans, some of which lie in the one before them.
fn trace_of(group: &str, specs: &[Spec]) -> Trace {
    trace_of_lanes(["one", "two", "three"], group, specs)
}

/// The same with other lanes.
fn trace_of_lanes(names: [&str; 3], group: &str, specs: &[Spec]) -> Trace {
    let mut trace = Trace::default();
    let id = GroupId::new(3);
    trace.add_group(id, group);
    let lanes = names.map(|name| {
        let lane = trace.add_lane(id, name, LaneKind::Thread);
        lane.expect("there is room")
    });
    let mut ends = [0; 3];
    for (lane, name, gap, length, outcome) in specs {
        let lane = lane % lanes.len();
        let began = ends[lane] + gap * MILLI;
        ends[lane] = began + length * MILLI;
        let states = [SpanState::Runs, SpanState::Waits, SpanState::WaitsInJoin];
        let text = trace.add_text(&format!("span {name}"));
        let outcome = SpanOutcome::ALL[outcome % SpanOutcome::ALL.len()];
        let span = Span::open(began, text, states[name % states.len()]);
        trace.add(lanes[lane], span.until(ends[lane], outcome));
    }
    trace
}

/// What there is to see of the differences, in an order of its own.
fn seen(comparison: &Comparison) -> Vec<(Change, String, usize, u64, u64, i64)> {
    let differences = comparison.differences.iter();
    let mut seen: Vec<_> = differences
        .map(|it| {
            (
                it.change,
                it.name.clone(),
                it.count,
                it.before,
                it.after,
                it.moved,
            )
        })
        .collect();
    seen.sort();
    seen
}

fn swapped(change: Change) -> Change {
    match change {
        Change::Vanished => Change::New,
        Change::New => Change::Vanished,
        Change::Longer => Change::Shorter,
        Change::Shorter => Change::Longer,
        Change::Later => Change::Earlier,
        Change::Earlier => Change::Later,
        Change::EndsOtherwise => Change::EndsOtherwise,
    }
}

/// The number of spans that differ in this way.
fn count_of(comparison: &Comparison, change: Change) -> usize {
    let differences = comparison.differences.iter();
    let these = differences.filter(|it| it.change == change);
    these.map(|it| it.count).sum()
}

/// All spans of a trace.
fn spans_of(trace: &Trace) -> Vec<SpanId> {
    let mut all = Vec::new();
    for (lane, found) in trace.lanes() {
        for (row, spans) in found.rows().iter().enumerate() {
            all.extend((0..spans.len()).map(|index| SpanId { lane, row, index }));
        }
    }
    all
}

fn named(trace: &Trace, id: SpanId) -> Option<(String, SpanState)> {
    let span = trace.span(id)?;
    let name = trace.name(id.lane.group, span.name);
    Some((name.into_owned(), span.state))
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    specs_of(6, 40)
}

/// Spans of so many names, whose gaps and lengths are shorter than this.
fn specs_of(names: usize, times: u64) -> impl Strategy<Value = Vec<Spec>> {
    let spec = (0_usize..3, 0..names, 0..times, 0..times, 0_usize..7);
    prop::collection::vec(spec, 0..60)
}

/// Many spans of one name that begin at the same time in several lanes.
fn crowded() -> impl Strategy<Value = Vec<Spec>> {
    specs_of(2, 3)
}

proptest! {
    #[test]
    fn trace_does_not_differ_from_itself(specs in specs()) {
        let trace = trace_of("group", &specs);
        let comparison = compare(&trace, &trace.clone());
        prop_assert!(comparison.differences.is_empty(), "{comparison:#?}");
        prop_assert_eq!(comparison.common, trace.len());
    }

    #[test]
    fn swapping_the_traces_swaps_what_differs(before in specs(), after in specs()) {
        let (before, after) = (trace_of("group", &before), trace_of("group", &after));
        let forth = compare(&before, &after);
        let back = compare(&after, &before);
        prop_assert_eq!(forth.common, back.common);
        let mut back: Vec<_> = seen(&back).into_iter().map(|(change, name, count, a, b, moved)| {
            (swapped(change), name, count, b, a, -moved)
        }).collect();
        back.sort();
        prop_assert_eq!(seen(&forth), back);
    }

    #[test]
    fn counts_of_both_traces_add_up(before in specs(), after in specs()) {
        let (before, after) = (trace_of("group", &before), trace_of("group", &after));
        let comparison = compare(&before, &after);
        prop_assert_eq!(comparison.common + count_of(&comparison, Change::Vanished), before.len());
        prop_assert_eq!(comparison.common + count_of(&comparison, Change::New), after.len());
    }

    /// Lanes have other names and another order in the second trace, so their pairs are not in the same order.
    #[test]
    fn counterpart_is_what_compare_takes_for_the_same(before in crowded(), after in crowded()) {
        let (before, after) = (trace_of("group", &before), trace_of_lanes(["three", "four", "one"], "group", &after));
        let comparison = compare(&before, &after);
        let (mut common, mut alone) = (0, 0);
        for span in spans_of(&before) {
            let Some(found) = counterpart(&before, &after, span) else {
                alone += 1;
                continue;
            };
            common += 1;
            prop_assert_eq!(counterpart(&after, &before, found), Some(span));
            prop_assert_eq!(named(&before, span), named(&after, found));
        }
        let new = spans_of(&after).into_iter().filter(|span| counterpart(&after, &before, *span).is_none());
        prop_assert_eq!(common, comparison.common);
        prop_assert_eq!(alone, count_of(&comparison, Change::Vanished));
        prop_assert_eq!(new.count(), count_of(&comparison, Change::New));
        for difference in &comparison.differences {
            let (a, b) = difference.spans;
            if let Some(a) = a {
                prop_assert_eq!(counterpart(&before, &after, a), b);
            }
            if let Some(b) = b {
                prop_assert_eq!(counterpart(&after, &before, b), a);
            }
        }
    }

    /// One after the first, whose begin is that of the group.
    #[test]
    fn span_that_was_taken_out_has_vanished(specs in specs(), place in any::<prop::sample::Index>()) {
        prop_assume!(!specs.is_empty());
        let mut all = vec![(0, 99, 0, 1, 1)];
        // Zero lengths and gaps could make two the same.
        all.extend(specs.into_iter().map(|(lane, name, gap, length, end)| (lane, name, gap + 1, length + 1, end)));
        let place = 1 + place.index(all.len() - 1);
        let before = trace_of("group", &all);
        let (lane, name, gap, length, _) = all.remove(place);
        let index = all[..place].iter().filter(|spec| spec.0 == lane).count();
        // The next one begins where it did.
        if let Some(next) = all[place..].iter_mut().find(|spec| spec.0 == lane) {
            next.2 += gap + length;
        }
        let after = trace_of("group", &all);
        let comparison = compare(&before, &after);
        let [found] = &comparison.differences[..] else {
            return Err(TestCaseError::fail(format!("{comparison:#?}")));
        };
        prop_assert_eq!((found.change, found.count), (Change::Vanished, 1));
        prop_assert_eq!(&found.name, &format!("span {name}"));
        prop_assert_eq!(found.before, length * MILLI);
        let span = found.spans.0.map(|SpanId { lane, index, .. }| (lane.index, index));
        prop_assert_eq!(span, Some((lane, index)));
    }
}

fn texts(comparison: &Comparison) -> Vec<String> {
    let differences = comparison.differences.iter();
    differences.map(Difference::text).collect()
}

#[test]
fn item_of_another_thread_has_not_vanished() {
    let before = trace_of("group", &[(0, 0, 0, 10, 1), (1, 3, 0, 10, 1)]);
    let after = trace_of("group", &[(1, 0, 0, 10, 1), (0, 3, 0, 10, 1)]);
    let comparison = compare(&before, &after);
    assert_eq!(texts(&comparison), [""; 0]);
    assert_eq!(comparison.common, 2);
}

#[test]
fn longer_shorter_and_failed_are_said_in_words() {
    let before = [(0, 0, 0, 10, 1), (0, 1, 0, 2_000, 1), (0, 3, 0, 10, 1)];
    let after = [(0, 0, 0, 40, 1), (0, 1, 0, 20, 1), (0, 3, 1_950, 10, 4)];
    let comparison = compare(&trace_of("a", &before), &trace_of("b", &after));
    assert_eq!(
        texts(&comparison),
        [
            "ends otherwise: span 3, from done to failed",
            "shorter: span 1, from 2.00 s to 20 ms",
            "longer: span 0, from 10 ms to 40 ms",
        ]
    );
    assert_eq!(comparison.differences[0].place(), "one, a");
}

#[test]
fn vanished_wait_comes_before_what_it_made_longer() {
    let before = [(0, 1, 0, 1_000, 0), (1, 0, 0, 1_900, 0), (2, 3, 0, 10, 0)];
    let after = [(1, 0, 0, 10, 0), (2, 3, 500, 10, 0)];
    let comparison = compare(&trace_of("a", &before), &trace_of("b", &after));
    assert_eq!(
        texts(&comparison),
        [
            "vanished: span 1, 1.00 s",
            "shorter: span 0, from 1.90 s to 10 ms",
            "later: span 3, by 500 ms",
        ]
    );
}

/// A trace with these groups, each with a span of its name.
fn groups(names: &[&str]) -> Trace {
    let mut trace = Trace::default();
    for (number, name) in (1..).zip(names) {
        let group = GroupId::new(number);
        trace.add_group(group, *name);
        let lane = trace.add_lane(group, "Job", LaneKind::Whole);
        let text = name.rsplit(' ').next().unwrap_or_default();
        let text = trace.add_text(text);
        let span = Span::open(number * MILLI, text, SpanState::Runs);
        let span = span.until(2 * number * MILLI, SpanOutcome::Returned);
        trace.add(lane.expect("there is room"), span);
    }
    trace
}

#[test]
fn job_is_found_though_its_number_differs() {
    let before = groups(&["#1 Images", "#2 Checksums", "#3 Fetch"]);
    let after = groups(&["#7 Checksums", "#8 Audit", "#9 Images"]);
    let comparison = compare(&before, &after);
    assert_eq!(comparison.common, 2);
    let mut found: Vec<_> = comparison
        .differences
        .iter()
        .filter(|it| matches!(it.change, Change::Vanished | Change::New))
        .map(|it| (it.change, it.name.as_str()))
        .collect();
    found.sort();
    assert_eq!(found, [(Change::Vanished, "Fetch"), (Change::New, "Audit")]);
}

#[test]
fn counterpart_is_in_the_group_of_the_same_job() {
    let before = groups(&["#1 Images", "#2 Checksums", "#3 Fetch"]);
    let after = groups(&["#7 Checksums", "#8 Audit", "#9 Images"]);
    let found: Vec<_> = spans_of(&before)
        .into_iter()
        .map(|span| counterpart(&before, &after, span).map(|found| found.lane.group.get()))
        .collect();
    assert_eq!(found, [Some(3), Some(1), None]);
    // One that the trace does not have has none.
    let of_fetch = spans_of(&before)[2];
    let elsewhere = SpanId {
        index: 7,
        ..of_fetch
    };
    assert_eq!(counterpart(&before, &before, of_fetch), Some(of_fetch));
    assert_eq!(counterpart(&before, &before, elsewhere), None);
}

#[test]
fn two_groups_alone_are_compared_whatever_their_names() {
    let trace = groups(&["join-in-click, bad", "join-in-click, fixed"]);
    let [bad, fixed] = [1, 2].map(|number| trace.only(&[GroupId::new(number)]));
    assert_eq!((bad.len(), bad.last_at()), (1, 2 * MILLI));
    let comparison = compare(&bad, &fixed);
    assert_eq!(comparison.differences.len(), 2, "{comparison:#?}");
    let mut spans = comparison.differences.iter().filter_map(|it| it.spans.0);
    let span = spans.next().expect("one has vanished");
    assert!(trace.span(span).is_some() && fixed.span(span).is_none());
}

#[test]
fn differences_are_bounded_and_the_rest_is_counted() {
    let many: Vec<Spec> = (0..MAX_DIFFERENCES + 500)
        .map(|number| (0, number, 0, 1 + number as u64, 1))
        .collect();
    let comparison = compare(&trace_of("a", &many), &trace_of("a", &[]));
    assert_eq!(comparison.differences.len(), MAX_DIFFERENCES);
    assert_eq!(comparison.left_out, 500);
    let first = &comparison.differences[0];
    assert!(first.before > 1_400 * MILLI, "{first:?}");
}

#[test]
fn million_spans_are_compared_span_by_span() {
    let many = |skipped: usize| {
        let mut trace = Trace::default();
        let group = GroupId::new(1);
        trace.add_group(group, "group");
        let lane = trace.add_lane(group, "lane", LaneKind::Thread);
        let lane = lane.expect("there is room");
        let text = trace.add_text("item");
        for number in (0..1_000_000).filter(|number| *number != skipped) {
            let began = number as u64 * 10 * MILLI;
            let span = Span::open(began, text, SpanState::Runs);
            trace.add(lane, span.until(began + 9 * MILLI, SpanOutcome::Returned));
        }
        trace
    };
    let (before, after) = (many(usize::MAX), many(654_321));
    let comparison = compare(&before, &after);
    let [found] = &comparison.differences[..] else {
        panic!("{comparison:#?}");
    };
    let vanished = found.spans.0.map(|span| span.index);
    assert_eq!((found.change, vanished), (Change::Vanished, Some(654_321)));
    assert_eq!(comparison.common, 999_999);
    let first = found.spans.0.expect("it was there before");
    let at = |index: usize| {
        let span = SpanId { index, ..first };
        counterpart(&before, &after, span).map(|span| span.index)
    };
    let found = [654_320, 654_321, 654_322].map(at);
    assert_eq!(found, [Some(654_320), None, Some(654_321)]);
}
