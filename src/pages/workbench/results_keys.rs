//! The keys that select rows of the results.

use eframe::egui::{Event, Key, KeyboardShortcut, Modifiers, Popup, Ui};

use super::results_state::MAX_PAGE_ROWS;
use super::{ResultsState, command};
use crate::pages::commands::{self, UiCommand};
use crate::record::ItemId;

/// The commands that go to another row and select it. With Shift they select all rows on the way; with Ctrl, what was
/// selected stays so.
const MOVES: [UiCommand; 6] = [
    command::NEXT_ROW,
    command::PREVIOUS_ROW,
    command::SCREEN_DOWN,
    command::SCREEN_UP,
    command::FIRST_ROW,
    command::LAST_ROW,
];

/// What the table shows.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// The number of items of the job.
    pub(super) items: usize,
    /// The number of those in the table.
    pub(super) rows: usize,
    /// The number of those in sight.
    pub(super) screen: usize,
}

/// The filter leaves the arrows to the rows.
pub(super) fn select_in_filter(state: &mut ResultsState, extent: Extent, ui: &Ui) {
    for (key, _) in pressed(ui) {
        for command in [command::NEXT_ROW, command::PREVIOUS_ROW] {
            if keys(command).logical_key == key {
                go(state, extent, command, Modifiers::NONE);
            }
        }
    }
}

/// All keys, while the table has the keyboard. Returns whether the menu of the selected rows was asked for.
pub(super) fn select_in_table(state: &mut ResultsState, extent: Extent, ui: &Ui) -> bool {
    let mut asks_for_menu = false;
    if Popup::is_any_open(ui.ctx()) {
        return asks_for_menu;
    }
    for (key, modifiers) in pressed(ui) {
        let is = |command| is_pressed(command, key, modifiers);
        let is_move = |&command: &UiCommand| keys(command).logical_key == key && !modifiers.alt;
        if is(command::CLOSE_DETAILS) {
            if state.shown_item().is_some() {
                state.shows_details = false;
            } else {
                state.selection.clear();
            }
        } else if is(command::OPEN_DETAILS) {
            state.shows_details = true;
        } else if is(command::SELECT_ALL) {
            state.selection.select_all(&state.order, extent.items);
        } else if is(command::TOGGLE_ROW) {
            let lead = state.selection.lead();
            let row = lead.and_then(|item| state.order.row(item.index()));
            if let Some(lead) = lead.filter(|_| row.is_some()) {
                state.selection.toggle(lead);
            }
        } else if is(command::OPEN_MENU) || key == Key::Menu {
            asks_for_menu = !state.selection.is_empty();
        } else if let Some(command) = MOVES.into_iter().find(is_move) {
            go(state, extent, command, modifiers);
        }
    }
    asks_for_menu
}

/// The keys that were pressed in this frame, in their order.
fn pressed(ui: &Ui) -> Vec<(Key, Modifiers)> {
    ui.input(|input| {
        let keys = input.events.iter().filter_map(|event| match event {
            Event::Key {
                key,
                pressed: true,
                modifiers,
                ..
            } => Some((*key, *modifiers)),
            _ => None,
        });
        keys.collect()
    })
}

fn keys(command: UiCommand) -> KeyboardShortcut {
    let keys = commands::info(command).shortcut;
    keys.expect("the commands of the table have keys")
}

fn is_pressed(command: UiCommand, key: Key, modifiers: Modifiers) -> bool {
    let keys = keys(command);
    keys.logical_key == key && modifiers.matches_exact(keys.modifiers)
}

/// Goes to another row, or to the last one if there are fewer, and scrolls to it.
fn go(state: &mut ResultsState, extent: Extent, command: UiCommand, held: Modifiers) {
    let Some(last) = extent.rows.checked_sub(1) else {
        return;
    };
    let lead = state.selection.lead();
    let from = lead.and_then(|item| state.order.row(item.index()));
    let row = match (command, from) {
        (command::LAST_ROW, _) => last,
        (command::FIRST_ROW, _) | (_, None) => 0,
        (command::NEXT_ROW, Some(row)) => row + 1,
        (command::SCREEN_DOWN, Some(row)) => row.saturating_add(extent.screen),
        (command::SCREEN_UP, Some(row)) => row.saturating_sub(extent.screen),
        (_, Some(row)) => row.saturating_sub(1),
    };
    let row = row.min(last);
    if held.shift {
        state.selection.extend(&state.order, row, held.command);
    } else if let Some(item) = state.order.item(row).map(ItemId::new) {
        if held.command {
            state.selection.go_to(item);
        } else {
            state.selection.select_only(item);
        }
    }
    state.page = row / MAX_PAGE_ROWS;
    state.scroll_to = Some(row % MAX_PAGE_ROWS);
}
