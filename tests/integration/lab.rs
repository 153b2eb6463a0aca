//! The Freeze Lab without a window: figures of given facts, the report, and twins that fail.
//! `tests/e2e.rs` runs the patterns in real windows.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use meanwhile::join::process::Launcher;
use meanwhile::lab::{
    Bar, Clicks, Display, Fact, Figures, GapKind, LabReport, Machine, PatternId, RunQueue,
    RunRecord, Sparkline, Stamped, ThreadTime, TwinOutcome, TwinRun, TwinRunOptions, Variant,
    WorkKind,
};
use serde_json::Value;

use crate::util::files::folder;
use crate::util::gate::LIMIT;

const FRAME: Fact = Fact::DidBegin { hidden: false };
const HIDDEN: Fact = Fact::DidBegin { hidden: true };

/// Stamps facts, whose times are given in milliseconds.
fn stamped(facts: &[(u64, Fact)]) -> Vec<Stamped> {
    let stamped = facts.iter().map(|(at, fact)| Stamped {
        at_ns: at * 1_000_000,
        fact: fact.clone(),
    });
    stamped.collect()
}

fn figures(facts: &[(u64, Fact)]) -> Figures {
    Figures::of(&stamped(facts), TwinOutcome::Finished).expect("Start was clicked")
}

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
fn a_window_without_frames_is_frozen_until_its_end() {
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
fn a_sparkline_has_the_longest_gap_of_each_hundredth() {
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
fn a_sparkline_from_a_broken_file_is_drawn() {
    let broken = Sparkline {
        length_ms: f64::MAX,
        input_from_ms: Some(f64::NAN),
        longest_gap_ms: vec![-1.0, f64::INFINITY, f64::NAN, 5.0],
    };
    assert_eq!(broken.bars().count(), 1);
}

#[test]
fn a_run_without_a_click_on_start_has_no_figures() {
    assert_eq!(
        Figures::of(&stamped(&[(0, FRAME)]), TwinOutcome::Finished),
        None
    );
    assert_eq!(Figures::of(&[], TwinOutcome::Stopped), None);
}

/// `join-in-click`.
fn first() -> PatternId {
    PatternId::all().next().expect("there are patterns")
}

/// A run of `join-in-click` with a frozen window.
fn run(variant: Variant, frozen_ms: u64) -> RunRecord {
    let facts = [
        (0, FRAME),
        (0, Fact::DidStart),
        (0, Fact::DidClick),
        (frozen_ms, FRAME),
        (frozen_ms, Fact::DidShow),
        (frozen_ms + 10, FRAME),
    ];
    RunRecord {
        pattern: first(),
        variant,
        ending: TwinOutcome::Finished,
        figures: Some(figures(&facts)),
    }
}

fn report(runs: &[RunRecord]) -> LabReport {
    let display = Display {
        refresh_millihertz: Some(59_950),
        renderer: Some("OpenGL 4.5 of a test".to_owned()),
    };
    LabReport::from_runs(Machine::current(Some(&display)), runs)
}

#[test]
fn a_verdict_compares_the_medians_of_both_variants() {
    let first = first();
    let runs = [
        run(Variant::Bad, 2_000),
        run(Variant::Bad, 9_000),
        run(Variant::Bad, 2_100),
        run(Variant::Fixed, 10),
    ];
    assert_eq!(report(&runs[..3]).verdict(first), None);
    let report = report(&runs);
    let verdict = report.verdict(first).unwrap();
    assert!(verdict.reproduced);
    assert!((verdict.bad - 2_100.0).abs() < 1e-9);
    assert!(verdict.fixed.abs() < 1e-9);
    let value = report.row(first, Variant::Bad).unwrap().value.unwrap();
    assert!((value.deviation - 100.0).abs() < 1e-9);
    let markdown = report.markdown();
    let line = "| join-in-click | 2.10 s frozen (median of 3) | never frozen | – |";
    assert!(markdown.contains(line), "{markdown}");
    for part in ["60 Hz", "OpenGL 4.5 of a test"] {
        assert!(markdown.contains(part), "{markdown}");
    }
}

#[test]
fn a_bad_variant_that_behaves_is_not_reproduced() {
    let runs = [run(Variant::Bad, 90), run(Variant::Fixed, 10)];
    let report = report(&runs);
    let first = first();
    assert!(!report.verdict(first).unwrap().reproduced);
    let text = report.text();
    assert!(text.contains("not reproduced here"), "{text}");
}

#[test]
fn the_json_has_every_figure_of_both_variants() {
    let runs = [run(Variant::Bad, 2_000), run(Variant::Fixed, 10)];
    let mut json = Vec::new();
    report(&runs).write_json(&mut json).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert!(json["machine"]["cores"].as_u64().unwrap() > 0);
    let bad = &json["patterns"][0];
    assert_eq!(
        (&bad["id"], &bad["variant"]),
        (&"join-in-click".into(), &"bad".into())
    );
    assert_eq!(bad["frozen_ms"], 2_000.0);
    assert_eq!(bad["frame_gap_ms"]["max"], 2_000.0);
    for figure in [
        "input_latency_ms",
        "time_to_result_ms",
        "repaints_per_sec",
        "ui_cpu_ms",
    ] {
        assert!(bad.get(figure).is_some(), "{figure} is missing: {bad}");
    }
    assert_eq!(json["patterns"][1]["variant"], "fixed");
}

#[test]
fn every_pattern_marks_a_line_in_both_variants() {
    for id in PatternId::all() {
        let (bad, fixed) = id.entry().source.split_once("struct Fixed").unwrap();
        for variant in [bad, fixed] {
            assert!(variant.contains("// ← "), "{id} marks no line");
        }
    }
    assert_eq!(PatternId::all().count(), 18);
}

/// A launcher that runs this script as the twin.
fn twins(script: &str) -> (tempfile::TempDir, Launcher) {
    let folder = folder();
    let path = folder.path().join("twin");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the folder is ours");
    let may_run = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&path, may_run).expect("the file is ours");
    (folder, Launcher::of_program(path))
}

fn options(variant: Variant, length: Duration) -> TwinRunOptions {
    TwinRunOptions {
        pattern: first(),
        variant,
        work: WorkKind::Sleep,
        length,
        is_manual: false,
        position: None,
    }
}

/// How two twins end that run this script, one after the other.
fn endings(script: &str) -> Vec<TwinOutcome> {
    let (_folder, launcher) = twins(script);
    let mut queue = RunQueue::new(launcher);
    for variant in Variant::ALL {
        queue.add(options(variant, Duration::ZERO));
    }
    while queue.is_busy() {
        queue.poll(usize::MAX);
        if let Some(run) = queue.run() {
            run.wait(Duration::from_millis(10));
        }
    }
    queue.done().iter().map(|run| run.ending.clone()).collect()
}

#[track_caller]
fn assert_died(endings: &[TwinOutcome], why: &str) {
    assert_eq!(endings.len(), 2, "the second twin runs too: {endings:?}");
    for ending in endings {
        match ending {
            TwinOutcome::Died(text) => assert!(text.contains(why), "{text}"),
            other => panic!("not dead: {other:?}"),
        }
    }
}

#[test]
fn a_dead_twin_is_reported_with_its_last_output() {
    let endings = endings("echo no window here >&2; exit 7");
    assert_died(&endings, "code 7: no window here");
}

#[test]
fn a_twin_that_sends_an_invalid_fact_is_killed() {
    let endings = endings("echo rubbish; exec sleep 60");
    assert_died(&endings, "it sent an invalid fact");
}

#[test]
fn a_twin_that_sends_too_much_is_killed() {
    // A line without an end is never a fact.
    let endings = endings("exec head -c 100000000 /dev/zero");
    assert_died(&endings, "it sent more data than could be read");
}

#[test]
fn a_twin_with_lost_facts_is_killed() {
    let missing = r#"{"at_ns":1,"fact":{"DidMiss":{"facts":12}}}"#;
    let endings = endings(&format!("echo '{missing}'; exec sleep 60"));
    assert_died(&endings, "12 facts were lost");
}

#[test]
fn a_poll_keeps_its_budget_and_the_end_comes_last() {
    let (_folder, launcher) = twins(&clicks_script(5_000));
    let mut run = TwinRun::start(options(Variant::Bad, Duration::ZERO), &launcher).unwrap();
    run.wait(LIMIT);
    loop {
        let before = run.fact_count();
        let has_ended = run.poll(100).is_some();
        assert!(run.fact_count() - before <= 100);
        if has_ended {
            break;
        }
    }
    assert_eq!(run.fact_count(), 5_000);
    assert_eq!(run.facts_since(0).len(), 5_000);
}

#[test]
fn a_manual_run_keeps_the_facts_of_its_last_seconds() {
    let (_folder, launcher) = twins(&clicks_script(20_000));
    let manual = TwinRunOptions {
        is_manual: true,
        ..options(Variant::Bad, Duration::ZERO)
    };
    let mut run = TwinRun::start(manual, &launcher).unwrap();
    run.wait(LIMIT);
    while run.poll(1_000).is_none() {
        assert!(run.facts_since(0).len() <= 5_001 + 1_000);
    }
    assert_eq!(
        (run.fact_count(), run.facts_since(0).len()),
        (20_000, 5_001)
    );
    assert_eq!(run.facts_since(19_998).len(), 2);
    assert_eq!(run.facts_since(20_000), []);
    assert_eq!(
        run.facts_since(3),
        run.facts_since(0),
        "older facts are dropped"
    );
}

/// A script that prints a click for each millisecond.
fn clicks_script(facts: usize) -> String {
    format!(r#"seq {facts} | sed 's/.*/{{"at_ns":&000000,"fact":"DidClick"}}/'"#)
}

#[test]
fn a_twin_that_cannot_start_is_reported() {
    let mut queue = RunQueue::new(Launcher::of_program("/nowhere/meanwhile"));
    for variant in Variant::ALL {
        queue.add(options(variant, Duration::ZERO));
    }
    while queue.is_busy() {
        queue.poll(usize::MAX);
    }
    let endings: Vec<_> = queue.done().iter().map(|run| run.ending.clone()).collect();
    assert_died(&endings, "/nowhere/meanwhile");
}

#[test]
fn stop_kills_a_frozen_twin_and_clears_the_queue() {
    let (_folder, launcher) = twins("trap '' TERM; echo >&2; exec sleep 60");
    let mut queue = RunQueue::new(launcher);
    for variant in Variant::ALL {
        queue.add(options(variant, Duration::from_mins(1)));
    }
    queue.poll(usize::MAX);
    queue.stop();
    while queue.is_busy() {
        queue.poll(usize::MAX);
    }
    let endings: Vec<_> = queue.done().iter().map(|run| &run.ending).collect();
    assert_eq!(endings, [&TwinOutcome::Stopped]);
}

fn meanwhile(args: &[&str], display: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(args).stdin(Stdio::null());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    command.envs(display.map(|display| ("DISPLAY", display)));
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("plain text")
}

#[test]
fn lab_list_needs_no_display() {
    let listed = meanwhile(&["lab", "list"], None);
    assert_eq!(listed.status.code(), Some(0));
    let ids: Vec<_> = PatternId::all().map(|id| id.to_string()).collect();
    let lines = text(&listed.stdout).lines();
    let firsts = lines.map(|line| line.split(' ').next().unwrap());
    assert_eq!(firsts.collect::<Vec<_>>(), ids);
}

#[test]
fn lab_run_without_a_display_fails() {
    let refused = meanwhile(&["lab", "run"], None);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("needs a display"));
    assert!(refused.stdout.is_empty());
}

#[test]
fn an_unknown_pattern_is_a_usage_error() {
    let refused = meanwhile(&["lab", "run", "join-in-clock"], None);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("join-in-clock"));
}

#[test]
fn an_unreachable_display_fails_each_run() {
    let nowhere = PathBuf::from("unix:/nowhere/display:0");
    let args = ["lab", "run", "join-in-click", "--format", "json"];
    let failed = meanwhile(&args, nowhere.to_str());
    assert_eq!(failed.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&failed.stdout).unwrap();
    let patterns = json["patterns"].as_array().unwrap();
    assert_eq!(patterns.len(), 2);
    for pattern in patterns {
        let why = pattern["ending"]["died"].as_str().unwrap();
        assert!(why.contains("could not open the twin's window"), "{why}");
    }
}
