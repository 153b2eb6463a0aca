//! What is fetched, and with how much patience.

use eframe::egui::{DragValue, ScrollArea, TextEdit, Ui};

use super::Command;
use super::form::{TEXT_WIDTH, rarer_ui, save_to_ui, seconds_ui};
use crate::jobs::fetch::Options;
use crate::ui::widgets::field_ui;

/// How many lines of URLs there is room for at first, and how high they become in points.
const ROWS: usize = 3;
const HEIGHT: f32 = 72.0;

/// The job itself: rows of the form that the grid around it makes.
pub(super) fn fetch_ui(options: &mut Options, ui: &mut Ui, commands: &mut Vec<Command>) {
    field_ui(ui, "URLs", |ui| {
        let edit = TextEdit::multiline(&mut options.urls)
            .hint_text("https://…")
            .desired_rows(ROWS)
            .desired_width(TEXT_WIDTH);
        let edit = ScrollArea::vertical()
            .id_salt("URLs")
            .max_height(HEIGHT)
            .show(ui, |ui| ui.add(edit));
        edit.inner
            .on_hover_text("One a line. Files that are inputs are lists of them.")
    });
    save_to_ui(&mut options.to, "nowhere", ui, commands);
}

/// Everything about it that mostly stays as it is.
pub(super) fn more_ui(options: &mut Options, ui: &mut Ui) {
    rarer_ui("More about fetching", ui, |ui| {
        field_ui(ui, "Connect (s)", |ui| {
            seconds_ui(&mut options.connect_secs, ui)
                .on_hover_text("How long a connection may take to come about.")
        });
        field_ui(ui, "Time limit (s)", |ui| {
            seconds_ui(&mut options.timeout_secs, ui)
                .on_hover_text("How long one try may take from beginning to end.")
        });
        field_ui(ui, "Retries", |ui| {
            ui.add(DragValue::new(&mut options.retries).range(0..=100))
                .on_hover_text("How often a try that failed is repeated.")
        });
        field_ui(ui, "Pause (s)", |ui| {
            seconds_ui(&mut options.pause_secs, ui)
                .on_hover_text("Before the first repetition; it doubles with each one.")
        });
        field_ui(ui, "Size limit (MiB)", |ui| {
            ui.add(DragValue::new(&mut options.limit_mib).range(1..=1_u64 << 30))
                .on_hover_text("The most of one answer.")
        });
    });
}
