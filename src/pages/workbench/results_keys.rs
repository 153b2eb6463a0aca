//! The keys that select rows of the results.

use eframe::egui::Ui;

use super::results_state::MAX_PAGE_ROWS;
use super::{ResultsState, command};
use crate::pages::commands::{self, UiCommand};
use crate::record::ItemId;

/// The filter leaves the arrows to the rows.
pub(super) fn select_in_filter(state: &mut ResultsState, rows: usize, ui: &Ui) {
    let down = presses(command::NEXT_ROW, ui);
    let up = presses(command::PREVIOUS_ROW, ui);
    move_by(state, rows, down, up);
}

/// All keys, while the table has the keyboard. It shows `screen` rows at once.
pub(super) fn select_in_table(state: &mut ResultsState, rows: usize, screen: usize, ui: &Ui) {
    let pressed = |command| presses(command, ui) > 0;
    if pressed(command::CLOSE_DETAILS) {
        state.selected = None;
    }
    if pressed(command::FIRST_ROW) {
        select(state, rows, 0);
    }
    if pressed(command::LAST_ROW) {
        select(state, rows, usize::MAX);
    }
    let down = presses(command::NEXT_ROW, ui) + screen * presses(command::SCREEN_DOWN, ui);
    let up = presses(command::PREVIOUS_ROW, ui) + screen * presses(command::SCREEN_UP, ui);
    move_by(state, rows, down, up);
}

fn presses(command: UiCommand, ui: &Ui) -> usize {
    commands::info(command).presses(ui)
}

fn move_by(state: &mut ResultsState, rows: usize, down: usize, up: usize) {
    if down == up {
        return;
    }
    let selected = state.selected;
    let row = selected.and_then(|item| state.order.row(item.index()));
    let row = row.map_or(0, |row| row.saturating_add(down).saturating_sub(up));
    select(state, rows, row);
}

/// Selects a row, or the last one if there are fewer, and scrolls to it.
fn select(state: &mut ResultsState, rows: usize, row: usize) {
    let Some(last) = rows.checked_sub(1) else {
        return;
    };
    let row = row.min(last);
    state.selected = state.order.item(row).map(ItemId::new);
    state.page = row / MAX_PAGE_ROWS;
    state.scroll_to = Some(row % MAX_PAGE_ROWS);
}
