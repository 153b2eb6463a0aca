//! The figures of a trace: percentiles, shares, how many items ran at once, and what the end hung on.

use meanwhile::trace::{
    Flow, FlowKind, GroupId, LaneId, LaneKind, Span, SpanName, SpanOutcome, SpanState, Statistics,
    Trace, read_chrome, statistics_json, statistics_text, write_chrome,
};
use proptest::prelude::*;

const GROUP: GroupId = GroupId::new(1);

/// A trace with these lanes.
fn trace<const N: usize>(kinds: [LaneKind; N]) -> (Trace, [LaneId; N]) {
    let mut trace = Trace::default();
    trace.add_group(GROUP, "#1 Job");
    let lanes = kinds.map(|kind| trace.add_lane(GROUP, kind.label(), kind));
    (trace, lanes.map(|lane| lane.expect("there is room")))
}

fn add(trace: &mut Trace, lane: LaneId, name: &str, state: SpanState, times: (u64, u64)) {
    let name = trace.add_text(name);
    let span = Span::open(times.0, name, state).until(times.1, SpanOutcome::Returned);
    trace.add(lane, span).expect("it overlaps none");
}

fn run(trace: &mut Trace, lane: LaneId, name: &str, times: (u64, u64)) {
    add(trace, lane, name, SpanState::Runs, times);
}

fn statistics(trace: &Trace) -> Statistics {
    Statistics::of(trace, GROUP, trace.last_at()).expect("it has spans")
}

/// The steps of the critical path: the name and the time of each.
fn path(trace: &Trace) -> Vec<(String, u64)> {
    let path = statistics(trace).critical_path;
    let steps = path.steps.iter();
    steps
        .map(|step| (step.name(trace).into_owned(), step.took))
        .collect()
}

fn steps(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let steps = expected.iter();
    steps
        .map(|(name, took)| ((*name).to_owned(), *took))
        .collect()
}

fn flow(kind: FlowKind, from: (LaneId, u64), to: (LaneId, u64)) -> Flow {
    Flow { kind, from, to }
}

#[test]
fn percentiles_are_times_that_items_took() {
    let (mut trace, [lane]) = trace([LaneKind::Thread]);
    let mut at = 0;
    // In an order that is none.
    for number in 0..200_u64 {
        let took = (number * 77) % 200 + 1;
        run(&mut trace, lane, "item", (at, at + took));
        at += took;
    }
    let statistics = statistics(&trace);
    let times = statistics.times.expect("there are items");
    assert_eq!(
        [times.p50, times.p90, times.p99, times.max],
        [100, 180, 198, 200]
    );
    assert_eq!((statistics.items, statistics.running), (200, 0));
    let per_sec = statistics.items_per_sec();
    assert!(
        (per_sec - 200.0 / (at as f64 / 1e9)).abs() < 1.0,
        "{per_sec}"
    );
}

#[test]
fn histogram_has_bins_of_one_two_and_five() {
    let (mut trace, [lane]) = trace([LaneKind::Thread]);
    let mut at = 0;
    for took in [0, 1_000_000, 1_999_999, 2_000_000, 30_000_000] {
        run(&mut trace, lane, "item", (at, at + took));
        at += took;
    }
    let bins = statistics(&trace).histogram;
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 5);
    let count = |title: &str| {
        bins.iter()
            .find(|bin| bin.title() == title)
            .map(|bin| bin.count)
    };
    assert_eq!(count("1.0 ms – 2.0 ms"), Some(2));
    assert_eq!(count("2.0 ms – 5.0 ms"), Some(1));
    assert_eq!(count("20 ms – 50 ms"), Some(1));
    assert_eq!(count("0 ms – 1 µs"), Some(1));
}

#[test]
fn shares_count_the_innermost_span_once() {
    let (mut trace, [whole, first, second]) =
        trace([LaneKind::Whole, LaneKind::Thread, LaneKind::Thread]);
    run(&mut trace, whole, "job", (0, 100));
    run(&mut trace, first, "item", (0, 80));
    add(&mut trace, first, "join", SpanState::WaitsInJoin, (10, 40));
    add(&mut trace, first, "paused", SpanState::Stopped, (20, 30));
    add(&mut trace, second, "item", SpanState::Queued, (0, 50));
    let shares = statistics(&trace).shares;
    assert_eq!(
        (shares.busy, shares.waiting, shares.queued, shares.idle),
        (50, 30, 50, 70)
    );
    assert_eq!(shares.total(), 200);
}

#[test]
fn items_that_touch_do_not_run_at_once() {
    let (mut trace, [first, second]) = trace([LaneKind::Thread, LaneKind::Thread]);
    run(&mut trace, first, "a", (0, 50));
    run(&mut trace, first, "b", (50, 100));
    run(&mut trace, second, "c", (50, 100));
    let at_once = statistics(&trace).parallelism;
    assert_eq!(at_once.max, 2);
    assert!((at_once.mean - 1.5).abs() < 1e-9, "{}", at_once.mean);
    let curve = &at_once.curve;
    assert_eq!(curve.len(), 100);
    assert!(curve[..50].iter().all(|at| (at - 1.0).abs() < 1e-9));
    assert!(curve[50..].iter().all(|at| (at - 2.0).abs() < 1e-9));
}

#[test]
fn end_hangs_on_the_lane_that_ended_last() {
    let (mut trace, [whole, first, second]) =
        trace([LaneKind::Whole, LaneKind::Thread, LaneKind::Thread]);
    run(&mut trace, whole, "job", (0, 120));
    run(&mut trace, whole, "looks for items", (0, 20));
    run(&mut trace, first, "short", (10, 30));
    run(&mut trace, second, "stuck", (10, 90));
    run(&mut trace, second, "last", (95, 110));
    trace.add_flow(flow(FlowKind::Start, (whole, 10), (second, 10)));
    assert_eq!(
        path(&trace),
        steps(&[
            ("looks for items", 10),
            ("stuck", 80),
            ("nothing runs here", 5),
            ("last", 15),
            ("nothing runs here", 10),
        ])
    );
}

#[test]
fn join_that_waited_leads_to_what_it_waited_for() {
    let (mut trace, [waiter, worker]) = trace([LaneKind::Thread, LaneKind::Thread]);
    run(&mut trace, waiter, "main", (0, 100));
    add(&mut trace, waiter, "join", SpanState::WaitsInJoin, (30, 80));
    run(&mut trace, worker, "work", (20, 78));
    trace.add_flow(flow(FlowKind::Start, (waiter, 15), (worker, 20)));
    trace.add_flow(flow(FlowKind::Join, (worker, 78), (waiter, 80)));
    assert_eq!(
        path(&trace),
        steps(&[
            ("main", 15),
            // From its spawn to its begin.
            ("nothing runs here", 5),
            ("work", 58),
            // From its end to the end of the wait.
            ("main", 20),
            ("join", 2),
        ])
    );
}

#[test]
fn join_of_what_had_ended_leads_nowhere() {
    let (mut trace, [waiter, worker]) = trace([LaneKind::Thread, LaneKind::Thread]);
    run(&mut trace, waiter, "main", (0, 100));
    add(&mut trace, waiter, "join", SpanState::WaitsInJoin, (30, 31));
    run(&mut trace, worker, "work", (5, 20));
    trace.add_flow(flow(FlowKind::Join, (worker, 20), (waiter, 31)));
    assert_eq!(path(&trace), steps(&[("main", 99), ("join", 1)]));
}

#[test]
fn queued_task_hangs_on_the_one_before_it() {
    let (mut trace, [main, thread]) = trace([LaneKind::Thread, LaneKind::Thread]);
    run(&mut trace, main, "spawns", (0, 10));
    run(&mut trace, thread, "first", (2, 50));
    run(&mut trace, thread, "second", (50, 90));
    trace.add_flow(flow(FlowKind::Start, (main, 1), (thread, 2)));
    trace.add_flow(flow(FlowKind::Start, (main, 9), (thread, 50)));
    assert_eq!(
        path(&trace),
        steps(&[
            ("spawns", 1),
            ("nothing runs here", 1),
            ("first", 48),
            ("second", 40)
        ])
    );
}

#[test]
fn statistics_of_nothing_are_none() {
    let (trace, _) = trace([LaneKind::Thread]);
    assert_eq!(Statistics::of(&trace, GROUP, 0), None);
    assert_eq!(Statistics::of(&trace, GroupId::new(7), 0), None);
}

#[test]
fn item_that_goes_on_counts_until_now() {
    let (mut trace, [lane]) = trace([LaneKind::Thread]);
    run(&mut trace, lane, "done", (0, 10));
    let name = trace.add_text("stuck");
    trace.begin(lane, 10, name, SpanState::Runs);
    let statistics = Statistics::of(&trace, GROUP, 100).expect("it has spans");
    assert_eq!((statistics.items, statistics.running), (1, 1));
    assert_eq!((statistics.elapsed(), statistics.shares.busy), (100, 100));
    assert_eq!(statistics.critical_path.busy, 100);
}

#[test]
fn items_of_a_file_have_the_same_statistics() {
    let (mut trace, [whole, lane]) = trace([LaneKind::Whole, LaneKind::Thread]);
    run(&mut trace, whole, "job", (0, 50_000));
    // The last two never ran.
    for name in ["a.png", "b.png", "c.png", "d.png"] {
        trace.add_found_item(GROUP, name, 0);
    }
    for (item, at) in [(1, 0), (0, 20_000)] {
        let span = Span::open(at, SpanName::Item(item), SpanState::Runs);
        trace.add(lane, span.until(at + 15_000, SpanOutcome::Failed));
        run(&mut trace, lane, "part", (at + 1_000, at + 9_000));
    }
    let mut bytes = Vec::new();
    write_chrome(&trace, &mut bytes).expect("memory takes it");
    let read = read_chrome(bytes.as_slice()).expect("it is a trace").trace;
    assert_eq!(statistics(&read), statistics(&trace));
    assert_eq!((statistics(&read).items, statistics(&read).failed), (2, 2));
    assert_eq!(read.name(GROUP, SpanName::Item(0)), "a.png");
}

#[test]
fn number_of_an_item_in_a_file_is_no_size() {
    let text = r#"{"meanwhile":{"version":1},"traceEvents":[
        {"ph":"X","ts":1,"dur":1,"pid":1,"tid":1,"name":"a","args":{"item":4294967294}},
        {"ph":"X","ts":2,"dur":1,"pid":1,"tid":1,"name":"b","args":{"item":3}},
        {"ph":"X","ts":3,"dur":1,"pid":1,"tid":1,"name":"c","args":{"item":3}}]}"#;
    let trace = read_chrome(text.as_bytes()).expect("it is a trace").trace;
    let (_, lane) = trace.lanes().next().expect("the one lane");
    let names = lane.rows()[0]
        .iter()
        .map(|span| trace.name(GROUP, span.name));
    assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn text_and_json_say_the_figures() {
    let (mut trace, [whole, lane]) = trace([LaneKind::Whole, LaneKind::Thread]);
    run(&mut trace, whole, "job", (0, 3_000_000_000));
    run(&mut trace, lane, "stuck\u{1b}[2J", (0, 2_000_000_000));
    let figures = statistics(&trace);
    let text = statistics_text(&trace, GROUP, &figures);
    for part in [
        "#1 Job\n",
        "3.00 s",
        "busy 67 %, idle 33 %",
        "0.7 on average, 1 at most",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(
        !text.contains('\u{1b}'),
        "no name reaches a terminal as it is"
    );
    let mut bytes = Vec::new();
    statistics_json(&trace, &[(GROUP, figures)], &mut bytes).expect("memory takes it");
    let json: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
    assert_eq!(json[0]["max_secs"], 2.0);
    assert_eq!(json[0]["critical_path"]["steps"][0]["took_secs"], 2.0);
}

proptest! {
    /// Whatever runs and waits, every moment of a group is a part of its critical path once.
    #[test]
    fn critical_path_adds_up_to_the_elapsed_time(
        steps in prop::collection::vec((0_usize..4, any::<bool>(), 0_u64..50, 0_usize..8), 1..200),
        flows in prop::collection::vec((0_usize..4, 0_u64..2_000, 0_usize..4, 0_u64..2_000, any::<bool>()), 0..60),
        has_whole in any::<bool>(),
    ) {
        let first = if has_whole { LaneKind::Whole } else { LaneKind::Thread };
        let (mut trace, lanes) = trace([first, LaneKind::Joins, LaneKind::Process, LaneKind::Thread]);
        let mut at = 7;
        for (lane, begins, later, state) in steps {
            at += later;
            if begins {
                let name = trace.add_text("span");
                trace.begin(lanes[lane], at, name, SpanState::ALL[state]);
            } else {
                trace.end(lanes[lane], at, SpanOutcome::Returned);
            }
        }
        for (from, from_at, to, to_at, is_join) in flows {
            let kind = if is_join { FlowKind::Join } else { FlowKind::Start };
            trace.add_flow(flow(kind, (lanes[from], from_at), (lanes[to], to_at)));
        }
        let now = trace.last_at() + 3;
        if let Some(statistics) = Statistics::of(&trace, GROUP, now) {
            let path = &statistics.critical_path;
            prop_assert_eq!(path.busy + path.waiting, statistics.elapsed());
            prop_assert_eq!(path.steps.iter().map(|step| step.took).sum::<u64>(), statistics.elapsed());
            let curve = &statistics.parallelism.curve;
            let last = statistics.elapsed() - statistics.parallelism.step * (curve.len().max(1) as u64 - 1);
            let lengths = (1..).map(|point| if point == curve.len() { last } else { statistics.parallelism.step });
            let area: f64 = curve.iter().zip(lengths).map(|(at, length)| at * length as f64).sum();
            let sum = statistics.parallelism.mean * statistics.elapsed() as f64;
            prop_assert!((area - sum).abs() < 1e-3, "{} {}", area, sum);
        }
    }
}
