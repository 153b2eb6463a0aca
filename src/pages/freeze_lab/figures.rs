//! The figures of both halves of a pattern, side by side.

use eframe::egui::{self, Grid, RichText, Ui};

use crate::format;
use crate::lab::{
    Ending, FIGURES, Figure, PatternId, Report, Row, Scenario, UI_THREAD, Unit, Variant, ratio_text,
};
use crate::record::statistics::Centre;
use crate::ui::tokens::tokens;
use crate::ui::widgets::{Mark, mark_ui, number_ui};

const NAME_WIDTH: f32 = 142.0;
const RATIO_WIDTH: f32 = 44.0;
const GAP: f32 = 6.0;

/// The table of a pattern, and why there is nothing where that is so.
pub(crate) fn figures_ui(report: &Report, pattern: PatternId, ui: &mut Ui) {
    let rows = Variant::ALL.map(|variant| report.row(pattern, variant));
    ui.spacing_mut().interact_size.y = 18.0;
    deaths_ui(rows, ui);
    let width = (ui.available_width() - NAME_WIDTH - RATIO_WIDTH - 3.0 * GAP) / 2.0;
    Grid::new("figures")
        .num_columns(4)
        .striped(true)
        .spacing([GAP, 2.0])
        .show(ui, |ui| {
            header_ui(rows, width, ui);
            endings_ui(rows, width, ui);
            for figure in &FIGURES {
                let is_metric = figure.metric == Some(pattern.entry().metric);
                figure_ui(figure, is_metric, rows, width, ui);
            }
            threads_ui(rows, width, ui);
        });
    if pattern.entry().scenario != Scenario::Probed {
        let note = "Measured without the probe, which would wake the window: no frame gaps, no \
                    input latency, no clicks.";
        ui.label(RichText::new(note).weak().small());
    }
}

fn header_ui(rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    cell_ui(NAME_WIDTH, ui, |ui| {
        let runs = rows.iter().flatten().map(|row| row.runs).max().unwrap_or(0);
        if runs > 1 {
            let text = format!("Median ± spread of {runs}");
            ui.label(RichText::new(text).weak());
        }
    });
    for title in ["Bad", "Fixed"] {
        cell_ui(width, ui, |ui| word_ui(ui, RichText::new(title).strong()));
    }
    cell_ui(RATIO_WIDTH, ui, |ui| {
        word_ui(ui, RichText::new("Ratio").strong());
    });
    ui.end_row();
}

fn endings_ui(rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    cell_ui(NAME_WIDTH, ui, |ui| {
        ui.label("How it ended");
    });
    for row in rows {
        let word = match row.map(|row| &row.ending) {
            None => "–",
            Some(Ending::Finished) => "finished",
            Some(Ending::Killed) => "killed",
            Some(Ending::Died(_)) => "died",
            Some(Ending::Stopped) => "stopped",
        };
        cell_ui(width, ui, |ui| word_ui(ui, word.into()));
    }
    ui.end_row();
}

fn figure_ui(figure: &Figure, is_metric: bool, rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    let centres = rows.map(|row| row.and_then(|row| row.centre(figure.value)));
    let is_measured = rows.iter().flatten().any(|row| row.runs > 0);
    if is_measured && centres == [None; 2] {
        return;
    }
    cell_ui(NAME_WIDTH, ui, |ui| {
        let mut name = RichText::new(figure.title);
        if is_metric {
            name = name.underline();
        }
        ui.label(name).on_hover_ui(|ui| {
            ui.label(figure.hint);
            if is_metric {
                ui.label("This figure tells the variants of this pattern apart.");
            }
        });
    });
    for (row, centre) in rows.into_iter().zip(centres) {
        let text = match (row, centre) {
            (Some(row), Some(centre)) => figure_text(figure.unit, centre, row.runs > 1),
            _ => "–".to_owned(),
        };
        cell_ui(width, ui, |ui| number_ui(ui, text));
    }
    let ratio = match centres {
        [Some(bad), Some(fixed)] => ratio_text(bad.median, fixed.median),
        _ => String::new(),
    };
    cell_ui(RATIO_WIDTH, ui, |ui| number_ui(ui, ratio));
    ui.end_row();
}

/// What the threads used in the run that is the median one: those of one name are one line. What
/// the UI thread used stands above.
fn threads_ui(rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    let halves = rows.map(|row| row.and_then(|row| row.figures.as_ref()));
    let threads = halves.map(|run| run.map_or(&[][..], |run| &run.threads));
    let mut named: Vec<(&str, usize)> = Vec::new();
    for thread in threads.iter().copied().flatten() {
        if thread.name == UI_THREAD {
            continue;
        }
        match named.iter_mut().find(|(name, _)| *name == thread.name) {
            Some((_, most)) => *most = thread.threads.max(*most),
            None => named.push((&thread.name, thread.threads)),
        }
    }
    for (name, most) in named {
        cell_ui(NAME_WIDTH, ui, |ui| {
            let text = match most {
                1 => format!("CPU of {name} (ms)"),
                more => format!("CPU of {more} {name} (ms)"),
            };
            let label = egui::Label::new(text).truncate();
            ui.add(label).on_hover_text(
                "What threads of this name used of the processors, as far as they lived when the \
                 work ended or the watch did.",
            );
        });
        for threads in threads {
            let used = threads.iter().find(|thread| thread.name == name);
            let text = used.map_or("–".to_owned(), |thread| format::millis(thread.cpu_ms));
            cell_ui(width, ui, |ui| number_ui(ui, text));
        }
        cell_ui(RATIO_WIDTH, ui, |_| {});
        ui.end_row();
    }
}

/// Why a twin died, in full.
fn deaths_ui(rows: [Option<&Row>; 2], ui: &mut Ui) {
    for row in rows.into_iter().flatten() {
        if let Ending::Died(how) = &row.ending {
            ui.horizontal_top(|ui| {
                mark_ui(ui, Mark::Star, tokens(ui).crashed);
                let text = format!("{}: {how}", row.variant.title());
                ui.add(egui::Label::new(text).wrap());
            });
        }
    }
}

/// The median, with the spread of repeated runs.
fn figure_text(unit: Unit, centre: Centre, is_repeated: bool) -> String {
    let median = unit.text(centre.median);
    if is_repeated {
        format!("{median} ±{}", unit.text(centre.deviation))
    } else {
        median
    }
}

pub(super) fn word_ui(ui: &mut Ui, text: RichText) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.add_space(4.0);
        ui.add(egui::Label::new(text).truncate());
    });
}

pub(super) fn cell_ui(width: f32, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let height = ui.spacing().interact_size.y;
    ui.allocate_ui_with_layout(
        egui::vec2(width, height),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.set_min_size(egui::vec2(width, height));
            contents(ui);
        },
    );
}
