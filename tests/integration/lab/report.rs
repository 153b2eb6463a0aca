//! The report of given runs, and its formats.

use std::fs::File;

use meanwhile::lab::{
    Display, Fact, Figures, LabReport, Machine, PatternId, RunRecord, SavedReport, TwinOutcome,
    Variant,
};
use serde_json::Value;

use super::{FRAME, figures, first, stamped};
use crate::util::files::folder;

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
        group: None,
    }
}

fn report(runs: &[RunRecord]) -> LabReport {
    let display = Display {
        refresh_millihertz: Some(59_950),
        renderer: Some("OpenGL 4.5 of a test".to_owned()),
        server: Some("Wayland (sway)".to_owned()),
    };
    LabReport::from_runs(Machine::current(Some(&display)), runs)
}

#[test]
fn verdict_compares_the_medians_of_both_variants() {
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
    for part in ["60 Hz", "OpenGL 4.5 of a test", "Wayland (sway)"] {
        assert!(markdown.contains(part), "{markdown}");
    }
}

#[test]
fn many_runs_are_counted_in_groups_of_digits() {
    let runs: Vec<_> = (0..1_000).map(|_| run(Variant::Bad, 2_100)).collect();
    let text = report(&runs).row(first(), Variant::Bad).unwrap().text();
    assert_eq!(text, "2.10 s frozen (median of 1 000)");
}

#[test]
fn run_that_died_has_no_figures_and_no_verdict() {
    let died = RunRecord {
        ending: TwinOutcome::Died("it exited with code 1".to_owned()),
        figures: None,
        ..run(Variant::Bad, 0)
    };
    let report = report(&[died]);
    assert_eq!(report.row(first(), Variant::Bad).unwrap().runs, 0);
    assert_eq!(report.verdict(first()), None);
}

#[test]
fn bad_variant_that_behaves_is_not_reproduced() {
    let runs = [run(Variant::Bad, 90), run(Variant::Fixed, 10)];
    let report = report(&runs);
    let first = first();
    assert!(!report.verdict(first).unwrap().reproduced);
    let text = report.text();
    assert!(text.contains("not reproduced here"), "{text}");
}

/// A window whose frames say that it was hidden was minimised, whatever came of that.
#[test]
fn missing_minimise_is_named_if_it_is_missing() {
    let missing = "the window was not hidden; this desktop does not minimise windows";
    for (hidden, is_missing) in [(false, true), (true, false)] {
        let mut runs = [Variant::Bad, Variant::Fixed].map(|variant| hidden_run(variant, Some(90)));
        for run in &mut runs {
            run.figures.as_mut().expect("it has some").was_hidden = hidden;
        }
        let report = report(&runs);
        let expected = is_missing.then_some(missing);
        assert_eq!(report.missing(runs[0].pattern), expected);
        assert_eq!(report.text().contains(missing), is_missing);
        assert_eq!(report.markdown().contains(missing), is_missing);
        let mut json = Vec::new();
        report.write_json(&mut json).expect("it is memory");
        let json = String::from_utf8(json).expect("it is text");
        assert_eq!(json.contains(missing), is_missing);
    }
    // Where it misbehaves, nothing was missing; others need nothing.
    let shown = [
        hidden_run(Variant::Bad, None),
        hidden_run(Variant::Fixed, Some(90)),
    ];
    assert_eq!(report(&shown).missing(shown[0].pattern), None);
    let others = [run(Variant::Bad, 90), run(Variant::Fixed, 10)];
    assert_eq!(report(&others).missing(first()), None);
}

/// To look in vain for a dialog blocks the window, too, but not to the end of the run.
#[test]
fn missing_dialog_is_named_even_if_it_froze() {
    let pattern = "dialog-in-ui".parse().expect("it is in the list");
    let facts = [
        (0, FRAME),
        (0, Fact::DidStart),
        (0, Fact::DidClick),
        (900, FRAME),
        (1_000, Fact::Over),
    ];
    for (ending, was_shown) in [(TwinOutcome::Finished, false), (TwinOutcome::Killed, true)] {
        let mut bad = Figures::of(&stamped(&facts), ending.clone()).expect("Start was clicked");
        bad.because = Some("waits for the socket".to_owned());
        let bad = RunRecord {
            pattern,
            variant: Variant::Bad,
            ending,
            figures: Some(bad),
            group: None,
        };
        let fixed = RunRecord {
            pattern,
            ..run(Variant::Fixed, 10)
        };
        let report = report(&[bad, fixed]);
        assert_eq!(report.verdict(pattern).unwrap().reproduced, was_shown);
        assert_eq!(report.missing(pattern).is_none(), was_shown);
        for text in [report.text(), report.markdown()] {
            assert_eq!(text.contains("no file dialog was shown"), !was_shown);
            assert_eq!(text.contains("waits for the socket"), was_shown, "{text}");
        }
        // The saved report says the same.
        let folder = folder();
        let file = folder.path().join("here.json");
        report
            .write_json(File::create(&file).expect("the folder is ours"))
            .expect("it can be written");
        let saved = SavedReport::read(&file).expect("it is a report");
        assert_eq!(saved.verdict(pattern).unwrap().reproduced, was_shown);
    }
}

/// A run of `poll-in-ui-only`, whose result is shown after this time or never.
fn hidden_run(variant: Variant, shown_ms: Option<u64>) -> RunRecord {
    let mut facts = vec![(0, FRAME), (0, Fact::DidStart), (0, Fact::DidClick)];
    facts.push((100, Fact::DidEnd));
    facts.extend(shown_ms.map(|ms| (100 + ms, Fact::DidShow)));
    facts.push((3_000, Fact::Over));
    let pattern = PatternId::all().find(|id| id.to_string() == "poll-in-ui-only");
    RunRecord {
        pattern: pattern.expect("it is among the patterns"),
        variant,
        ending: TwinOutcome::Finished,
        figures: Some(figures(&facts)),
        group: None,
    }
}

#[test]
fn result_that_is_never_shown_is_reproduced() {
    for bad_runs in 1..=3 {
        let mut runs = vec![hidden_run(Variant::Bad, None); bad_runs];
        runs.push(hidden_run(Variant::Fixed, Some(250)));
        let report = report(&runs);
        let verdict = report.verdict(runs[0].pattern).unwrap();
        assert!(verdict.reproduced, "{verdict:?}");
        let text = report.text();
        assert!(text.contains("result never shown"), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let markdown = report.markdown();
        assert!(
            !markdown.contains("NaN") && !markdown.contains("inf"),
            "{markdown}"
        );
    }
}

#[test]
fn result_that_neither_shows_is_not_reproduced() {
    let runs = [Variant::Bad, Variant::Fixed].map(|variant| hidden_run(variant, None));
    let verdict = report(&runs).verdict(runs[0].pattern).unwrap();
    assert!(!verdict.reproduced, "{verdict:?}");
    assert_eq!(verdict.ratio, None);
}

#[test]
fn json_has_every_figure_of_both_variants() {
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
