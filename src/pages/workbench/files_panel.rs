//! The inputs of the next job: picked, dropped, typed or given on the command line.

use std::path::Path;

use eframe::egui::Role;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{self, PopupCloseBehavior, RichText, Ui, WidgetInfo};

use super::{Draft, Inputs, Presence, Recent, RecentLook, WorkbenchCommand, command};
use crate::desktop::drops_files;
use crate::format;
use crate::jobs::pattern::may_be_pattern;
use crate::pages::commands::{self, Unavailable};
use crate::ui::layout::sides_ui;
use crate::ui::status_style::{Mark, mark_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::{button_width, cut_in_the_middle, menu_ui, section_ui, text_width};

/// The largest height of the list.
const LIST_HEIGHT: f32 = 108.0;

/// The share of the window that the list takes at most.
const LIST_SHARE: f32 = 0.12;

/// The width of the menu of recent inputs.
const RECENT_WIDTH: f32 = 420.0;

/// The gap between the name of an input and its folder.
const FOLDER_MARGIN: f32 = 8.0;

/// A folder is not drawn in less room than this, with the gap.
const MIN_FOLDER_WIDTH: f32 = 32.0;

/// The inputs of the next job, and ways to add some.
pub(super) fn files_ui(
    draft: &mut Draft,
    recent: &Recent,
    dialog_open: bool,
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    title_ui(draft, ui);
    ui.horizontal_wrapped(|ui| {
        let mut button_ui = |command, ui: &mut Ui| {
            if unavailable.button(command, ui).clicked() {
                commands.push(WorkbenchCommand::Ui(command));
            }
        };
        button_ui(command::ADD_FILES, ui);
        button_ui(command::ADD_FOLDER, ui);
        recent_ui(recent, &draft.recent, unavailable, ui, commands);
        if unavailable.button(command::CLEAR_INPUTS, ui).clicked() {
            commands.push(WorkbenchCommand::Ui(command::CLEAR_INPUTS));
        }
        if dialog_open {
            ui.add(egui::Label::new(RichText::new("dialog open").weak()).truncate());
        }
    });
    path_ui(draft, unavailable, ui, commands);
    list_ui(&draft.inputs, ui, commands);
}

fn title_ui(draft: &Draft, ui: &mut Ui) {
    ui.horizontal(|ui| {
        section_ui(ui, "Inputs");
        let count = format::plural(draft.inputs.count(), "input", "inputs");
        ui.label(RichText::new(count).weak());
        let missing = draft.inputs.missing();
        if missing > 0 {
            let tokens = tokens(ui);
            mark_ui(ui, Mark::Warning, tokens.timed_out);
            ui.label(format!("{} not there", format::count(missing)));
        }
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
    let add_width = button_width(commands::info(command::ADD_PATH).text, ui);
    let (edit, add) = sides_ui(
        add_width,
        ui,
        |ui| {
            let label = ui.label("Path");
            let edit = egui::TextEdit::singleline(path_text)
                .hint_text("/path/of/a/file, or *.wav")
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

/// The menu of the recent inputs, below its button.
fn recent_ui(
    recent: &Recent,
    look: &RecentLook,
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let button = unavailable.button(command::RECENT, ui);
    if button.clicked() {
        commands.push(WorkbenchCommand::Ui(command::RECENT));
    }
    menu_ui(&button, PopupCloseBehavior::CloseOnClick, |ui| {
        ui.set_max_width(RECENT_WIDTH);
        for path in recent.paths() {
            let shown = format::path(path);
            let is_missing = look.misses(path);
            let mut text = name_first(path, ui);
            if is_missing {
                let weak = ui.visuals().weak_text_color();
                for section in &mut text.sections {
                    section.format.color = weak;
                }
                let font = egui::TextStyle::Body.resolve(ui.style());
                text.append("not there", FOLDER_MARGIN, TextFormat::simple(font, weak));
            }
            let read = if is_missing {
                format!("{shown} is not there")
            } else {
                format!("Add {shown}")
            };
            let entry = ui.button(text).on_hover_text(&read).accessible_name(&read);
            if entry.clicked() {
                commands.push(WorkbenchCommand::AddRecent(path.to_owned()));
                // By itself, a menu closes on a click alone, not on Enter.
                ui.close();
            }
        }
        ui.separator();
        if unavailable.button(command::CLEAR_RECENT, ui).clicked() {
            commands.push(WorkbenchCommand::Ui(command::CLEAR_RECENT));
            ui.close();
        }
    });
}

fn list_ui(inputs: &Inputs, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
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
                let advice = if drops_files() {
                    "Add files, or drop them anywhere"
                } else {
                    "Add files"
                };
                ui.label(RichText::new(advice).weak());
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
                    input_ui(inputs, index, ui, commands);
                }
            },
        );
    });
}

fn input_ui(inputs: &Inputs, index: usize, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let Some((path, presence)) = inputs.get(index) else {
        return;
    };
    let shown = format::path(path);
    ui.push_id(index, |ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        ui.horizontal(|ui| {
            let remove = ui
                .add_enabled(!inputs.is_arriving(), egui::Button::new("×").small())
                .on_hover_text("Remove this input")
                .accessible_name(format!("Remove {shown}"));
            if remove.clicked() {
                commands.push(WorkbenchCommand::RemoveInput(index));
            }
            let is_missing = presence == Presence::Missing;
            if is_missing {
                mark_ui(ui, Mark::Warning, tokens(ui).timed_out);
            }
            let read = match presence {
                Presence::Missing if may_be_pattern(path) => format!("nothing matches {shown}"),
                Presence::Missing => format!("{shown} is not there"),
                Presence::Pattern => format!("{shown}: a pattern"),
                Presence::Folder => format!("{shown}: a folder, with all files below it"),
                Presence::Unknown | Presence::There => shown,
            };
            let label = egui::Label::new(name_first(path, ui))
                .truncate()
                .show_tooltip_when_elided(false);
            let label = ui.add(label).on_hover_text(&read);
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &read));
        });
    });
}

/// The name, which tells most, then the folder, of which the end is cut if there is no room. A name that is too long
/// keeps its begin and its end, and has no folder.
fn name_first(path: &Path, ui: &Ui) -> LayoutJob {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let plain = TextFormat::simple(font.clone(), ui.visuals().text_color());
    let name = format::path(Path::new(path.file_name().unwrap_or(path.as_os_str())));
    let room = ui.available_width();
    let folder = path
        .parent()
        .filter(|_| text_width(&name, &font, ui) + MIN_FOLDER_WIDTH <= room);
    let Some(folder) = folder else {
        return LayoutJob::single_section(cut_in_the_middle(&name, &font, room, ui), plain);
    };
    let mut job = LayoutJob::single_section(name, plain);
    let weak = TextFormat::simple(font, ui.visuals().weak_text_color());
    job.append(&format::path(folder), FOLDER_MARGIN, weak);
    job
}
