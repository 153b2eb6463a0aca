//! The trace of a run, from given facts.

use meanwhile::lab::{Fact, LateCause, Metric, TwinOutcome, add_run};
use meanwhile::trace::{Change, GroupId, Row, SpanOutcome, SpanState, Trace, compare};

use super::{FRAME, stamped};

const DRAWN: Fact = Fact::DidDraw {
    cpu_ns: 0,
    changed: true,
};

fn late(millis: u64, has_ended: bool, kind: &str, because: &str) -> Fact {
    Fact::IsLate {
        number: 1,
        lasted_ns: millis * 1_000_000,
        has_ended,
        cause: Some(LateCause {
            kind: kind.to_owned(),
            because: because.to_owned(),
        }),
    }
}

fn trace_of(
    metric: Metric,
    facts: &[(u64, Fact)],
    ending: &TwinOutcome,
    because: Option<&str>,
) -> Trace {
    let mut trace = Trace::default();
    let group = (GroupId::new(1), "pattern, bad");
    add_run(
        &mut trace,
        group,
        metric,
        (&stamped(facts), ending),
        because,
    );
    trace
}

/// A span: lane, name, state, begin and end in milliseconds, outcome.
type Seen = (String, String, SpanState, u64, u64, SpanOutcome);

fn spans(trace: &Trace) -> Vec<Seen> {
    let millis = |nanos| nanos / 1_000_000;
    let mut seen = Vec::new();
    for (id, lane) in trace.lanes() {
        for span in lane.rows().iter().flat_map(Row::iter) {
            let name = trace.name(id.group, span.name).into_owned();
            let ended = millis(span.ended().expect("all end"));
            let began = millis(span.began());
            let lane = lane.name.clone();
            seen.push((lane, name, span.state, began, ended, span.outcome));
        }
    }
    seen
}

fn span(lane: &str, name: &str, state: SpanState, times: (u64, u64), outcome: SpanOutcome) -> Seen {
    let (lane, name) = (lane.to_owned(), name.to_owned());
    (lane, name, state, times.0, times.1, outcome)
}

/// A window whose click on `Start` waits for the work.
fn frozen() -> Trace {
    let what = "waits for thread `work` to end";
    let because = "waits for thread `work` to end, which computes";
    let facts = [
        (0, FRAME),
        (10, DRAWN),
        (100, FRAME),
        (101, Fact::DidStart),
        (140, late(40, false, what, because)),
        (2_101, Fact::DidEnd),
        (2_102, Fact::DidShow),
        (2_103, DRAWN),
        (2_105, late(2_005, true, what, because)),
        (2_110, FRAME),
        (2_120, DRAWN),
        (3_000, Fact::Over),
    ];
    let metric = Metric::Frozen;
    trace_of(metric, &facts, &TwinOutcome::Finished, Some(because))
}

#[test]
fn wait_of_a_late_frame_is_within_it() {
    use SpanState::{Runs, Waits};
    let trace = frozen();
    let none = SpanOutcome::None;
    let returned = SpanOutcome::Returned;
    let wait = "waits for thread `work` to end";
    assert_eq!(
        spans(&trace),
        [
            span(
                "Window",
                "from Start to the result",
                Runs,
                (101, 2_102),
                returned
            ),
            span(
                "Window",
                "the result is there, and not shown",
                Waits,
                (2_101, 2_102),
                none
            ),
            span("UI thread", "frame", Runs, (0, 10), none),
            span("UI thread", "frame", Runs, (100, 2_105), none),
            span("UI thread", "frame", Runs, (2_110, 2_120), none),
            span("UI thread", wait, Waits, (100, 2_105), none),
            span("Work", "work", Runs, (101, 2_101), returned),
        ]
    );
    let marks = trace.marks().iter().map(|mark| mark.text.as_str());
    let because = "waits for thread `work` to end, which computes";
    assert_eq!(marks.collect::<Vec<_>>(), [because]);
}

#[test]
fn comparison_with_the_fixed_twin_names_the_wait() {
    let fixed = [
        (0, FRAME),
        (10, DRAWN),
        (100, FRAME),
        (101, Fact::DidStart),
        (110, DRAWN),
        (2_101, Fact::DidEnd),
        (2_110, FRAME),
        (2_111, Fact::DidShow),
        (2_120, DRAWN),
        (3_000, Fact::Over),
    ];
    let fixed = trace_of(Metric::Frozen, &fixed, &TwinOutcome::Finished, None);
    let comparison = compare(&frozen(), &fixed);
    let first = &comparison.differences[0];
    assert_eq!(first.change, Change::Vanished);
    assert_eq!(first.name, "waits for thread `work` to end");
}

#[test]
fn frame_that_never_ends_goes_on_until_the_last_fact() {
    let facts = [
        (100, FRAME),
        (101, Fact::DidStart),
        (140, late(40, false, "sleeps", "sleeps")),
        (4_000, Fact::Over),
    ];
    let trace = trace_of(Metric::Frozen, &facts, &TwinOutcome::Killed, Some("sleeps"));
    let spans = spans(&trace);
    let of_frame = |found: &Seen| found.0 == "UI thread";
    let times = spans
        .iter()
        .filter(|it| of_frame(it))
        .map(|it| (it.3, it.4));
    assert_eq!(times.collect::<Vec<_>>(), [(100, 4_000); 2]);
    assert_eq!(spans[0].5, SpanOutcome::TimedOut);
}

#[test]
fn result_that_waits_for_input_is_a_wait_of_its_own() {
    let facts = [
        (100, FRAME),
        (101, Fact::DidStart),
        (110, DRAWN),
        (2_100, Fact::DidEnd),
        (3_100, Fact::DidMoveMouse),
        (3_110, FRAME),
        (3_111, Fact::DidShow),
        (4_000, Fact::Over),
    ];
    let why = "waits for input: nothing woke it when the work had ended";
    let trace = trace_of(
        Metric::TimeToResult,
        &facts,
        &TwinOutcome::Finished,
        Some(why),
    );
    let wait = SpanState::Waits;
    let none = SpanOutcome::None;
    let expected = span("Because", why, wait, (2_100, 3_111), none);
    assert!(spans(&trace).contains(&expected), "{:#?}", spans(&trace));
}

#[test]
fn run_without_facts_is_a_group_without_spans() {
    let died = TwinOutcome::Died("it exited with code 1".to_owned());
    let trace = trace_of(Metric::Survival, &[], &died, Some("the UI thread panicked"));
    assert_eq!((trace.groups().count(), trace.len()), (1, 0));
}
