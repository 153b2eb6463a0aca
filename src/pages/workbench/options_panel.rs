//! The next job: which one, with which options, and where it runs.

use eframe::egui::{DragValue, Grid, Ui};

use super::form::{job_form_ui, more_form_ui};
use super::{Choices, Inputs, WorkbenchCommand};
use crate::ui::choice_box::{choice_box_ui, entries_box_ui};
use crate::ui::widgets::{field_ui, section_ui};

/// The choices for the next job.
pub(crate) fn options_ui(
    choices: &mut Choices,
    inputs: &Inputs,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    section_ui(ui, "Next job");
    Grid::new("next job")
        .num_columns(2)
        .min_col_width(84.0)
        .show(ui, |ui| {
            job_ui(choices, ui);
            let job = choices.jobs[choices.chosen].job_mut();
            job_form_ui(job, &inputs.first(), ui, commands);
            ui.label("Runs in");
            let width = ui.spacing().combo_width;
            choice_box_ui("Run on", &mut choices.run_on, width, ui);
            ui.end_row();
            workers_ui(choices, ui);
        });
    more_form_ui(choices.jobs[choices.chosen].job_mut(), ui, commands);
}

/// The number of workers and their priority, in one row.
pub(crate) fn workers_ui(choices: &mut Choices, ui: &mut Ui) {
    ui.label("At once");
    ui.horizontal(|ui| {
        ui.add(DragValue::new(&mut choices.workers).range(1..=Choices::MAX_WORKERS))
            .accessible_name("Workers")
            .on_hover_text("How many items run at once. By default, one on each core.");
        ui.label("Priority");
        choice_box_ui("Priority", &mut choices.priority, 110.0, ui);
    });
    ui.end_row();
}

fn job_ui(choices: &mut Choices, ui: &mut Ui) {
    field_ui(ui, "Job", |ui| {
        let jobs = choices.jobs.iter();
        let entries: Vec<_> = jobs.map(|options| (options.job().title(), "")).collect();
        let mut chosen = Some(choices.chosen);
        let width = ui.spacing().combo_width;
        let response = entries_box_ui("Job", &entries, &mut chosen, width, ui);
        choices.choose(chosen.unwrap_or(choices.chosen));
        response
    });
}
