//! The inputs of the next job: picked, dropped, typed or given on the command line.

use std::path::PathBuf;

use eframe::egui::{self, RichText, Sides, Ui};
use url::Url;

use super::{Draft, WorkbenchCommand, command};
use crate::format;
use crate::pages::commands::{self, Unavailable};
use crate::ui::widgets::section_ui;

/// The largest height of the list.
const LIST_HEIGHT: f32 = 108.0;

/// The share of the window that the list takes at most.
const LIST_SHARE: f32 = 0.12;

/// The inputs of the next job, and ways to add some.
pub(super) fn files_ui(
    draft: &mut Draft,
    dialog_open: bool,
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    title_ui(draft, ui);
    ui.horizontal(|ui| {
        for command in [
            command::ADD_FILES,
            command::ADD_FOLDER,
            command::CLEAR_INPUTS,
        ] {
            if unavailable.button(command, ui).clicked() {
                commands.push(WorkbenchCommand::Ui(command));
            }
        }
        if dialog_open {
            ui.label(RichText::new("dialog open").weak());
        }
    });
    path_ui(draft, unavailable, ui, commands);
    list_ui(&draft.inputs, ui, commands);
}

fn title_ui(draft: &Draft, ui: &mut Ui) {
    ui.horizontal(|ui| {
        section_ui(ui, "Inputs");
        let count = format::plural(draft.inputs.len(), "path", "paths");
        ui.label(RichText::new(count).weak());
    });
}

fn path_ui(
    draft: &mut Draft,
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let is_empty = draft.path_text.trim().is_empty();
    let path_text = &mut draft.path_text;
    let (edit, add) = Sides::new().shrink_left().show(
        ui,
        |ui| {
            let label = ui.label("Path");
            let edit = egui::TextEdit::singleline(path_text)
                .hint_text("/path/of/a/file")
                .desired_width(f32::INFINITY);
            ui.add(edit).labelled_by(label.id)
        },
        |ui| unavailable.button(command::ADD_PATH, ui),
    );
    if edit.changed() {
        // The button was drawn before the text changed.
        ui.request_repaint();
    }
    let entered = edit.lost_focus() && commands::info(command::ADD_PATH).is_pressed(ui);
    if (add.clicked() || entered) && !is_empty {
        commands.push(WorkbenchCommand::Ui(command::ADD_PATH));
        edit.request_focus();
    }
}

/// Typed paths often begin with `~/`, and paths copied from a file manager with `file://`.
pub(super) fn typed_path(text: &str) -> PathBuf {
    if let Some(path) = path_of_uri(text) {
        return path;
    }
    let home = directories::UserDirs::new();
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => PathBuf::from(text),
    }
}

/// The file of a URI such as `file:///home/me/a%20b`; `None` if it is not on this machine.
fn path_of_uri(text: &str) -> Option<PathBuf> {
    let uri = text.starts_with("file://").then(|| Url::parse(text))?;
    uri.ok()?.to_file_path().ok()
}

fn list_ui(inputs: &[PathBuf], ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let frame = egui::Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .stroke(ui.visuals().widgets.noninteractive.bg_stroke)
        .corner_radius(4)
        .inner_margin(6);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let window_height = ui.ctx().content_rect().height();
        ui.set_height(LIST_HEIGHT.min(LIST_SHARE * window_height));
        if inputs.is_empty() {
            ui.centered_and_justified(|ui| {
                ui.label(RichText::new("Add files, or drop them anywhere").weak());
            });
            return;
        }
        let height = ui.text_style_height(&egui::TextStyle::Body).max(18.0);
        egui::ScrollArea::vertical().auto_shrink(false).show_rows(
            ui,
            height,
            inputs.len(),
            |ui, rows| {
                for index in rows {
                    input_ui(index, &inputs[index], ui, commands);
                }
            },
        );
    });
}

fn input_ui(
    index: usize,
    path: &std::path::Path,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let shown = format::path(path);
    ui.push_id(index, |ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        ui.horizontal(|ui| {
            let remove = ui
                .small_button("×")
                .on_hover_text("Remove this input")
                .accessible_name(format!("Remove {shown}"));
            if remove.clicked() {
                commands.push(WorkbenchCommand::RemoveInput(index));
            }
            ui.add(egui::Label::new(&shown).truncate())
                .on_hover_text(&shown);
        });
    });
}
