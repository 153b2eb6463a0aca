//! The items of the selected job in a virtual table: only visible rows are drawn.

use std::time::Duration;

use eframe::egui::{self, RichText, Ui};
use egui_extras::{Column as Width, TableBody, TableBuilder};

use super::result_text::result_text;
use super::results_rows::{NUMBER_MARGIN, Rows};
use super::results_state::MAX_PAGE_ROWS;
use super::{Column, Only, ResultsState, WorkbenchCommand, command};
use crate::format;
use crate::jobs::ItemError;
use crate::pages::commands;
use crate::record::{
    Crash, ItemId, ItemProcessState, ItemRecord, ItemState, JobRecord, ProcessRecord,
};
use crate::ui::status_style::{StatusStyle, status_style_ui};
use crate::ui::tokens::{ROW_HEIGHT, tokens};

/// The notes of the plan that are shown before the others are asked for.
const FIRST_NOTES: usize = 2;

/// Where there is less height than this, the notes are shown only when they are asked for.
const MIN_HEIGHT_WITH_NOTES: f32 = 240.0;

/// The height of notes that were asked for, which scroll.
const OTHER_NOTES_HEIGHT: f32 = 96.0;

/// Where there is less width, the table scrolls to the side.
const MIN_TABLE_WIDTH: f32 = 560.0;

/// The widths of the columns that are neither the name nor the result, and the gaps.
const OTHER_WIDTHS: f32 = 310.0;

/// The notes of the plan, the filter line, the table and the details of the selected row.
pub fn results_ui(
    job: &JobRecord,
    now: Duration,
    state: &mut ResultsState,
    focus_filter: bool,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let rows = state.order.len(job.items().len());
    notes_ui(job, ui);
    verdicts_ui(job, state, ui);
    filter_ui(state, rows, job.items().len(), focus_filter, ui);
    let selected = state.selected.and_then(|id| job.item(id));
    if let Some(item) = selected {
        egui::Panel::bottom("item details")
            .resizable(true)
            .default_size(152.0)
            .show(ui, |ui| details_ui(item, ui, commands));
    }
    // In a frame of its own: a table draws its column lines down to the bottom of its parent.
    let rest = ui.available_rect_before_wrap();
    ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| {
        egui::ScrollArea::horizontal().show(ui, |ui| {
            ui.set_min_width(MIN_TABLE_WIDTH);
            table_ui(job, now, state, rows, ui, commands);
        });
    });
}

/// The number of items of each verdict; a click shows these alone.
fn verdicts_ui(job: &JobRecord, state: &mut ResultsState, ui: &mut Ui) {
    let verdicts = job.spec().options.job().verdicts();
    if verdicts.is_empty() {
        state.only = None;
        return;
    }
    ui.horizontal_wrapped(|ui| {
        verdict_ui(job.counts().returned, "OK", Only::Returned, state, ui);
        for verdict in verdicts {
            let count = job.failed_with(verdict.kind);
            verdict_ui(count, verdict.word, Only::Failed(verdict.kind), state, ui);
        }
    });
}

fn verdict_ui(count: usize, word: &str, only: Only, state: &mut ResultsState, ui: &mut Ui) {
    let is_shown = state.only == Some(only);
    let text = format!("{} {word}", format::count(count));
    let button = ui
        .selectable_label(is_shown, text)
        .on_hover_text("Show only these; click again to show all");
    if button.clicked() {
        state.only = (!is_shown).then_some(only);
    }
}

fn notes_ui(job: &JobRecord, ui: &mut Ui) {
    let first = if ui.available_height() < MIN_HEIGHT_WITH_NOTES {
        0
    } else {
        job.notes().len().min(FIRST_NOTES)
    };
    let (first, others) = job.notes().split_at(first);
    for note in first {
        note_ui(note, ui);
    }
    if others.is_empty() {
        return;
    }
    let title = if first.is_empty() {
        format::plural(others.len(), "note", "notes")
    } else {
        format::plural(others.len(), "more note", "more notes")
    };
    egui::CollapsingHeader::new(title)
        .id_salt(("notes", job.id()))
        .show(ui, |ui| {
            egui::ScrollArea::vertical()
                .max_height(OTHER_NOTES_HEIGHT)
                .show(ui, |ui| {
                    for note in others {
                        note_ui(note, ui);
                    }
                });
        });
}

fn note_ui(note: &str, ui: &mut Ui) {
    ui.add(egui::Label::new(note).wrap().selectable(true));
}

fn filter_ui(state: &mut ResultsState, rows: usize, items: usize, focus: bool, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let label = ui.label("Filter");
        let edit = egui::TextEdit::singleline(&mut state.filter)
            .hint_text("part of a name or result")
            .desired_width(220.0);
        let edit = ui.add(edit).labelled_by(label.id);
        if focus {
            edit.request_focus();
        }
        if edit.has_focus() {
            move_selection(state, rows, ui);
        }
        let shown = if rows == items {
            format::plural(items, "item", "items")
        } else {
            let items = format::plural(items, "item", "items");
            format!("{} of {items}", format::count(rows))
        };
        ui.label(RichText::new(shown).weak());
        if state.computing {
            ui.label(RichText::new("sorting…").weak());
        }
        pages_ui(state, rows, ui);
    });
}

/// The arrow keys select rows while the keyboard is in the filter.
fn move_selection(state: &mut ResultsState, rows: usize, ui: &Ui) {
    let presses = |command| commands::info(command).presses(ui);
    let down = presses(command::NEXT_ROW);
    let up = presses(command::PREVIOUS_ROW);
    if rows == 0 || down == up {
        return;
    }
    let row = state
        .selected
        .and_then(|item| state.order.row(item.index()));
    let row = match row {
        Some(row) => (row + down).saturating_sub(up).min(rows - 1),
        None => 0,
    };
    state.selected = state.order.item(row).map(ItemId::new);
    state.page = row / MAX_PAGE_ROWS;
    state.scroll_to = Some(row % MAX_PAGE_ROWS);
}

fn pages_ui(state: &mut ResultsState, rows: usize, ui: &mut Ui) {
    let pages = ResultsState::pages(rows);
    state.page = state.page.min(pages - 1);
    if pages == 1 {
        return;
    }
    let (page, pages) = (format::count(state.page + 1), format::count(pages));
    let page = format!("page {page} of {pages}");
    let mut button_ui = |command, ui: &mut Ui| {
        let button = commands::info(command).button(state.why_not_turn(command, rows), ui);
        if button.clicked() {
            state.turn(command);
        }
    };
    button_ui(command::PREVIOUS_PAGE, ui);
    ui.label(page);
    button_ui(command::NEXT_PAGE, ui);
}

fn table_ui(
    job: &JobRecord,
    now: Duration,
    state: &mut ResultsState,
    rows: usize,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let width = ui.available_width().max(MIN_TABLE_WIDTH);
    let result_width = (width * 0.36).clamp(160.0, 560.0);
    let name_width = width - result_width - OTHER_WIDTHS;
    let table = TableBuilder::new(ui).id_salt("results");
    if state.table_width != width {
        // The columns share the new width; until then they are as the user has made them.
        state.table_width = width;
        table.reset();
    }
    table
        .resizable(true)
        .auto_shrink(false)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Width::initial(100.0).at_least(80.0).clip(true))
        .column(Width::initial(name_width).at_least(80.0).clip(true))
        .column(Width::initial(90.0).at_least(60.0).clip(true))
        .column(Width::initial(result_width).at_least(80.0).clip(true))
        .column(Width::remainder().at_least(70.0).clip(true))
        .header(ROW_HEIGHT, |mut header| {
            for column in Column::ALL {
                header.col(|ui| header_ui(column, state, ui));
            }
        })
        .body(|body| body_ui(body, job, now, state, rows, commands));
}

fn header_ui(column: Column, state: &mut ResultsState, ui: &mut Ui) {
    let sorted = state.sort.filter(|sort| sort.column == column);
    let text = RichText::new(column.title()).strong();
    let is_number = matches!(column, Column::Size | Column::Time);
    let layout = if is_number {
        egui::Layout::right_to_left(egui::Align::Center)
    } else {
        egui::Layout::left_to_right(egui::Align::Center)
    };
    ui.with_layout(layout, |ui| {
        // Aligned with the numbers below.
        ui.add_space(if is_number { NUMBER_MARGIN } else { 0.0 });
        let header = ui
            .add(egui::Button::new(text).frame(false))
            .on_hover_text("Sort by this column; click again to reverse the order");
        if let Some(sort) = sorted {
            sort_mark_ui(ui, sort.descending);
        }
        if header.clicked() {
            state.sort_by(column);
        }
    });
}

/// A triangle that points to the larger values. Painted, because a font may not have one.
fn sort_mark_ui(ui: &mut Ui, descending: bool) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(8.0, 14.0), egui::Sense::hover());
    let (center, up) = (rect.center(), if descending { -1.0 } else { 1.0 });
    let point = |x: f32, y: f32| center + egui::vec2(x, y * up) * 4.0;
    let points = vec![point(-1.0, 0.7), point(1.0, 0.7), point(0.0, -0.9)];
    let color = tokens(ui).accent;
    let triangle = egui::Shape::convex_polygon(points, color, egui::Stroke::NONE);
    ui.painter().add(triangle);
}

fn body_ui(
    body: TableBody<'_>,
    job: &JobRecord,
    now: Duration,
    state: &mut ResultsState,
    rows: usize,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let first = state.page * MAX_PAGE_ROWS;
    let shown = rows.saturating_sub(first).min(MAX_PAGE_ROWS);
    let scroll_to = state.scroll_to.take();
    let names_are_paths = job.names_are_paths();
    Rows::show(
        body,
        now,
        names_are_paths,
        shown,
        scroll_to,
        |painter, ui, row, rect| {
            let index = state.order.item(first + row);
            let Some(item) = index.and_then(|index| job.items().get(index)) else {
                return;
            };
            let selected = state.selected == Some(item.id);
            let row = painter.item_ui(item, rect, selected, row.is_multiple_of(2), ui);
            if row.clicked() {
                state.selected = (!selected).then_some(item.id);
            }
            row.context_menu(|ui| menu_ui(item, ui, commands));
        },
    );
}

fn menu_ui(item: &ItemRecord, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let mut copy_ui = |command, text: String| {
        if !text.is_empty() && commands::info(command).button(None, ui).clicked() {
            commands.push(WorkbenchCommand::CopyText(text));
        }
    };
    copy_ui(command::COPY_RESULT, result_text(item));
    if let ItemState::Crashed(crash) = &item.state {
        copy_ui(command::COPY_STANDARD_ERROR, crash.stderr.clone());
    }
    copy_ui(command::COPY_PATH, item.input.display().to_string());
}

/// The last output of the worker that crashed with the item.
fn crash_ui(crash: &Crash, ui: &mut Ui) {
    if crash.stderr.is_empty() {
        ui.label(RichText::new("It printed nothing on standard error.").weak());
        return;
    }
    ui.label(RichText::new("Its last lines on standard error:").weak());
    ui.add(egui::Label::new(RichText::new(&crash.stderr).monospace()).wrap());
}

/// What few users want to read, such as the place of a panic.
fn failure_details_ui(details: &str, ui: &mut Ui) {
    egui::CollapsingHeader::new("Details").show(ui, |ui| {
        ui.add(egui::Label::new(RichText::new(details).monospace()).wrap());
    });
}

/// `process 1234 · exited with code 3`, and the outcome of `Stop tree`.
fn process_text(process: &ProcessRecord) -> String {
    let state = match &process.state {
        ItemProcessState::Running if process.stop_requested => "running, asked to end".to_owned(),
        ItemProcessState::Running => "running".to_owned(),
        ItemProcessState::Paused => "paused by a signal such as SIGSTOP".to_owned(),
        ItemProcessState::Ended(ran) => ran.end.to_string(),
    };
    let pid = process.pid;
    match process.stopped.as_ref().filter(|it| !it.is_empty()) {
        Some(stopped) => format!("process {pid} · {state} · {stopped}"),
        None => format!("process {pid} · {state}"),
    }
}

fn details_ui(item: &ItemRecord, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                status_style_ui(ui, StatusStyle::of_item(item, tokens(ui)));
                ui.add_space(6.0);
                ui.add(egui::Label::new(format::path(&item.input)).truncate());
            });
            if let Some(process) = &item.process {
                ui.label(RichText::new(process_text(process)).weak());
            }
            let result = result_text(item);
            if !result.is_empty() {
                ui.add(egui::Label::new(RichText::new(&result).monospace()).wrap());
            }
            match &item.state {
                ItemState::Crashed(crash) => crash_ui(crash, ui),
                ItemState::Failed(ItemError {
                    details: Some(details),
                    ..
                }) => failure_details_ui(details, ui),
                _ => {}
            }
            ui.horizontal(|ui| menu_ui(item, ui, commands));
        });
}
