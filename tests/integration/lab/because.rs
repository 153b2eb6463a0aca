//! Why a window misbehaved, from given facts.

use meanwhile::lab::{Fact, LateCause, Metric, because};

use super::{FRAME, figures, stamped};

/// A late frame that has ended.
fn late(number: u64, millis: u64, cause: Option<(&str, &str)>) -> Fact {
    fact(number, millis, true, cause)
}

/// A late frame that goes on.
fn ongoing(number: u64, millis: u64, cause: Option<(&str, &str)>) -> Fact {
    fact(number, millis, false, cause)
}

fn fact(number: u64, millis: u64, has_ended: bool, cause: Option<(&str, &str)>) -> Fact {
    Fact::IsLate {
        number,
        lasted_ns: millis * 1_000_000,
        has_ended,
        cause: cause.map(|(kind, because)| LateCause {
            kind: kind.to_owned(),
            because: because.to_owned(),
        }),
    }
}

#[track_caller]
fn assert_because(metric: Metric, facts: &[(u64, Fact)], expected: Option<&str>) {
    let found = because(metric, &stamped(facts), &figures(facts), "");
    assert_eq!(found.as_deref(), expected);
}

/// A window that is frozen for two seconds, and says this of it.
fn frozen(facts: &[(u64, Fact)]) -> Vec<(u64, Fact)> {
    let begin = [(0, FRAME), (1, Fact::DidStart), (2, Fact::DidClick)];
    let end = [
        (2_000, FRAME),
        (2_001, Fact::DidShow),
        // Of a frame after the result, which does not count.
        (9_000, late(99, 5_000, Some(("draws", "draws")))),
    ];
    [&begin[..], facts, &end].concat()
}

#[test]
fn cause_of_the_longest_time_counts() {
    let computes = Some(("computes", "computed for 0.3 s"));
    let longer = Some(("computes", "computed for 0.9 s"));
    let facts = frozen(&[
        (140, ongoing(1, 40, None)),
        (400, late(1, 300, computes)),
        (900, late(2, 400, Some(("waits", "waits for a socket")))),
        (1_999, late(3, 900, longer)),
    ]);
    assert_because(Metric::Frozen, &facts, Some("computed for 0.9 s"));
    assert_because(Metric::FrameGaps, &facts, Some("computed for 0.9 s"));
}

#[test]
fn frame_that_never_ends_lasts_until_the_last_fact() {
    let facts = [
        (0, FRAME),
        (1, Fact::DidStart),
        (2, Fact::DidClick),
        (60, ongoing(1, 40, Some(("computes", "computes")))),
        (200, ongoing(2, 40, Some(("waits", "waits for a socket")))),
        (4_000, Fact::Over),
    ];
    // Of two that go on the older one is longer.
    assert_because(Metric::Frozen, &facts, Some("computes"));
}

#[test]
fn mostly_unknown_cause_is_not_said() {
    let known = Some(("computes", "computes"));
    let facts = frozen(&[(500, late(1, 400, known)), (1_999, late(2, 1_400, None))]);
    assert_because(Metric::Frozen, &facts, None);
    assert_because(Metric::Frozen, &frozen(&[]), None);
}

#[test]
fn good_window_has_no_cause() {
    let known = Some(("computes", "computes"));
    let facts = [
        (0, FRAME),
        (1, Fact::DidStart),
        (2, Fact::DidClick),
        (10, late(1, 5_000, known)),
        (12, FRAME),
        (13, Fact::DidShow),
        (20, FRAME),
    ];
    assert_because(Metric::Frozen, &facts, None);
    assert_because(Metric::FrameGaps, &facts, None);
    assert_because(Metric::IdleRepaints, &facts, None);
    assert_because(Metric::TimeToResult, &facts, None);
    assert_because(Metric::Survival, &facts, None);
}

#[test]
fn late_result_has_the_frames_before_it() {
    let result = |between: &[(u64, Fact)], needs_input: bool| {
        let begin = [(0, FRAME), (1, Fact::DidStart), (1_000, Fact::DidEnd)];
        let input = [(2_000, Fact::DidMoveMouse)];
        let end = [(2_010, FRAME), (2_011, Fact::DidShow)];
        let input = if needs_input { &input[..] } else { &[] };
        [&begin[..], between, input, &end].concat()
    };
    let hidden = (1_010, Fact::DidBegin { hidden: true });
    for (facts, expected) in [
        (
            result(&[], true),
            Some("waits for input: nothing woke it when the work had ended"),
        ),
        (
            result(&[(1_010, FRAME)], true),
            Some("was woken before the result was there, and not again"),
        ),
        (
            result(&[hidden], false),
            Some("ran while it was hidden, and looks for the result only when it draws"),
        ),
        (result(&[], false), None),
    ] {
        assert_because(Metric::TimeToResult, &facts, expected);
    }
}

#[test]
fn idle_frames_end_with_the_work_or_not() {
    let frames = |from: u64, to: u64| {
        let drawn = Fact::DidDraw {
            cpu_ns: 1,
            changed: false,
        };
        (from..to)
            .step_by(10)
            .flat_map(move |at| [(at, FRAME), (at + 1, drawn.clone())])
    };
    let facts = |to: u64| {
        let mut facts = vec![(0, FRAME), (1, Fact::DidStart)];
        facts.extend(frames(10, 1_000));
        facts.extend([
            (1_000, Fact::DidEnd),
            (1_001, FRAME),
            (1_002, Fact::DidShow),
        ]);
        facts.extend(frames(1_010, to));
        facts.push((2_000, Fact::Heartbeat { cpu_ns: 1 }));
        facts.push((2_000, Fact::Over));
        facts
    };
    let endless = "each frame asks for the next one, though the work has ended";
    assert_because(Metric::IdleRepaints, &facts(2_000), Some(endless));
    let busy = "draws frame after frame while the work runs, though they show nothing new";
    assert_because(Metric::IdleRepaints, &facts(1_010), Some(busy));
}

#[test]
fn many_wake_ups_of_a_frame_are_said() {
    let facts = |times: usize| {
        let steps = Fact::DidSteps { steps: 1_000 };
        [
            (0, FRAME),
            (1, Fact::DidStart),
            (500, Fact::WasAskedFor { times }),
            (999, steps),
            (1_000, Fact::DidEnd),
        ]
    };
    let many = "wakes the window 1 500 times for each frame";
    assert_because(Metric::StepTime, &facts(1_500), Some(many));
    assert_because(Metric::StepTime, &facts(3), None);
}

#[test]
fn last_panic_is_why_a_window_died() {
    use meanwhile::lab::{Figures, TwinOutcome};

    let errors = "thread 'work' (7) panicked at a.rs:1:1:\na bug\nthread 'main' (6) panicked at b.rs:2:2:\n\
                  called `Result::unwrap()`\nstack backtrace:\n   0: main\n";
    let facts = stamped(&[(0, FRAME), (1, Fact::DidStart)]);
    let died = TwinOutcome::Died("it exited with code 101".to_owned());
    let figures = Figures::of(&facts, died).expect("Start was clicked");
    let found = because(Metric::Survival, &facts, &figures, errors);
    let expected = "the UI thread panicked: called `Result::unwrap()`";
    assert_eq!(found.as_deref(), Some(expected));
    assert_eq!(because(Metric::Survival, &facts, &figures, ""), None);
}
