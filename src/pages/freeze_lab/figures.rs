//! The figures of a pattern: one row for each, both variants side by side.

use eframe::egui::{Align, Label, Layout, RichText, Ui, Vec2};
use egui_extras::{Column, TableBody, TableBuilder};

use super::props::LabProps;
use crate::format;
use crate::lab::{FIGURES, Figure, PatternId, Row, Scenario, TwinOutcome, UI_THREAD, Variant};
use crate::ui::status_style::{Mark, mark_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::number_ui;

const MIN_NAME_WIDTH: f32 = 128.0;
const VALUE_WIDTH: f32 = 106.0;
const RATIO_WIDTH: f32 = 48.0;
const ROW_HEIGHT: f32 = 20.0;

/// A variant, as far as it was measured.
#[derive(Clone, Copy)]
struct Measured<'a> {
    row: Option<&'a Row>,
    /// Whether it is being measured: then its plot is not that of its figures.
    is_running: bool,
}

impl<'a> Measured<'a> {
    /// What belongs to the plot.
    fn shown(&self) -> Option<&'a Row> {
        self.row.filter(|_| !self.is_running)
    }
}

/// Draws the table. If a twin died, the reason is below it, where it moves nothing.
pub(super) fn figures_ui(props: &LabProps<'_>, pattern: PatternId, ui: &mut Ui) {
    let runs = &props.runs;
    let running = runs.running.filter(|_| !runs.is_by_hand);
    let is_running = |variant| running == Some((pattern, variant));
    let rows = Variant::ALL.map(|variant| Measured {
        row: props.report.row(pattern, variant),
        is_running: is_running(variant),
    });
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(4.0, 0.0);
        table_ui(pattern, rows, ui);
    });
    deaths_ui(rows, ui);
    if pattern.entry().scenario != Scenario::Probed {
        let note = "Measured without input, which would wake the window: no frame gaps, no input \
                    latency, no clicks.";
        ui.label(RichText::new(note).weak().small());
    }
}

/// The full reason why a twin died.
fn deaths_ui(rows: [Measured<'_>; 2], ui: &mut Ui) {
    for row in rows.iter().filter_map(Measured::shown) {
        if let TwinOutcome::Died(how) = &row.ending {
            ui.horizontal_top(|ui| {
                mark_ui(ui, Mark::Star, tokens(ui).crashed);
                let text = format!("{}: {how}", row.variant.title());
                ui.add(Label::new(text).wrap());
            });
        }
    }
}

fn table_ui(pattern: PatternId, rows: [Measured<'_>; 2], ui: &mut Ui) {
    TableBuilder::new(ui)
        .id_salt("figures")
        .striped(true)
        .vscroll(false)
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::remainder().at_least(MIN_NAME_WIDTH).clip(true))
        .columns(Column::exact(VALUE_WIDTH), 2)
        .column(Column::exact(RATIO_WIDTH))
        .header(ROW_HEIGHT, |mut header| {
            header.col(|ui| {
                let rows = rows.iter().filter_map(|row| row.row);
                let runs = rows.map(|row| row.runs).max();
                if let Some(runs) = runs.filter(|runs| *runs > 1) {
                    ui.weak(format!("Median ± spread of {}", format::count(runs)));
                }
            });
            for title in ["Bad", "Fixed", "Ratio"] {
                header.col(|ui| word_ui(RichText::new(title).strong(), ui));
            }
        })
        .body(|mut body| {
            endings_ui(rows, &mut body);
            for figure in &FIGURES {
                let is_metric = figure.metric == Some(pattern.entry().metric);
                figure_ui(figure, is_metric, rows, &mut body);
            }
            threads_ui(rows, &mut body);
        });
}

fn endings_ui(rows: [Measured<'_>; 2], body: &mut TableBody<'_>) {
    body.row(ROW_HEIGHT, |mut line| {
        line.col(|ui| drop(ui.label("How it ended")));
        for row in rows {
            let word = match row.row.map(|row| &row.ending) {
                _ if row.is_running => "running",
                None => "–",
                Some(TwinOutcome::Finished) => "finished",
                Some(TwinOutcome::Killed) => "killed",
                Some(TwinOutcome::Died(_)) => "died",
                Some(TwinOutcome::Stopped) => "stopped",
                Some(TwinOutcome::Unseen) => "out of sight",
            };
            line.col(|ui| word_ui(word.into(), ui));
        }
        line.col(|_| {});
    });
}

/// Draws the row of a figure, unless runs exist and none has measured it.
fn figure_ui(figure: &Figure, is_metric: bool, rows: [Measured<'_>; 2], body: &mut TableBody<'_>) {
    let centre = |row: &Row| row.centre(figure.value);
    // The same rows as before and after a run: they do not move during it.
    let all = || rows.iter().filter_map(|row| row.row);
    let is_measured = all().any(|row| row.runs > 0);
    if is_measured && all().all(|row| centre(row).is_none()) {
        return;
    }
    let rows = [rows[0].shown(), rows[1].shown()];
    let centres = rows.map(|row| row.and_then(centre));
    body.row(ROW_HEIGHT, |mut line| {
        line.col(|ui| {
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
                (Some(row), Some(centre)) if row.runs > 1 => {
                    let spread = figure.unit.text(centre.deviation);
                    format!("{} ±{spread}", figure.unit.text(centre.median))
                }
                (_, Some(centre)) => figure.unit.text(centre.median),
                _ => "–".to_owned(),
            };
            line.col(|ui| number_ui(ui, text));
        }
        let ratio = match centres {
            [Some(bad), Some(fixed)] => format::ratio(bad.median / fixed.median),
            _ => String::new(),
        };
        line.col(|ui| number_ui(ui, ratio));
    });
}

/// Processor times of the median run, one row for each thread name. The UI thread has its own figure.
fn threads_ui(rows: [Measured<'_>; 2], body: &mut TableBody<'_>) {
    let figures = rows.map(|row| row.shown().and_then(|row| row.figures.as_ref()));
    let threads = figures.map(|run| run.map_or(&[][..], |run| &run.threads));
    let mut names: Vec<(&str, usize)> = Vec::new();
    for thread in threads.iter().copied().flatten() {
        if thread.name == UI_THREAD {
            continue;
        }
        match names.iter_mut().find(|(name, _)| *name == thread.name) {
            Some((_, count)) => *count = thread.threads.max(*count),
            None => names.push((&thread.name, thread.threads)),
        }
    }
    for (name, count) in names {
        body.row(ROW_HEIGHT, |mut line| {
            line.col(|ui| {
                let text = match count {
                    1 => format!("CPU, {name}"),
                    _ => format!("CPU, {count} × {name}"),
                };
                let label = ui.add(Label::new(text).truncate());
                label.on_hover_text(
                    "Processor time of the threads of this name that lived until the end of the \
                     work or of the measurement.",
                );
            });
            for threads in threads {
                let used = threads.iter().find(|thread| thread.name == name);
                let text = used.map_or("–".to_owned(), |thread| format::millis(thread.cpu_ms));
                line.col(|ui| number_ui(ui, text));
            }
            line.col(|_| {});
        });
    }
}

fn word_ui(text: RichText, ui: &mut Ui) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.add_space(4.0);
        ui.add(Label::new(text).truncate());
    });
}
