//! Which job runs next, with which options, and where.

use std::path::{Path, PathBuf};

use eframe::egui::{ComboBox, DragValue, Grid, Label, Response, RichText, Ui};

use super::{Choices, Command, command_options, fetch_options, images_options};
use crate::jobs::{Options, Priority, RunOn, checksum, misbehave};
use crate::ui::widgets::{field_ui, section_ui};

/// A person picks a checksum list or two; the names of more inputs than this are not looked at.
const LIKELY_LISTS: usize = 16;

/// The choices for the next job.
pub(crate) fn options_ui(
    choices: &mut Choices,
    inputs: &[PathBuf],
    ui: &mut Ui,
    commands: &mut Vec<Command>,
) {
    section_ui(ui, "Next job");
    Grid::new("next job")
        .num_columns(2)
        .min_col_width(84.0)
        .show(ui, |ui| {
            job_ui(choices, ui);
            match &mut choices.jobs[choices.chosen] {
                Options::Checksum(options) => checksum_ui(options, inputs, ui),
                Options::Command(options) => command_options::command_ui(options, ui),
                Options::Fetch(options) => fetch_options::fetch_ui(options, ui, commands),
                Options::Images(options) => images_options::images_ui(options, ui, commands),
                Options::Misbehave(options) => misbehave_ui(options, ui),
            }
            field_ui(ui, "Run on", |ui| run_on_ui(&mut choices.run_on, ui));
            workers_ui(choices, ui);
        });
    match &mut choices.jobs[choices.chosen] {
        Options::Command(options) => command_options::more_ui(options, ui),
        Options::Fetch(options) => fetch_options::more_ui(options, ui),
        Options::Images(options) => images_options::more_ui(options, ui),
        Options::Checksum(_) | Options::Misbehave(_) => {}
    }
}

/// How many workers, and how urgent: two fields in one row.
pub(crate) fn workers_ui(choices: &mut Choices, ui: &mut Ui) {
    let workers = ui.label("Workers");
    ui.horizontal(|ui| {
        ui.add(DragValue::new(&mut choices.workers).range(1..=Choices::MAX_WORKERS))
            .labelled_by(workers.id)
            .on_hover_text(
                "How many items run at once. The cores of this machine, unless you know better.",
            );
        let priority = ui.label("Priority");
        priority_ui(&mut choices.priority, ui).labelled_by(priority.id);
    });
    ui.end_row();
}

fn priority_ui(priority: &mut Priority, ui: &mut Ui) -> Response {
    let hint = |priority| match priority {
        Priority::Background => {
            "Yields to the window and to other programs; crawls while these are busy"
        }
        Priority::Normal => "Competes with the window and with other programs",
    };
    ComboBox::from_id_salt("Priority")
        .width(110.0)
        .selected_text(priority.title())
        .show_ui(ui, |ui| {
            for choice in Priority::ALL {
                ui.selectable_value(priority, choice, choice.title())
                    .on_hover_text(hint(choice));
            }
        })
        .response
}

fn job_ui(choices: &mut Choices, ui: &mut Ui) {
    field_ui(ui, "Job", |ui| {
        let jobs = &choices.jobs;
        ComboBox::from_id_salt("Job").show_index(ui, &mut choices.chosen, jobs.len(), |index| {
            jobs[index].job().title()
        })
    });
}

fn run_on_ui(run_on: &mut RunOn, ui: &mut Ui) -> Response {
    let title = |run_on: RunOn| match run_on {
        RunOn::Pool => "Pool",
        RunOn::Thread => "Thread",
        RunOn::Process => "Processes",
    };
    ComboBox::from_id_salt("Run on")
        .selected_text(title(*run_on))
        .show_ui(ui, |ui| {
            ui.selectable_value(run_on, RunOn::Pool, title(RunOn::Pool))
                .on_hover_text("A pool of threads that lives as long as the job");
            ui.selectable_value(run_on, RunOn::Thread, title(RunOn::Thread))
                .on_hover_text("Each item on a thread of its own");
            ui.selectable_value(run_on, RunOn::Process, title(RunOn::Process))
                .on_hover_text(
                    "Isolated processes: what no thread survives, a crash or a library that never \
                     returns, costs one item",
                );
        })
        .response
}

fn checksum_ui(options: &mut checksum::Options, inputs: &[PathBuf], ui: &mut Ui) {
    field_ui(ui, "Algorithm", |ui| {
        ComboBox::from_id_salt("Algorithm")
            .selected_text(options.algorithm.title())
            .show_ui(ui, |ui| {
                for algorithm in checksum::Algorithm::ALL {
                    ui.selectable_value(&mut options.algorithm, algorithm, algorithm.title());
                }
            })
            .response
    });
    ui.label("");
    ui.checkbox(&mut options.verify, "Verify a list")
        .on_hover_text("The inputs are lists as sha256sum and b3sum write them. Each line is compared with its file.");
    ui.end_row();
    let mut inputs = inputs.iter().take(LIKELY_LISTS);
    if !options.verify
        && let Some(list) = inputs.find(|input| checksum::list::is_likely(input))
    {
        likely_list_ui(list, ui);
    }
}

/// Who picks a list wants it verified, and may not have seen how.
fn likely_list_ui(list: &Path, ui: &mut Ui) {
    let name = list.file_name().unwrap_or_default().display();
    let text = format!("{name} looks like a list: tick this to verify it.");
    ui.label("");
    ui.add(Label::new(RichText::new(text).weak().small()).wrap());
    ui.end_row();
}

fn misbehave_ui(options: &mut misbehave::Options, ui: &mut Ui) {
    field_ui(ui, "Ends by", |ui| {
        ComboBox::from_id_salt("Ends by")
            .selected_text(options.end.title())
            .show_ui(ui, |ui| {
                for end in misbehave::End::ALL {
                    ui.selectable_value(&mut options.end, end, end.title());
                }
            })
            .response
    });
    field_ui(ui, "On item", |ui| {
        ui.add(DragValue::new(&mut options.item).range(0..=1_000_000))
            .on_hover_text("The first item is 1; 0 is every item.")
    });
    field_ui(ui, "Items", |ui| {
        ui.add(DragValue::new(&mut options.count).range(1..=1_000_000))
            .on_hover_text("How many items to make up when there are no inputs.")
    });
    field_ui(ui, "Seconds each", |ui| {
        ui.add(
            DragValue::new(&mut options.after)
                .range(0.0..=3600.0)
                .speed(0.1)
                .max_decimals(2),
        )
        .on_hover_text("How long each item works before it ends.")
    });
}
