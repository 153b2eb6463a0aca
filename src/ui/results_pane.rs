//! Every item of the selected job in a virtual table: only the visible rows are drawn.

use std::path::Path;
use std::time::Duration;

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{self, RichText, Ui};
use egui_extras::{Column as Width, TableBody, TableBuilder, TableRow};

use super::tokens::{ROW_HEIGHT, tokens};
use super::widgets::{Look, look_ui, number_ui};
use super::{Column, Command, ResultsView, words};
use crate::record::{ItemId, ItemRecord, ItemState, JobRecord};

/// Scroll offsets are `f32`: past this many rows, single rows could no longer be reached.
const PART_ROWS: usize = 500_000;

/// The filter line, the table and the details of the selected row.
pub fn results_ui(
    job: &JobRecord,
    now: Duration,
    view: &mut ResultsView,
    focus_filter: bool,
    ui: &mut Ui,
    commands: &mut Vec<Command>,
) {
    let rows = view.order.len(job.items().len());
    filter_ui(view, rows, job.items().len(), focus_filter, ui);
    let selected = view.selected.and_then(|id| job.item(id));
    if let Some(item) = selected {
        egui::Panel::bottom("item details")
            .resizable(true)
            .default_size(84.0)
            .show(ui, |ui| details_ui(item, ui, commands));
    }
    table_ui(job, now, view, rows, ui, commands);
}

fn filter_ui(view: &mut ResultsView, rows: usize, items: usize, focus: bool, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let label = ui.label("Filter");
        let edit = egui::TextEdit::singleline(&mut view.filter)
            .hint_text("part of a name or result")
            .desired_width(220.0);
        let edit = ui.add(edit).labelled_by(label.id);
        if focus {
            edit.request_focus();
        }
        if edit.has_focus() {
            move_selection(view, rows, ui);
        }
        let shown = if rows == items {
            words::plural(items, "item", "items")
        } else {
            let items = words::plural(items, "item", "items");
            format!("{} of {items}", words::count(rows))
        };
        ui.label(RichText::new(shown).weak());
        if view.computing {
            ui.label(RichText::new("sorting…").weak());
        }
        parts_ui(view, rows, ui);
    });
}

/// The arrow keys walk through the rows while the keyboard is in the filter.
fn move_selection(view: &mut ResultsView, rows: usize, ui: &Ui) {
    let (down, up) = ui.input(|input| {
        let presses = |key| input.num_presses(key);
        (presses(egui::Key::ArrowDown), presses(egui::Key::ArrowUp))
    });
    if rows == 0 || down == up {
        return;
    }
    let row = view
        .selected
        .and_then(|selected| (0..rows).find(|&row| view.order.item(row) == Some(selected.0)));
    let row = match row {
        Some(row) => (row + down).saturating_sub(up).min(rows - 1),
        None => 0,
    };
    view.selected = view.order.item(row).map(ItemId);
    view.part = row / PART_ROWS;
    view.scroll_to = Some(row % PART_ROWS);
}

fn parts_ui(view: &mut ResultsView, rows: usize, ui: &mut Ui) {
    let parts = rows.div_ceil(PART_ROWS).max(1);
    view.part = view.part.min(parts - 1);
    if parts == 1 {
        return;
    }
    if super::widgets::button(
        ui,
        "Previous part",
        view.part > 0,
        "This is the first part.",
    )
    .clicked()
    {
        view.part -= 1;
    }
    ui.label(format!("part {} of {parts}", view.part + 1));
    if super::widgets::button(
        ui,
        "Next part",
        view.part + 1 < parts,
        "This is the last part.",
    )
    .clicked()
    {
        view.part += 1;
    }
}

fn table_ui(
    job: &JobRecord,
    now: Duration,
    view: &mut ResultsView,
    rows: usize,
    ui: &mut Ui,
    commands: &mut Vec<Command>,
) {
    let result_width = (ui.available_width() * 0.36).clamp(160.0, 560.0);
    let name_width = (ui.available_width() - result_width - 310.0).max(120.0);
    let mut table = TableBuilder::new(ui).id_salt("results");
    if let Some(row) = view.scroll_to.take() {
        table = table.scroll_to_row(row, None);
    }
    table
        .striped(true)
        .resizable(true)
        .auto_shrink(false)
        // Rows are reached by keyboard from the filter; five stops in each would be in the way.
        .sense(egui::Sense::CLICK)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Width::initial(100.0).at_least(80.0).clip(true))
        .column(Width::initial(name_width).at_least(80.0).clip(true))
        .column(Width::initial(90.0).at_least(60.0).clip(true))
        .column(Width::initial(result_width).at_least(80.0).clip(true))
        .column(Width::remainder().at_least(70.0).clip(true))
        .header(ROW_HEIGHT, |mut header| {
            for column in Column::ALL {
                header.col(|ui| header_ui(column, view, ui));
            }
        })
        .body(|body| body_ui(body, job, now, view, rows, commands));
}

fn header_ui(column: Column, view: &mut ResultsView, ui: &mut Ui) {
    let sorted = view.sort.filter(|sort| sort.column == column);
    let text = RichText::new(column.title()).strong();
    let layout = if matches!(column, Column::Size | Column::Time) {
        egui::Layout::right_to_left(egui::Align::Center)
    } else {
        egui::Layout::left_to_right(egui::Align::Center)
    };
    ui.with_layout(layout, |ui| {
        ui.add_space(4.0);
        let header = ui
            .add(egui::Button::new(text).frame(false))
            .on_hover_text("Sort by this column; once more for the other way round");
        if let Some(sort) = sorted {
            sort_mark_ui(ui, sort.descending);
        }
        if header.clicked() {
            view.sort_by(column);
        }
    });
}

/// A triangle that points to where the larger ones are; painted, for no font is sure to have it.
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
    view: &mut ResultsView,
    rows: usize,
    commands: &mut Vec<Command>,
) {
    let first = view.part * PART_ROWS;
    let shown = rows.saturating_sub(first).min(PART_ROWS);
    body.rows(ROW_HEIGHT, shown, |mut row| {
        let index = view.order.item(first + row.index());
        let Some(item) = index.and_then(|index| job.items().get(index)) else {
            for _ in Column::ALL {
                row.col(|_| {});
            }
            return;
        };
        row.set_selected(view.selected == Some(item.id));
        row_ui(item, now, &mut row);
        let response = row.response();
        if response.clicked() {
            view.selected = (view.selected != Some(item.id)).then_some(item.id);
        }
        response.context_menu(|ui| menu_ui(item, ui, commands));
    });
}

fn row_ui(item: &ItemRecord, now: Duration, row: &mut TableRow<'_, '_>) {
    row.col(|ui| {
        let look = Look::of_item(&item.state, tokens(ui));
        look_ui(ui, look);
    });
    row.col(|ui| name_ui(&item.input, ui));
    row.col(|ui| {
        if item.total > 0 || item.done > 0 {
            number_ui(ui, words::bytes(item.total.max(item.done)));
        }
    });
    row.col(|ui| match &item.state {
        ItemState::Running => progress_ui(item, ui),
        ItemState::Returned(_) => cell_ui(ui, RichText::new(result_text(item)).monospace()),
        _ => cell_ui(ui, RichText::new(result_text(item))),
    });
    row.col(|ui| {
        if let Some(elapsed) = item.elapsed(now) {
            number_ui(ui, words::duration(elapsed));
        }
    });
}

/// The name first: in a narrow column the folder is what can be spared.
fn name_ui(path: &Path, ui: &mut Ui) {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let weak = ui.visuals().weak_text_color();
    let mut text = LayoutJob::default();
    let mut append = |part: &str, color| {
        let font = egui::TextStyle::Body.resolve(ui.style());
        text.append(part, 0.0, TextFormat::simple(font, color));
    };
    append(&name.to_string_lossy(), ui.visuals().text_color());
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        append(&format!("  {}", parent.display()), weak);
    }
    ui.add(egui::Label::new(text).truncate().selectable(false));
}

/// Rows answer to clicks as a whole, so their text does not.
fn cell_ui(ui: &mut Ui, text: RichText) {
    ui.add(egui::Label::new(text).truncate().selectable(false));
}

fn progress_ui(item: &ItemRecord, ui: &mut Ui) {
    if item.total == 0 {
        return;
    }
    let fill = tokens(ui).accent;
    let bar = egui::ProgressBar::new(words::share(item.done, item.total))
        .desired_height(6.0)
        .desired_width(ui.available_width().min(160.0))
        .fill(fill);
    ui.add(bar).accessible_name("Item progress");
}

/// What an item came back with, in one line of text; empty while it has not ended.
pub fn result_text(item: &ItemRecord) -> String {
    match &item.state {
        ItemState::Waiting | ItemState::Running | ItemState::Cancelled => String::new(),
        ItemState::Returned(output) => output.to_string(),
        ItemState::Failed(error) => error.message.clone(),
        ItemState::Panicked(panic) => match &panic.location {
            Some(location) => format!("{} ({location})", panic.message),
            None => panic.message.clone(),
        },
    }
}

fn menu_ui(item: &ItemRecord, ui: &mut Ui, commands: &mut Vec<Command>) {
    let result = result_text(item);
    if !result.is_empty() && ui.button("Copy result").clicked() {
        commands.push(Command::CopyText(result));
    }
    if ui.button("Copy path").clicked() {
        commands.push(Command::CopyText(item.input.display().to_string()));
    }
}

fn details_ui(item: &ItemRecord, ui: &mut Ui, commands: &mut Vec<Command>) {
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                look_ui(ui, Look::of_item(&item.state, tokens(ui)));
                ui.add(egui::Label::new(item.input.display().to_string()).truncate());
            });
            let result = result_text(item);
            if !result.is_empty() {
                ui.add(egui::Label::new(RichText::new(&result).monospace()).wrap());
            }
            ui.horizontal(|ui| menu_ui(item, ui, commands));
        });
}
