//! The report of the Freeze Lab, as `meanwhile lab run --format json` has printed it on a screen:
//! what the picture shows was measured. To measure it anew:
//! `cargo run --release -- lab run --format json > tests/snapshots/freeze_lab.json`.

use eframe::egui::{LayerId, Theme, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use meanwhile::lab::{Ending, Figures, Machine, PatternId, Report, RunRecord, Variant};
use meanwhile::pages::freeze_lab::LabChoices;
use meanwhile::pages::freeze_lab::page::{LabParts, LabView, lab_ui};
use meanwhile::ui::tokens;
use serde::Deserialize;

use super::pictures::picture_of;
use super::pieces::compare;

const WIDTH: f32 = 1180.0;

const PRINTED: &str = include_str!("freeze_lab.json");

#[derive(Deserialize)]
struct Printed {
    machine: Machine,
    patterns: Vec<Half>,
}

#[derive(Deserialize)]
struct Half {
    id: String,
    variant: Variant,
    ending: Ending,
    #[serde(flatten)]
    figures: Option<Figures>,
}

impl Half {
    fn run(self) -> RunRecord {
        let ending = self.ending;
        let figures = self.figures.map(|figures| Figures {
            ending: ending.clone(),
            ..figures
        });
        RunRecord {
            pattern: self.id.parse().expect("the pattern is still there"),
            variant: self.variant,
            ending,
            figures,
        }
    }
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn freeze_lab_report_looks_as_stored() {
    let printed: Printed = serde_json::from_str(PRINTED).expect("it is what the program prints");
    let runs: Vec<_> = printed.patterns.into_iter().map(Half::run).collect();
    let report = Report::from_runs(printed.machine, &runs);
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

fn page(report: Report) -> impl FnMut(&mut Ui) {
    let (mut view, mut choices) = (LabView::default(), LabChoices::default());
    view.shows_report = true;
    move |ui| {
        tokens::install(ui.ctx());
        let whole = ui.ctx().layer_painter(LayerId::background());
        whole.rect_filled(ui.ctx().viewport_rect(), 0, ui.visuals().panel_fill);
        let parts = LabParts {
            report: &report,
            running: None,
            waiting: 0,
            is_busy: false,
            can_run: true,
            dialog_open: false,
        };
        lab_ui(&parts, &mut view, &mut choices, ui, &mut Vec::new());
    }
}
