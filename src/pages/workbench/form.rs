//! What the options of several jobs are entered with.

use std::path::PathBuf;

use eframe::egui::{
    CollapsingHeader, ComboBox, DragValue, Grid, Response, ScrollArea, TextEdit, Ui,
};

use super::Command;
use crate::ui::widgets::field_ui;

/// How wide a text is that has the rest of the panel for itself.
pub(super) const TEXT_WIDTH: f32 = 200.0;

/// How much is left below the rarer options, which scroll: for `Start` and the list of jobs.
const LEFT_BELOW: f32 = 150.0;

/// What the rarer options have in any case: about three of them.
const LEAST_HEIGHT: f32 = 96.0;

/// Options that mostly stay as they are: rows of a form that is folded away.
pub(super) fn rarer_ui(title: &str, ui: &mut Ui, rows: impl FnOnce(&mut Ui)) {
    CollapsingHeader::new(title).show(ui, |ui| {
        let height = (ui.available_height() - LEFT_BELOW).max(LEAST_HEIGHT);
        ScrollArea::vertical()
            .id_salt(title)
            .max_height(height)
            .show(ui, |ui| {
                Grid::new(title)
                    .num_columns(2)
                    .min_col_width(84.0)
                    .show(ui, rows);
            });
    });
}

/// A row with the folder that results are saved to.
pub(super) fn save_to_ui(
    folder: &mut PathBuf,
    hint: &str,
    ui: &mut Ui,
    commands: &mut Vec<Command>,
) {
    let name = ui.label("Save to");
    ui.horizontal(|ui| {
        let mut text = folder.to_string_lossy().into_owned();
        let edit = TextEdit::singleline(&mut text)
            .hint_text(hint)
            .desired_width(TEXT_WIDTH - 72.0);
        if ui.add(edit).labelled_by(name.id).changed() {
            *folder = text.into();
        }
        if ui.button("Choose…").clicked() {
            commands.push(Command::PickOutputFolder);
        }
    });
    ui.end_row();
}

/// A row with one choice of a few.
pub(super) fn choice_ui<T: Copy + PartialEq>(
    name: &str,
    chosen: &mut T,
    all: &[T],
    title: impl Fn(T) -> &'static str,
    ui: &mut Ui,
) {
    field_ui(ui, name, |ui| {
        ComboBox::from_id_salt(name)
            .selected_text(title(*chosen))
            .show_ui(ui, |ui| {
                for &choice in all {
                    ui.selectable_value(chosen, choice, title(choice));
                }
            })
            .response
    });
}

pub(super) fn text_ui(text: &mut String, hint: &str, ui: &mut Ui) -> Response {
    ui.add(
        TextEdit::singleline(text)
            .hint_text(hint)
            .desired_width(TEXT_WIDTH),
    )
}

pub(super) fn seconds_ui(secs: &mut f64, ui: &mut Ui) -> Response {
    ui.add(
        DragValue::new(secs)
            .range(0.0..=86_400.0)
            .speed(0.1)
            .max_decimals(2),
    )
}
