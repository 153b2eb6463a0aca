//! The Freeze Lab's page with given figures. Real twins need a screen.

use std::time::Duration;

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{Shape, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::app::{DialogAnswer, DialogRequest};
use meanwhile::lab::{
    Fact, Figures, FrameLine, LabReport, Machine, PatternId, RunRecord, Stamped, TwinOutcome,
    Variant,
};
use meanwhile::pages::commands::Unavailable;
use meanwhile::pages::freeze_lab::LabChoices;
use meanwhile::pages::freeze_lab::page::lab_ui;
use meanwhile::pages::freeze_lab::props::{LabProps, LabState, Runs};
use meanwhile::ui::tokens;

use super::window::Window;

#[test]
fn every_pattern_shows_its_code_with_marked_lines() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    for pattern in PatternId::all() {
        let entry = pattern.entry();
        window.named(entry.id).scroll_to_me();
        window.harness.run_steps(10);
        window.click(entry.id);
        for variant in Variant::ALL {
            let code = entry.code(variant);
            let lines = code.lines().enumerate();
            for (line, text) in lines.filter(|(_, line)| line.contains("// \u{2190}")) {
                let name = format!("Marked line {}: {}", line + 1, text.trim());
                assert!(window.shows(&name), "{name}\n{}", window.texts());
            }
        }
        let [bad, fixed] = Variant::ALL.map(|variant| entry.code(variant));
        assert!(
            bad.contains("struct Bad") && !bad.contains("Fixed"),
            "{bad}"
        );
        assert!(
            fixed.contains("struct Fixed") && !fixed.contains("Bad"),
            "{fixed}"
        );
        // The figures list the processor times of threads by name.
        assert!(!entry.source.contains("thread::spawn("), "{pattern}");
        assert!(bad.contains("// \u{2190}") || fixed.contains("// \u{2190}"));
    }
}

#[test]
fn twin_that_cannot_start_shows_the_reason() {
    let mut window = Window::open_without_launcher();
    window.click("Freeze Lab");
    assert!(!window.is_enabled("Save report…"));
    window.set("Repeat", 2.0);
    window.click("Run all");
    window.until_it(|window| !window.is_enabled("Stop"), "the end of all runs");
    for pattern in PatternId::all() {
        window.named(pattern.entry().id).scroll_to_me();
        window.harness.run_steps(10);
        window.click(pattern.entry().id);
        for variant in ["Bad: ", "Fixed: "] {
            let reasons = window.texts_with(variant);
            let names_it = reasons.iter().any(|reason| reason.contains("not there"));
            assert!(names_it, "{pattern}: {reasons:?}\n{}", window.texts());
        }
    }
    assert!(window.is_enabled("Run both"));
    assert!(window.shows("Nothing is running."));
}

#[test]
fn run_all_shows_the_report_whose_rows_are_links() {
    let mut window = Window::open_without_launcher();
    window.click("Freeze Lab");
    window.click("Run all");
    window.until("Show join-in-click");
    assert!(!window.is_enabled("Stop"), "all runs have ended");
    let reasons = window.texts_with("not there");
    assert!(reasons.len() >= PatternId::all().count(), "{reasons:?}");
    for pattern in PatternId::all() {
        let row = format!("Show {pattern}");
        window.named(&row).scroll_to_me();
        window.harness.run_steps(10);
        window.click(&row);
        let fix = pattern.entry().fix.replace('`', "");
        assert!(window.shows(&fix), "{pattern} is not shown");
        window.click("Report");
    }
}

#[test]
fn report_row_compares_both_variants() {
    let mut view = LabState::default();
    view.shows_report = true;
    let runs = [
        finished(Variant::Bad, &[0, 2_000]),
        finished(Variant::Fixed, &[0, 200]),
    ];
    let page = harness(&runs, view);
    for text in [
        "join-in-click",
        "frozen time",
        "2.00 s",
        "200 ms",
        "10×",
        "2.00 s frozen; fixed: 200 ms frozen",
        "Frame gaps of join-in-click, bad: longest 2.00 s",
        "Frame gaps of join-in-click, fixed: longest 200 ms",
        "1 of 18 patterns measured, 1 misbehave here",
    ] {
        let found = page.query_all_by_label(text).next();
        assert!(found.is_some(), "{text}\n{}", texts(&page));
    }
    // The table fades out at its edge, which is a rectangle.
    let is_plot = |shape: &&ClippedShape| match &shape.shape {
        Shape::Mesh(mesh) => mesh.vertices.len() > 4,
        _ => false,
    };
    let meshes = page.output().shapes.iter().filter(is_plot).count();
    assert_eq!(meshes, 2 * PatternId::all().count(), "two in each row");
}

#[test]
fn file_name_selects_the_format_of_the_report() {
    let mut window = Window::open_without_launcher();
    window.click("Freeze Lab");
    window.click("Run both");
    window.until_it(|window| window.is_enabled("Save report…"), "a report");
    for (name, begins, has) in [
        ("lab.json", "{", "\"id\": \"join-in-click\""),
        (
            "lab.CSV",
            "id,variant,runs,frame_gap_p50_ms,",
            "\r\njoin-in-click,fixed,0,",
        ),
        ("lab.md", "| pattern | bad |", "| join-in-click | "),
    ] {
        let path = window.dir.path().join(name);
        window.click("Save report…");
        window
            .dialogs
            .answer(DialogAnswer::Picked(vec![path.clone()]));
        window.until(&format!("saved to {}", path.display()));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with(begins), "{text}");
        assert!(text.contains(has), "{text}");
    }
    let offered = DialogRequest::Save {
        title: "Save the report".to_owned(),
        file_name: "freeze-lab.md".to_owned(),
    };
    assert_eq!(window.dialogs.asked()[0], offered);
    assert!(window.shows("Run both"), "the page is still shown");
}

/// A report that an older version saved on a larger machine.
const OTHER_MACHINE: &str = r#"{
    "machine": {
        "cores": 16, "system": "linux x86_64", "graphics_driver": null,
        "renderer": "OpenGL 3.3 NVIDIA 580.159.04", "refresh_hz": null
    },
    "patterns": [
        {"id": "join-in-click", "variant": "bad", "judged": {"median": 2003.7, "deviation": 0.0}},
        {"id": "join-in-click", "variant": "fixed", "judged": {"median": 20.037, "deviation": 0.0}},
        {"id": "no-wake", "variant": "bad", "value": {"median": null, "deviation": null}},
        {"id": "no-wake", "variant": "fixed", "value": {"median": 1.0, "deviation": 0.0}},
        {"id": "work-in-ui", "variant": "bad", "value": {"median": 1.0, "deviation": 0.0}},
        {"id": "work-in-ui", "variant": "fixed", "value": {"median": 1.0, "deviation": 0.0}},
        {"id": "dialog-in-ui", "variant": "bad", "value": null},
        {"id": "of-the-future", "variant": "bad", "value": {"median": 1.0, "deviation": 0.0}}
    ]
}"#;

fn open_report(window: &mut Window, name: &str, text: &str) {
    let path = window.dir.path().join(name);
    std::fs::write(&path, text).expect("the folder is ours");
    window.click("Open report…");
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
}

#[test]
fn report_of_another_machine_is_a_column() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    window.click("Report");
    assert!(!window.is_enabled("Close opened reports"));
    open_report(&mut window, "sixteen cores.json", OTHER_MACHINE);
    window.until(
        "sixteen cores: Measured on 16 cores, linux x86_64, OpenGL 3.3 NVIDIA 580.159.04. \
         This version does not know of-the-future.",
    );
    for text in [
        "sixteen cores",
        "2.00 s / 20 ms",
        "100×",
        "never shown / 1.0 ms",
        "1.0 ms / 1.0 ms",
        "not reproduced",
        "– / –",
    ] {
        assert!(window.shows(text), "{text}\n{}", window.texts());
    }
    window.click("Close opened reports");
    assert!(!window.shows("2.00 s / 20 ms"));
}

#[test]
fn file_that_is_no_report_is_told() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    window.click("Report");
    for (name, text) in [
        ("a.json", "[]"),
        ("b.json", "abc"),
        ("c.json", "{\"machine\": 3}"),
    ] {
        open_report(&mut window, name, text);
        window.until_it(
            |window| {
                !window
                    .texts_with(&format!("{name} is no report of the Freeze Lab"))
                    .is_empty()
            },
            "a message",
        );
    }
    let folder = window.dir.path().to_owned();
    window.click("Open report…");
    window.dialogs.answer(DialogAnswer::Picked(vec![folder]));
    window.until_it(
        |window| !window.texts_with("it is no file of at most").is_empty(),
        "a message",
    );
}

#[test]
fn run_settings_are_restored_in_the_next_window() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    window.choose("Work", "Sleep");
    window.set("Seconds", 3.5);
    window.set("Repeat", 5.0);
    let window = window.reopen();
    let value = |name| window.named(name).value().unwrap();
    assert_eq!(value("Work"), "Sleep");
    assert_eq!(value("Seconds"), "3.5");
    assert_eq!(value("Repeat"), "5");
}

#[test]
fn both_variants_show_figures_ratio_and_verdict() {
    let page = page(&[
        finished(Variant::Bad, &[0, 2_000, 2_010]),
        finished(Variant::Fixed, &[0, 10, 20]),
    ]);
    for text in ["2.00 s frozen; fixed: never frozen", "finished", "200×"] {
        assert!(page.query_all_by_label(text).next().is_some(), "{text}");
    }
    let longest = page.query_all_by_label("2.00 s").count();
    assert!(longest >= 2, "the longest gap and the frozen time");
}

#[test]
fn repeated_runs_show_median_and_spread() {
    let page = page(&[
        finished(Variant::Bad, &[0, 1_000]),
        finished(Variant::Bad, &[0, 2_000]),
        finished(Variant::Bad, &[0, 2_500]),
    ]);
    assert!(page.query_all_by_label("2.00 s ±500 ms").next().is_some());
    page.get_by_label("Median ± spread of 3");
}

#[test]
fn bad_variant_that_behaves_shows_not_reproduced() {
    let page = page(&[
        finished(Variant::Bad, &[0, 10, 20]),
        finished(Variant::Fixed, &[0, 10, 20]),
    ]);
    let verdicts = page.query_all_by_label_contains("not reproduced here: never frozen");
    assert!(verdicts.count() >= 1);
}

#[test]
fn dead_twin_shows_its_cause_of_death() {
    let died = TwinOutcome::Died("it ended with exit code 1: no window for you".to_owned());
    let page = page(&[
        RunRecord {
            pattern: first(),
            variant: Variant::Bad,
            ending: died,
            figures: None,
            group: None,
        },
        finished(Variant::Fixed, &[0, 10, 20]),
    ]);
    page.get_by_label("Bad: it ended with exit code 1: no window for you");
    page.get_by_label("died");
    page.get_by_label("finished");
}

#[test]
fn plot_is_one_mesh_with_one_bar_per_pixel() {
    let mut view = LabState::default();
    for variant in Variant::ALL {
        let line = view.line_mut(first(), variant);
        let begins: Vec<_> = (0..5_000).collect();
        for (at_ms, fact) in frames(&begins) {
            line.apply(&stamped(at_ms, fact));
        }
        line.watch(Duration::ZERO, Duration::from_millis(9));
    }
    let page = harness(&[], view);
    let meshes = page
        .output()
        .shapes
        .iter()
        .filter_map(|shape| match &shape.shape {
            // A place that scrolls fades out at its edge, which is a rectangle.
            Shape::Mesh(mesh) => Some(mesh.vertices.len()).filter(|count| *count > 4),
            _ => None,
        });
    let vertices: Vec<_> = meshes.collect();
    assert_eq!(vertices.len(), 2, "a mesh for each variant");
    // A plot is some 350 pixels wide here; each is a bar of four vertices.
    assert!(
        vertices.iter().all(|count| (1_000..2_000).contains(count)),
        "{vertices:?}"
    );
}

#[test]
fn long_run_is_plotted_whole_after_its_end() {
    let mut line = FrameLine::new(first().entry().scenario);
    let begins: Vec<_> = (0..1_000).map(|frame| frame * 60).collect();
    for (at_ms, fact) in frames(&begins) {
        line.apply(&stamped(at_ms, fact));
    }
    let mut view = LabState::default();
    *view.line_mut(first(), Variant::Bad) = line.clone();
    let mut page = harness(&[], view);
    let times = |page: &Harness<'_>| {
        let texts = page
            .output()
            .shapes
            .iter()
            .filter_map(|shape| match &shape.shape {
                Shape::Text(text) => Some(text.galley.text().to_owned()),
                _ => None,
            });
        texts.collect::<Vec<_>>()
    };
    let live = times(&page);
    assert!(
        live.contains(&"59 s".to_owned()) && !live.contains(&"Start".to_owned()),
        "{live:?}"
    );

    line.is_live = false;
    let mut view = LabState::default();
    *view.line_mut(first(), Variant::Bad) = line;
    page = harness(&[], view);
    let ended = times(&page);
    for text in ["Start", "0 s", "10 s", "50 s"] {
        assert!(ended.contains(&text.to_owned()), "{text}: {ended:?}");
    }
}

#[test]
fn frozen_plot_states_the_longest_gap_in_words() {
    let mut view = LabState::default();
    let mut line = FrameLine::new(first().entry().scenario);
    for (at_ms, fact) in frames(&[0, 10]).into_iter().chain([(1_510, heartbeat())]) {
        line.apply(&stamped(at_ms, fact));
    }
    *view.line_mut(first(), Variant::Bad) = line;
    let page = harness(&[], view);
    page.get_by_label("Frame gaps over time, bad: longest 1.50 s, fixed: not run yet");
}

fn first() -> PatternId {
    PatternId::all().next().expect("there are patterns")
}

/// The page after these runs.
fn page(runs: &[RunRecord]) -> Harness<'static> {
    harness(runs, LabState::default())
}

fn harness(runs: &[RunRecord], mut view: LabState) -> Harness<'static> {
    let report = LabReport::from_runs(Machine::current(None), runs);
    let mut choices = LabChoices::default();
    let mut page_ui = move |ui: &mut Ui| {
        tokens::install(ui.ctx());
        let props = LabProps {
            report: &report,
            others: &[],
            runs: Runs {
                can_run: true,
                ..Runs::default()
            },
            unavailable: Unavailable::default(),
        };
        lab_ui(&props, &mut view, &mut choices, ui, &mut Vec::new());
    };
    Harness::builder()
        .with_size([1180.0, 1400.0])
        .build_ui(move |ui| page_ui(ui))
}

/// All texts on the page, for failure messages.
fn texts(page: &Harness<'_>) -> String {
    let nodes = page.root().children_recursive();
    let texts = nodes.filter_map(|node| {
        let node = node.accesskit_node();
        node.label().or_else(|| node.value())
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// A run with frames at these times after the click on `Start`.
fn finished(variant: Variant, frames_ms: &[u64]) -> RunRecord {
    let facts = frames(frames_ms);
    let last = facts.last().map_or(0, |(at, _)| *at);
    let facts = facts.into_iter().chain([
        (last, Fact::DidEnd),
        (last, Fact::DidShow),
        (last, Fact::Over),
    ]);
    let facts: Vec<_> = facts.map(|(at, fact)| stamped(at, fact)).collect();
    RunRecord {
        pattern: first(),
        variant,
        ending: TwinOutcome::Finished,
        figures: Figures::of(&facts, TwinOutcome::Finished),
        group: None,
    }
}

/// Frames that begin at these times; `Start` is clicked in the first one.
fn frames(at_ms: &[u64]) -> Vec<(u64, Fact)> {
    let begin = |at: u64| (at, Fact::DidBegin { hidden: false });
    let (first, others) = at_ms.split_first().expect("a frame");
    let mut facts = vec![
        begin(*first),
        (*first, Fact::DidStart),
        (*first, Fact::DidClick),
    ];
    facts.extend(others.iter().copied().map(begin));
    facts
}

fn heartbeat() -> Fact {
    Fact::Heartbeat { cpu_ns: 0 }
}

fn stamped(at_ms: u64, fact: Fact) -> Stamped {
    Stamped {
        at_ns: at_ms * 1_000_000,
        fact,
    }
}
