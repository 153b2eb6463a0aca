//! The menu of the selected rows.

use std::path::PathBuf;

use eframe::egui::{Id, Popup, Pos2, Response, SetOpenCommand, Ui};

use super::{ResultsState, WorkbenchCommand, command};
use crate::pages::commands::{self, UiCommand};
use crate::record::{ItemRecord, ItemState, JobRecord};
use crate::ui::widgets::walk_menu;

/// The entries; `None` is a line between them.
const ENTRIES: [Option<UiCommand>; 13] = [
    Some(command::OPEN_FILE),
    Some(command::SHOW_IN_FOLDER),
    Some(command::SHOW_IN_TIMELINE),
    None,
    Some(command::COPY_PATH),
    Some(command::COPY_DIGEST),
    Some(command::COPY_RESULT),
    Some(command::COPY_ROW),
    None,
    Some(command::COMPARE),
    None,
    Some(command::RUN_THESE_AGAIN),
    Some(command::TAKE_AS_INPUTS),
];

/// Whether a command is one for the selected rows.
pub(super) fn has(command: UiCommand) -> bool {
    ENTRIES.contains(&Some(command))
}

/// More programs or folders are not opened at once.
const MAX_OPENED: usize = 10;

/// A frame looks at so many of the selected rows. If there are more, one of them may have what is missing in these.
const LOOKED_AT: usize = 10_000;

/// Draws the menu if it is open, and opens it where it was asked for. `table` gets the keyboard back.
pub(super) fn show(
    at: Option<Pos2>,
    job: &JobRecord,
    state: &mut ResultsState,
    table: &Response,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let id = Id::unique("menu of results");
    if at.is_some() {
        state.menu_at = at;
    }
    let Some(at_position) = state.menu_at else {
        return;
    };
    let set = at.map(|_| SetOpenCommand::Bool(true));
    Popup::menu(table)
        .id(id)
        .at_position(at_position)
        .open_memory(set)
        .accessible_name("Menu of the selected rows")
        .show(|ui| entries_ui(job, state, ui, commands));
    if !Popup::is_id_open(&table.ctx, id) {
        state.menu_at = None;
        table.request_focus();
    }
}

fn entries_ui(
    job: &JobRecord,
    state: &ResultsState,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let mut entries = Vec::new();
    for command in ENTRIES {
        let Some(command) = command else {
            ui.separator();
            continue;
        };
        let why_not = why_not(command, job, state);
        let button = commands::info(command).button(why_not, ui);
        if button.clicked() {
            commands.push(WorkbenchCommand::Ui(command));
            // By itself, a menu closes on a click alone, not on Enter.
            ui.close();
        }
        entries.push(button);
    }
    walk_menu(&entries, ui);
}

/// Why a command of the menu can't be done with the selected rows; `None` if it can.
pub(super) fn why_not(
    command: UiCommand,
    job: &JobRecord,
    state: &ResultsState,
) -> Option<&'static str> {
    let selection = &state.selection;
    if selection.is_empty() {
        return Some("No row is selected.");
    }
    let mut items = selection.items().filter_map(|item| job.item(item));
    let has_more = selection.len() > LOOKED_AT && job.counts().ended() > 0;
    match command {
        command::OPEN_FILE | command::SHOW_IN_FOLDER => {
            if selection.len() > MAX_OPENED {
                Some("No more than ten are opened at once.")
            } else {
                let has_file = items.any(|item| file_of(job, item).is_some());
                (!has_file).then_some("There is no file of this row.")
            }
        }
        command::COPY_RESULT => {
            let has_ended = items.take(LOOKED_AT).any(|item| item.state.is_ended());
            (!has_ended && !has_more).then_some("There is no result yet.")
        }
        command::COPY_DIGEST => {
            let has_digest = items.take(LOOKED_AT).any(|item| has_digest(item));
            (!has_digest && !has_more).then_some("There is no digest.")
        }
        command::SHOW_IN_TIMELINE => {
            let has_begun = items.take(LOOKED_AT).any(|item| item.started_at.is_some());
            (!has_begun).then_some("It has not begun to run.")
        }
        command::COMPARE if selection.len() > 2 => {
            Some("Select two rows, or one to compare with a digest that you paste.")
        }
        command::COMPARE => {
            let all_have = items.all(|item| has_digest(item));
            (!all_have).then_some("There is no digest.")
        }
        command::RUN_THESE_AGAIN => job.spec().options.job().why_not_in_part(),
        command::TAKE_AS_INPUTS => {
            (!job.items_are_files()).then_some("The rows of this job are no files.")
        }
        _ => None,
    }
}

fn has_digest(item: &ItemRecord) -> bool {
    matches!(&item.state, ItemState::Returned(output) if !output.digests().is_empty())
}

/// The file that a row stands for: the one with its result, or else the input.
pub(super) fn file_of(job: &JobRecord, item: &ItemRecord) -> Option<PathBuf> {
    let result = match &item.state {
        ItemState::Returned(output) => output.file(),
        _ => None,
    };
    let input = || job.items_are_files().then_some(&*item.input);
    result.or_else(input).map(PathBuf::from)
}
