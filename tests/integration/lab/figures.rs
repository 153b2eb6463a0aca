//! Figures and sparklines of given facts.

use std::time::Duration;

use meanwhile::lab::{Bar, Clicks, Fact, Figures, GapKind, Sparkline, ThreadTime, TwinOutcome};

use super::{FRAME, figures, stamped};

const HIDDEN: Fact = Fact::DidBegin { hidden: true };

fn drawn(changed: bool) -> Fact {
    Fact::DidDraw {
        cpu_ns: 2_000_000,
        changed,
    }
}

#[test]
fn frame_gaps_count_from_the_click_to_the_result() {
    let facts = [
        (0, FRAME),
        (90, FRAME),
        (100, FRAME),
        (101, Fact::DidStart),
        (102, Fact::DidClick),
        (110, FRAME),
        (170, FRAME),
        (320, FRAME),
        (1_520, FRAME),
        (1_521, Fact::DidShow),
        (1_530, FRAME),
        (9_000, FRAME),
    ];
    let figures = figures(&facts);
    let gaps = figures.frame_gap_ms.unwrap();
    // 10, 60, 150, 1200 and 10: gaps before the click and after the result do not count.
    assert!((gaps.p50 - 60.0).abs() < 1e-9, "{gaps:?}");
    assert!((gaps.max - 1_200.0).abs() < 1e-9, "{gaps:?}");
    assert_eq!(figures.gaps_above, [3, 3, 2, 1, 1, 0]);
    assert!((figures.frozen_ms - 1_350.0).abs() < 1e-9);
}

#[test]
fn window_without_frames_is_frozen_until_its_end() {
    let heartbeat = Fact::Heartbeat { cpu_ns: 0 };
    let facts = [
        (0, FRAME),
        (1, Fact::DidStart),
        (2, Fact::DidClick),
        (50, heartbeat.clone()),
        (4_000, heartbeat),
        (4_000, Fact::Over),
    ];
    let figures = figures(&facts);
    assert!((figures.frozen_ms - 4_000.0).abs() < 1e-9);
    assert_eq!(figures.time_to_result_ms, None);
    assert_eq!(figures.clicks.lost, 1);
}

#[test]
fn gaps_of_hidden_or_idle_windows_do_not_count() {
    let hidden = [
        (0, FRAME),
        (0, Fact::DidStart),
        (0, Fact::DidClick),
        (10, HIDDEN),
        (2_000, FRAME),
        (2_010, FRAME),
        (2_011, Fact::DidShow),
        (2_020, FRAME),
    ];
    assert!((figures(&hidden).frame_gap_ms.unwrap().max - 10.0).abs() < 1e-9);

    let untouched = [
        (0, FRAME),
        (0, Fact::DidStart),
        (2_000, FRAME),
        (2_001, Fact::DidShow),
    ];
    let figures = figures(&untouched);
    assert_eq!(figures.frame_gap_ms, None);
    assert!(figures.frozen_ms.abs() < 1e-9);
}

#[test]
fn clicks_are_in_time_or_late_and_merged_ones_lost() {
    let facts = [
        (0, FRAME),
        (0, Fact::DidStart),
        (10, Fact::DidClick),
        (20, FRAME),
        (21, Fact::DidCount { clicks: 1 }),
        (100, Fact::DidClick),
        (200, Fact::DidClick),
        (300, Fact::DidClick),
        (1_000, FRAME),
        (1_001, Fact::DidCount { clicks: 2 }),
        (1_100, Fact::DidClick),
    ];
    let expected = Clicks {
        made: 5,
        in_time: 1,
        late: 1,
        lost: 3,
    };
    assert_eq!(figures(&facts).clicks, expected);
}

#[test]
fn time_to_result_counts_from_the_end_of_the_work() {
    let without_input = [
        (0, FRAME),
        (0, Fact::DidStart),
        (1_000, Fact::DidEnd),
        (1_004, Fact::DidShow),
        (2_000, Fact::DidMoveMouse),
    ];
    let without_input = figures(&without_input);
    assert!((without_input.time_to_result_ms.unwrap() - 4.0).abs() < 1e-9);
    assert!(!without_input.needed_input);

    let with_input = [
        (0, FRAME),
        (0, Fact::DidStart),
        (1_000, Fact::DidEnd),
        (2_000, Fact::DidMoveMouse),
        (2_003, Fact::DidShow),
    ];
    let with_input = figures(&with_input);
    assert!((with_input.time_to_result_ms.unwrap() - 1_003.0).abs() < 1e-9);
    assert!(with_input.needed_input);
}

#[test]
fn time_to_close_ends_with_the_window_or_the_kill() {
    let asked = [(0, FRAME), (0, Fact::DidStart), (300, Fact::DidAskToClose)];
    let closed = [&asked[..], &[(450, Fact::DidClose)]].concat();
    let time = figures(&closed).time_to_close_ms.unwrap();
    assert!((time - 150.0).abs() < 1e-9);

    let never = [&asked[..], &[(4_300, Fact::Over)]].concat();
    let never = Figures::of(&stamped(&never), TwinOutcome::Killed).unwrap();
    assert!((never.time_to_close_ms.unwrap() - 4_000.0).abs() < 1e-9);
}

#[test]
fn repaints_and_cpu_count_until_the_scenario_ends() {
    let mut facts = vec![(0, FRAME), (0, Fact::DidStart)];
    facts.push((0, Fact::Heartbeat { cpu_ns: 5_000_000 }));
    for frame in 1..=10 {
        facts.push((frame * 100, FRAME));
        facts.push((frame * 100 + 50, drawn(frame % 5 == 0)));
    }
    facts.push((2_000, Fact::Heartbeat { cpu_ns: 45_000_000 }));
    facts.push((2_000, Fact::Over));
    // After the end of the scenario nothing counts.
    facts.push((2_100, FRAME));
    facts.push((2_101, drawn(true)));
    let figures = figures(&facts);
    assert!((figures.repaints_per_sec - 5.0).abs() < 1e-9);
    assert!((figures.idle_repaints_per_sec - 4.0).abs() < 1e-9);
    assert!((figures.ui_cpu_ms - 20.0).abs() < 1e-9);
    assert!((figures.process_cpu_ms - 40.0).abs() < 1e-9);
    assert!((figures.frame_ms.unwrap().p50 - 50.0).abs() < 1e-9);
}

#[test]
fn thread_cpu_counts_from_the_click_and_by_name() {
    let thread = |id, name: &str, millis: u64| ThreadTime {
        id,
        name: name.to_owned(),
        cpu_ns: millis * 1_000_000,
    };
    let used = |threads| Fact::DidUse { threads };
    let facts = [
        (0, used(vec![thread(1, "UI thread", 500)])),
        (10, FRAME),
        (10, Fact::DidStart),
        (
            900,
            used(vec![
                thread(1, "UI thread", 530),
                thread(2, "work", 800),
                thread(3, "work", 700),
            ]),
        ),
        (900, Fact::DidEnd),
        // The workers have ended, and another thread has hardly begun.
        (
            2_000,
            used(vec![thread(1, "UI thread", 560), thread(4, "idle", 0)]),
        ),
        (2_000, Fact::Over),
    ];
    let threads = figures(&facts).threads;
    let names: Vec<_> = threads
        .iter()
        .map(|thread| (thread.name.as_str(), thread.threads))
        .collect();
    assert_eq!(names, [("work", 2), ("UI thread", 1)]);
    assert!((threads[0].cpu_ms - 1_500.0).abs() < 1e-9, "{threads:?}");
    assert!((threads[1].cpu_ms - 60.0).abs() < 1e-9, "{threads:?}");
}

#[test]
fn step_time_is_the_time_of_all_threads_per_step() {
    let facts = [
        (0, FRAME),
        (0, Fact::DidStart),
        (1_000, Fact::DidSteps { steps: 300 }),
        (1_000, Fact::DidSteps { steps: 700 }),
        (1_000, Fact::DidEnd),
    ];
    // Two threads worked for a second each.
    let step = figures(&facts).step_us.unwrap();
    assert!((step - 2_000.0).abs() < 1e-9, "{step}");
    assert_eq!(figures(&facts[..2]).step_us, None);
}

#[test]
fn sparkline_has_the_longest_gap_of_each_hundredth() {
    let frames = (0..=100).map(|frame| (frame * 10, FRAME));
    let frozen_at_the_end = [(2_000, FRAME), (2_000, Fact::Over), (2_500, FRAME)];
    let start = [(0, FRAME), (0, Fact::DidStart), (0, Fact::DidClick)];
    let facts: Vec<_> = start
        .into_iter()
        .chain(frames)
        .chain(frozen_at_the_end)
        .collect();
    let line = figures(&facts).sparkline;
    assert_eq!(line.longest_gap_ms.len(), 100);
    let ms = Duration::from_millis;
    let bars: Vec<_> = line.bars().collect();
    let bar = |from, to, longest, kind| Bar {
        from: ms(from),
        to: ms(to),
        longest: ms(longest),
        kind,
    };
    let responsive = bar(0, 1_000, 10, GapKind::Responsive);
    let frozen = bar(1_000, 2_000, 1_000, GapKind::Frozen);
    assert_eq!(bars, [responsive, frozen]);

    // Without clicks the same window is idle.
    let untouched: Vec<_> = facts
        .into_iter()
        .filter(|(_, fact)| *fact != Fact::DidClick)
        .collect();
    let kinds = figures(&untouched).sparkline;
    let kinds: Vec<_> = kinds.bars().map(|bar| bar.kind).collect();
    assert_eq!(kinds, [GapKind::Responsive, GapKind::Idle]);
}

#[test]
fn sparkline_from_a_broken_file_is_drawn() {
    let broken = Sparkline {
        length_ms: f64::MAX,
        input_from_ms: Some(f64::NAN),
        longest_gap_ms: vec![-1.0, f64::INFINITY, f64::NAN, 5.0],
    };
    assert_eq!(broken.bars().count(), 1);
}

#[test]
fn run_without_a_click_on_start_has_no_figures() {
    assert_eq!(
        Figures::of(&stamped(&[(0, FRAME)]), TwinOutcome::Finished),
        None
    );
    assert_eq!(Figures::of(&[], TwinOutcome::Stopped), None);
}

#[test]
fn absurd_numbers_of_a_twin_overflow_nothing() {
    let drawn = Fact::DidDraw {
        cpu_ns: u64::MAX,
        changed: true,
    };
    let figures = figures(&[
        (0, FRAME),
        (1, Fact::DidStart),
        (2, drawn.clone()),
        (3, drawn),
        (4, Fact::DidSteps { steps: u64::MAX }),
        (4, Fact::DidSteps { steps: u64::MAX }),
        (5, Fact::DidEnd),
    ]);
    assert!(figures.ui_cpu_ms.is_finite());
    assert!(figures.step_us.unwrap() >= 0.0);
}
