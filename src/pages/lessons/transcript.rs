//! What was measured and said in a run of a lesson: a table, and below it the transcript.

use std::ops::Range;

use eframe::egui::{self, Color32, Grid, Rect, RichText, ScrollArea, TextStyle, Ui, UiBuilder};

use crate::lessons::Told;
use crate::ui::widgets::{card_ui, section_ui};

/// Between the columns of a table.
const COLUMN_GAP: f32 = 12.0;
/// No cell of a table is made narrower than this: what still does not fit is scrolled.
const LEAST_CELL: f32 = 72.0;

/// The table of a run and below it what was said; none where nothing has run.
pub(super) fn transcript_ui(told: Option<&Told>, ui: &mut Ui) {
    section_ui(ui, "Transcript");
    let Some(told) = told else {
        ui.label(RichText::new("Nothing was said yet.").weak());
        return;
    };
    let left_out = told.timeline().dropped();
    if left_out > 0 {
        ui.label(format!("{left_out} events were too many to be kept."));
    }
    let table = told.table();
    // A table that comes after what was said is seen from its top.
    ScrollArea::vertical()
        .id_salt(("said", table.is_empty()))
        .auto_shrink(false)
        .stick_to_bottom(table.is_empty())
        .show(ui, |ui| {
            table_ui(table, ui);
            said_ui(told, ui);
        });
}

/// What was said; only what is in sight is laid out.
fn said_ui(told: &Told, ui: &mut Ui) {
    // Each row of the table was said as well.
    let count = told.said().len().saturating_sub(told.table().len());
    let spacing = ui.spacing().item_spacing.y;
    let step = ui.text_style_height(&TextStyle::Monospace) + spacing;
    let height = (step * count as f32 - spacing).max(0.0);
    let (_, place) = ui.allocate_space(egui::vec2(ui.available_width(), height));
    let rows = rows_in_sight(place.top(), step, ui.clip_rect(), count);
    let seen = place.with_min_y(place.top() + step * rows.start as f32);
    let mut ui = ui.new_child(UiBuilder::new().max_rect(seen));
    ui.skip_ahead_auto_ids(rows.start);
    for said in told.said_beside_table().skip(rows.start).take(rows.len()) {
        let who = told.timeline().name(said.lane);
        let at = said.at.as_secs_f64();
        let line = format!("{at:>8.3}  {who:<12} {}", said.text);
        ui.add(egui::Label::new(RichText::new(line).monospace()).truncate());
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a row is one of those that are there"
)]
fn rows_in_sight(top: f32, step: f32, sight: Rect, count: usize) -> Range<usize> {
    if !sight.is_positive() {
        return 0..0;
    }
    let row = |y: f32| ((y - top) / step).max(0.0) as usize;
    row(sight.top()).min(count)..(row(sight.bottom()) + 1).min(count)
}

/// What was measured, if the lesson is about that.
fn table_ui(table: &[Vec<String>], ui: &mut Ui) {
    if table.is_empty() {
        return;
    }
    card_ui(ui, |ui| {
        ScrollArea::horizontal()
            .id_salt("table")
            .show(ui, |ui| grid_ui(table, ui));
    });
    ui.add_space(4.0);
}

fn grid_ui(table: &[Vec<String>], ui: &mut Ui) {
    let Some((header, rows)) = table.split_first() else {
        return;
    };
    let widths: Vec<_> = (0..header.len())
        .map(|column| width_of(table, column, ui))
        .collect();
    let gaps = COLUMN_GAP * widths.len().saturating_sub(1) as f32;
    let widest = widest_cell(widths.clone(), ui.available_width() - gaps);
    let cells = widths.iter().map(|width| width.min(widest));
    ui.set_min_width(cells.sum::<f32>() + gaps);
    Grid::new("table")
        .num_columns(header.len())
        .spacing([COLUMN_GAP, 3.0])
        .max_col_width(widest)
        .min_row_height(ui.text_style_height(&TextStyle::Body))
        .striped(true)
        .show(ui, |ui| {
            for cell in header {
                ui.label(RichText::new(cell).strong());
            }
            ui.end_row();
            for row in rows {
                for cell in row {
                    ui.label(cell);
                }
                ui.end_row();
            }
        });
}

/// How wide a column is in which no cell is wrapped.
fn width_of(table: &[Vec<String>], column: usize, ui: &Ui) -> f32 {
    let font = TextStyle::Body.resolve(ui.style());
    let cells = table.iter().filter_map(|row| row.get(column));
    let widths = cells.map(|cell| {
        let galley = ui
            .painter()
            .layout_no_wrap(cell.clone(), font.clone(), Color32::PLACEHOLDER);
        galley.size().x
    });
    widths.fold(0.0, f32::max)
}

/// How wide a cell may be without being wrapped, for all columns to have room: those that are
/// narrow leave theirs to the others.
fn widest_cell(mut widths: Vec<f32>, mut room: f32) -> f32 {
    widths.sort_by(f32::total_cmp);
    for (index, width) in widths.iter().enumerate() {
        let left = (widths.len() - index) as f32;
        if width * left > room {
            return (room / left).max(LEAST_CELL);
        }
        room -= width;
    }
    f32::INFINITY
}
