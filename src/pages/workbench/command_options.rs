//! What is run by a command, on what, and within which limits.

use std::ffi::OsString;

use eframe::egui::{ComboBox, DragValue, Label, Response, RichText, TextEdit, Ui};

use super::form::{TEXT_WIDTH, rarer_ui, seconds_ui, text_ui};
use crate::jobs::command::{CommandLine, Files, Options};
use crate::ui::tokens::tokens;
use crate::ui::widgets::field_ui;

/// The command itself: rows of the form that the grid around it makes.
pub(super) fn command_ui(options: &mut Options, ui: &mut Ui) {
    field_ui(ui, "Command line", |ui| line_ui(options, ui));
    ui.label("");
    understood_ui(options, ui);
    ui.end_row();
    ui.label("");
    ui.checkbox(&mut options.shell, "Through /bin/sh")
        .on_hover_text("The line is a program for the shell, which reads the files as \"$1\" and \"$@\". Nothing is put into it.");
    ui.end_row();
    field_ui(ui, "Runs", |ui| files_ui(&mut options.files, ui));
}

/// Everything about it that mostly stays as it is.
pub(super) fn more_ui(options: &mut Options, ui: &mut Ui) {
    rarer_ui("More about the command", ui, |ui| {
        surroundings_ui(options, ui);
        limits_ui(options, ui);
    });
}

fn line_ui(options: &mut Options, ui: &mut Ui) -> Response {
    let mut text = match &options.command {
        CommandLine::Line(line) => line.clone(),
        CommandLine::Words(_) => options.words_text().unwrap_or_default(),
    };
    let hint = if options.shell {
        "wc -l < \"$1\""
    } else {
        "convert {} {dir}/{stem}.webp"
    };
    let edit = text_ui(&mut text, hint, ui).on_hover_text(
        "{} is the file, {name} its last part, {stem} that without its extension, {dir} its folder. A file goes to the end where none of them is.",
    );
    if edit.changed() {
        options.command = CommandLine::Line(text);
    }
    edit
}

/// The words that the line was split into, or what is wrong with it.
fn understood_ui(options: &Options, ui: &mut Ui) {
    let text = match options.check(true).and_then(|()| options.words_text()) {
        Ok(words) => RichText::new(words).monospace().weak(),
        Err(problem) => RichText::new(problem.to_string()).color(tokens(ui).text_weak),
    };
    ui.scope(|ui| {
        ui.set_max_width(TEXT_WIDTH);
        ui.add(Label::new(text.small()).truncate());
    });
}

fn files_ui(files: &mut Files, ui: &mut Ui) -> Response {
    let title = |files: Files| match files {
        Files::One => "Once for each file",
        Files::All => "Once for all files",
    };
    ComboBox::from_id_salt("Runs")
        .selected_text(title(*files))
        .show_ui(ui, |ui| {
            for choice in [Files::One, Files::All] {
                ui.selectable_value(files, choice, title(choice));
            }
        })
        .response
}

fn surroundings_ui(options: &mut Options, ui: &mut Ui) {
    field_ui(ui, "Prefix", |ui| {
        text_ui(&mut options.prefix, "nice -n 19", ui)
            .on_hover_text("Words before the command: ssh host, srun -N1, nice, docker run …")
    });
    field_ui(ui, "Folder", |ui| {
        let mut dir = options.dir.to_string_lossy().into_owned();
        let edit = text_ui(&mut dir, "this program's", ui)
            .on_hover_text("The working directory of the command.");
        if edit.changed() {
            options.dir = dir.into();
        }
        edit
    });
    field_ui(ui, "Environment", |ui| environment_ui(&mut options.env, ui));
}

/// One line a variable.
fn environment_ui(env: &mut Vec<OsString>, ui: &mut Ui) -> Response {
    let lines: Vec<_> = env.iter().map(|line| line.to_string_lossy()).collect();
    let mut text = lines.join("\n");
    let edit = TextEdit::multiline(&mut text)
        .hint_text("NAME=VALUE")
        .desired_rows(2)
        .desired_width(TEXT_WIDTH);
    let edit = ui.add(edit);
    if edit.changed() {
        let lines = text.split('\n').filter(|_| !text.is_empty());
        *env = lines.map(OsString::from).collect();
    }
    edit
}

fn limits_ui(options: &mut Options, ui: &mut Ui) {
    field_ui(ui, "Time limit (s)", |ui| {
        seconds_ui(&mut options.timeout_secs, ui)
            .on_hover_text("How long one run may take; 0 is no limit.")
    });
    field_ui(ui, "Grace (s)", |ui| {
        seconds_ui(&mut options.grace_secs, ui).on_hover_text(
            "How long a stopped run may take to end by itself before it is killed with all it started.",
        )
    });
    field_ui(ui, "Exit codes", |ui| {
        text_ui(&mut options.expected_codes, "0", ui)
            .on_hover_text("Those that are no failure: 0, or 0, 2-4, or any.")
    });
    field_ui(ui, "Memory (MiB)", |ui| {
        ui.add(DragValue::new(&mut options.memory_mib).range(0..=1_u64 << 40))
            .on_hover_text("The most that one process may address; 0 is no limit.")
    });
    field_ui(ui, "CPU time (s)", |ui| {
        ui.add(DragValue::new(&mut options.cpu_secs).range(0..=1_u64 << 30))
            .on_hover_text("The most that one process may use; 0 is no limit.")
    });
}
