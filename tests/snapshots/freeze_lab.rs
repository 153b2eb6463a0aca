//! The Freeze Lab's report with measurements of a real screen: as a picture, and as the table of
//! `src/lab/README.md`. To measure again:
//! `cargo run --release -- lab run --format json > tests/snapshots/freeze_lab.json`.

use std::collections::BTreeSet;

use eframe::egui::{LayerId, Theme, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use meanwhile::lab::{Figures, LabReport, Machine, PatternId, RunRecord, TwinOutcome, Variant};
use meanwhile::pages::commands::Unavailable;
use meanwhile::pages::freeze_lab::LabChoices;
use meanwhile::pages::freeze_lab::command;
use meanwhile::pages::freeze_lab::page::lab_ui;
use meanwhile::pages::freeze_lab::props::{LabProps, LabState, Runs};
use meanwhile::ui::tokens;
use serde::Deserialize;
use serde_json::Value;

use super::pictures::picture_of;
use super::pieces::compare;

const WIDTH: f32 = 1180.0;

const MEASURED: &str = include_str!("freeze_lab.json");
const README: &str = include_str!("../../src/lab/README.md");

#[derive(Deserialize)]
struct Measured {
    machine: Machine,
    patterns: Vec<MeasuredVariant>,
}

#[derive(Deserialize)]
struct MeasuredVariant {
    id: String,
    variant: Variant,
    ending: TwinOutcome,
    #[serde(flatten)]
    figures: Option<Figures>,
}

impl MeasuredVariant {
    fn run(self) -> RunRecord {
        let ending = self.ending;
        let figures = self.figures.map(|figures| Figures {
            ending: ending.clone(),
            ..figures
        });
        RunRecord {
            pattern: self.id.parse().expect("the pattern exists"),
            variant: self.variant,
            ending,
            figures,
            group: None,
        }
    }
}

fn report() -> LabReport {
    let measured: Measured = serde_json::from_str(MEASURED).expect("a report of the program");
    let runs: Vec<_> = measured
        .patterns
        .into_iter()
        .map(MeasuredVariant::run)
        .collect();
    LabReport::from_runs(measured.machine, &runs)
}

/// The keys of a document, each with the path to it.
fn keys(value: &Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = format!("{path}/{key}");
                keys(value, &path, all);
                all.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, path, all)),
        _ => {}
    }
}

#[test]
fn stored_report_has_the_keys_that_are_written() {
    let mut json = Vec::new();
    report().write_json(&mut json).expect("memory takes all");
    let documents = [MEASURED.as_bytes(), &json].map(|json| {
        let mut all = BTreeSet::new();
        keys(&serde_json::from_slice(json).expect("JSON"), "", &mut all);
        all
    });
    let [stored, written] = documents;
    assert_eq!(stored, written);
}

#[test]
fn readme_of_the_lab_has_the_measured_table() {
    let table = report().markdown();
    assert!(README.contains(&table), "src/lab/README.md lacks:\n{table}");
}

#[test]
fn readme_of_the_lab_describes_every_pattern() {
    for id in PatternId::all() {
        let entry = id.entry();
        let limit = entry.metric.text(entry.fixed_max);
        let row = format!("| {id} | {} | {} | {limit} |\n", entry.bad, entry.fix);
        assert!(README.contains(&row), "src/lab/README.md lacks:\n{row}");
    }
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn freeze_lab_report_looks_as_stored() {
    let report = report();
    let all = PatternId::all().all(|id| report.verdict(id).is_some());
    assert!(all, "a pattern was not measured");
    let mut page = Harness::builder()
        .with_size([WIDTH, 780.0])
        .with_theme(Theme::Light)
        .with_render_cursor(false)
        .wgpu()
        .build_ui(page(report));
    assert!(page.query_by_label("Show join-in-click").is_some());
    picture_of(&mut page, "freeze-lab-report");
    // The first row with its two plots.
    let row = page.get_by_label("Show join-in-click").rect();
    compare(&mut page, "report-row", row.with_max_x(WIDTH));
}

fn page(report: LabReport) -> impl FnMut(&mut Ui) {
    let (mut view, mut choices) = (LabState::default(), LabChoices::default());
    view.shows_report = true;
    move |ui| {
        tokens::install(ui.ctx());
        let whole = ui.ctx().layer_painter(LayerId::background());
        whole.rect_filled(ui.ctx().viewport_rect(), 0, ui.visuals().panel_fill);
        let props = LabProps {
            report: &report,
            others: &[],
            runs: Runs {
                can_run: true,
                ..Runs::default()
            },
            unavailable: Unavailable::new([(command::STOP, "Nothing is running.".into())]),
        };
        lab_ui(&props, &mut view, &mut choices, ui, &mut Vec::new());
    }
}
