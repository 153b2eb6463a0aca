//! The items of the selected job in a virtual table: only visible rows are drawn.

use std::time::Duration;

use eframe::egui::{
    self, Event, EventFilter, Id, IdSalt, RichText, Role, Sense, Sides, Stroke, StrokeKind, Ui,
    WidgetInfo,
};
use egui_extras::{Column as Width, TableBody, TableBuilder};

use super::result_text::result_text;
use super::results_rows::{NUMBER_MARGIN, Rows, whole};
use super::results_state::MAX_PAGE_ROWS;
use super::{Column, Only, ResultsState, WorkbenchCommand, command, results_keys};
use crate::format;
use crate::jobs::ItemError;
use crate::pages::commands;
use crate::record::{Crash, ItemProcessState, ItemRecord, ItemState, JobRecord, ProcessRecord};
use crate::ui::status_style::{StatusStyle, status_style_ui};
use crate::ui::tokens::{ROW_HEIGHT, tokens};

/// The notes of the plan that are shown before the others are asked for.
const FIRST_NOTES: usize = 2;

/// Where there is less height than this, the notes are shown only when they are asked for.
const MIN_HEIGHT_WITH_NOTES: f32 = 240.0;

/// The height of notes that were asked for, which scroll.
const OTHER_NOTES_HEIGHT: f32 = 96.0;

/// The room that the number of rows takes beside the filter.
const FILTER_REST_WIDTH: f32 = 130.0;

/// The share of the table's place that the details take at most.
const MAX_DETAILS_SHARE: f32 = 0.6;

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
    if selected.is_none() {
        state.details_of = None;
    }
    if let Some(item) = selected {
        egui::Panel::bottom("item details")
            .resizable(true)
            .default_size(152.0)
            .max_size(ui.available_height() * MAX_DETAILS_SHARE)
            .show(ui, |ui| details_ui(item, state, ui, commands));
    }
    if rows == 0 {
        nothing_ui(job, state, ui);
        return;
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

/// The number of items of each verdict, or that ended in each way if not all returned; a click shows these alone.
fn verdicts_ui(job: &JobRecord, state: &mut ResultsState, ui: &mut Ui) {
    let verdicts = job.spec().options.job().verdicts();
    let counts = job.counts();
    let mut shown = vec![(counts.returned, "OK", Only::Returned)];
    if verdicts.is_empty() {
        let ways = [
            (counts.failed, "failed", Only::AnyFailed),
            (counts.panicked, "panicked", Only::Panicked),
            (counts.crashed, "crashed", Only::Crashed),
            (counts.cancelled, "cancelled", Only::Cancelled),
        ];
        shown.extend(ways.into_iter().filter(|(count, ..)| *count > 0));
        if shown.len() == 1 {
            state.only = None;
            return;
        }
    } else {
        shown.extend(verdicts.iter().map(|verdict| {
            let only = Only::Failed(verdict.kind);
            (job.failed_with(verdict.kind), verdict.word, only)
        }));
    }
    ui.horizontal_wrapped(|ui| {
        for (count, word, only) in shown {
            verdict_ui(count, word, only, state, ui);
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
            .desired_width((ui.available_width() - FILTER_REST_WIDTH).clamp(80.0, 220.0));
        let edit = ui.add(edit).labelled_by(label.id);
        if focus {
            edit.request_focus();
        }
        if edit.has_focus() {
            results_keys::select_in_filter(state, rows, ui);
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
    let focus = focus_ui(state, rows, ui);
    let is_copied = ui.input(|input| input.events.contains(&Event::Copy));
    if is_copied && ui.memory(|memory| memory.has_focus(focus)) {
        let item = state.selected.and_then(|id| job.item(id));
        commands.extend(item.map(|item| WorkbenchCommand::CopyText(result_text(item))));
    }
    let width = ui.available_width().max(MIN_TABLE_WIDTH);
    let result_width = (width * 0.36).clamp(160.0, 560.0);
    let name_width = width - result_width - OTHER_WIDTHS;
    let table_id = ui.scope_id().with(IdSalt::new("results"));
    let table = TableBuilder::new(ui).id_salt("results");
    if (state.table_width - width).abs() > f32::EPSILON {
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
        .body(|body| body_ui(body, job, now, state, rows, focus, commands));
    name_separators(table_id, ui);
}

/// The separators of the columns take the keyboard, but have neither role nor name.
fn name_separators(table: Id, ui: &Ui) {
    for (place, column) in Column::ALL.into_iter().enumerate() {
        let separator = table.with("resize_column").with(place);
        if ui.ctx().has_accesskit_node(separator) {
            ui.ctx().accesskit_node_builder(separator, |node| {
                node.set_role(Role::Splitter);
                node.set_label(format!("Width of {}", column.title()));
            });
        }
    }
}

/// The table takes the keyboard as one widget, because only the visible rows are widgets.
fn focus_ui(state: &mut ResultsState, rows: usize, ui: &Ui) -> Id {
    let place = ui.available_rect_before_wrap();
    let id = Id::unique("table of results");
    let table = ui.interact(place, id, Sense::focusable_noninteractive());
    table.widget_info(|| WidgetInfo::labeled(Role::Table, true, "Table of results"));
    if !table.has_focus() {
        return id;
    }
    let filter = EventFilter {
        vertical_arrows: true,
        escape: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let accent = Stroke::new(1.5, tokens(ui).accent);
    ui.painter()
        .rect_stroke(place, 2, accent, StrokeKind::Inside);
    let screen = whole(place.height() / ROW_HEIGHT).max(2) - 1;
    results_keys::select_in_table(state, rows, screen, ui);
    id
}

/// Why the table is empty.
fn nothing_ui(job: &JobRecord, state: &mut ResultsState, ui: &mut Ui) {
    let has_items = !job.items().is_empty();
    ui.vertical_centered(|ui| {
        ui.add_space(16.0);
        if state.computing || (!has_items && !job.state().is_ended()) {
            return;
        }
        if !has_items {
            ui.label(RichText::new("There was nothing to do").weak());
            return;
        }
        ui.label(RichText::new("No item matches").weak());
        if ui.button("Show all").clicked() {
            state.filter.clear();
            state.only = None;
        }
    });
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
    focus: Id,
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
                state.selected = Some(item.id);
                row.ctx.memory_mut(|memory| memory.request_focus(focus));
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

fn details_ui(
    item: &ItemRecord,
    state: &mut ResultsState,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let mut scroll = egui::ScrollArea::vertical().auto_shrink(false);
    if state.details_of != Some(item.id) {
        state.details_of = Some(item.id);
        // They take room from the table, which may have hidden the row.
        state.scroll_to = state
            .order
            .row(item.id.index())
            .map(|row| row % MAX_PAGE_ROWS);
        scroll = scroll.vertical_scroll_offset(0.0);
    }
    scroll.show(ui, |ui| {
        Sides::new().shrink_left().truncate().show(
            ui,
            |ui| {
                status_style_ui(ui, StatusStyle::of_item(item, tokens(ui)));
                ui.add_space(6.0);
                ui.label(format::path(&item.input));
            },
            |ui| {
                let close = ui.small_button("×").accessible_name("Close the details");
                if commands::info(command::CLOSE_DETAILS)
                    .with_tooltip(close, None)
                    .clicked()
                {
                    state.selected = None;
                }
            },
        );
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
