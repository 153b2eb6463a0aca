//! Draws the form of any job.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use eframe::egui::{
    CollapsingHeader, DragValue, Grid, Label, Response, RichText, ScrollArea, TextEdit, Ui,
};

use super::WorkbenchCommand;
use crate::jobs::JobInterface;
use crate::jobs::form::{Field, Form, Note, PathKind};
use crate::ui::choice_box::entries_box_ui;
use crate::ui::tokens::tokens;
use crate::ui::widgets::{field_ui, seconds_ui};

/// The longest duration that can be typed: a day.
const MAX_SECS: f64 = 86_400.0;

/// The width of a text field that has the row for itself.
const TEXT_WIDTH: f32 = 200.0;

/// The width of the button beside a path.
const PICK_WIDTH: f32 = 72.0;

/// The largest height of a text of several lines; then it scrolls.
const MAX_LINES_HEIGHT: f32 = 72.0;

/// The options of a job that most users set: rows of the surrounding grid.
pub(super) fn job_form_ui(
    job: &mut dyn JobInterface,
    inputs: &[PathBuf],
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    job.form(inputs, &mut FormUi { ui, commands });
}

/// The further options of a job, in a grid that is folded away.
pub(super) fn more_form_ui(
    job: &mut dyn JobInterface,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let Some(title) = job.more_title() else {
        return;
    };
    CollapsingHeader::new(title).show(ui, |ui| {
        Grid::new(title)
            .num_columns(2)
            .min_col_width(84.0)
            .show(ui, |ui| job.more_form(&mut FormUi { ui, commands }));
    });
}

/// Adds the rows of a form to a grid with two columns.
struct FormUi<'a> {
    ui: &'a mut Ui,
    commands: &'a mut Vec<WorkbenchCommand>,
}

impl FormUi<'_> {
    fn row(&mut self, field: Field, widget: impl FnOnce(&mut Ui) -> Response) -> Response {
        let response = field_ui(self.ui, field.label, widget);
        with_hint(response, field.hint)
    }
}

impl Form for FormUi<'_> {
    fn choice(&mut self, field: Field, choices: &[(&str, &str)], chosen: &mut usize) {
        self.row(field, |ui| {
            let mut place = Some(*chosen);
            let width = ui.spacing().combo_width;
            let response = entries_box_ui(field.label, choices, &mut place, width, ui);
            *chosen = place.unwrap_or(*chosen);
            response
        });
    }

    fn decimal(&mut self, field: Field, value: &mut f64, range: RangeInclusive<f64>, step: f64) {
        let input = DragValue::new(value)
            .range(range)
            .speed(step)
            .max_decimals(2);
        self.row(field, |ui| ui.add(input));
    }

    fn seconds(&mut self, field: Field, secs: &mut f64) {
        self.row(field, |ui| {
            seconds_ui(ui, secs, |input| input.range(0.0..=MAX_SECS))
        });
    }

    fn path(&mut self, field: Field, kind: PathKind, placeholder: &str, path: &mut PathBuf) {
        let ui = &mut *self.ui;
        let label = ui.label(field.label);
        ui.horizontal(|ui| {
            let mut text = path.to_string_lossy().into_owned();
            let edit = TextEdit::singleline(&mut text)
                .hint_text(placeholder)
                .desired_width(TEXT_WIDTH - PICK_WIDTH);
            let edit = with_hint(ui.add(edit).labelled_by(label.id), field.hint);
            if edit.changed() {
                *path = text.into();
            }
            if ui.button("Choose…").clicked() {
                let label = field.label;
                self.commands
                    .push(WorkbenchCommand::PickPath { label, kind });
            }
        });
        ui.end_row();
    }

    fn integer(&mut self, field: Field, value: &mut u64, range: RangeInclusive<u64>) {
        self.row(field, |ui| ui.add(DragValue::new(value).range(range)));
    }

    fn lines(&mut self, field: Field, placeholder: &str, rows: usize, text: &mut String) -> bool {
        let edit = TextEdit::multiline(text)
            .hint_text(placeholder)
            .desired_rows(rows)
            .desired_width(TEXT_WIDTH);
        let scroll = ScrollArea::vertical()
            .id_salt(field.label)
            .max_height(MAX_LINES_HEIGHT);
        self.row(field, |ui| scroll.show(ui, |ui| ui.add(edit)).inner)
            .changed()
    }

    fn note(&mut self, note: Note, text: &str) {
        let color = tokens(self.ui).text_weak;
        let text = RichText::new(text).small();
        let label = match note {
            Note::Code => Label::new(text.monospace().weak()).truncate(),
            Note::Hint => Label::new(text.weak()).wrap(),
            Note::Problem => Label::new(text.color(color)).wrap(),
        };
        self.ui.label("");
        self.ui.scope(|ui| {
            ui.set_max_width(TEXT_WIDTH);
            ui.add(label);
        });
        self.ui.end_row();
    }

    fn text(&mut self, field: Field, placeholder: &str, text: &mut String) -> bool {
        let edit = TextEdit::singleline(text)
            .hint_text(placeholder)
            .desired_width(TEXT_WIDTH);
        self.row(field, |ui| ui.add(edit)).changed()
    }

    fn toggle(&mut self, field: Field, is_on: &mut bool) {
        self.ui.label("");
        with_hint(self.ui.checkbox(is_on, field.label), field.hint);
        self.ui.end_row();
    }
}

/// Shows the hint while the pointer rests on the widget; none if it is empty.
fn with_hint(response: Response, hint: &str) -> Response {
    if hint.is_empty() {
        return response;
    }
    response.on_hover_text(hint)
}
