//! The items of the selected job in a virtual table: only visible rows are drawn.

use std::time::Duration;

use eframe::egui::accesskit::{Live, SortDirection};
use eframe::egui::{
    self, Event, EventFilter, Id, IdSalt, Pos2, Rangef, Rect, Response, RichText, Role, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo,
};
use egui_extras::{Column as Width, TableBody, TableBuilder};

use super::compare::compare_ui;
use super::results_details::details_ui;
use super::results_keys::{self, Extent};
use super::results_rows::{NUMBER_MARGIN, Rows, Visible, row_pitch, whole};
use super::results_state::MAX_PAGE_ROWS;
use super::{Column, Only, ResultsState, WorkbenchCommand, command, jobs_panel, results_menu};
use crate::format;
use crate::pages::commands;
use crate::record::{ItemId, JobRecord, JobState};
use crate::ui::layout::{Edge, Pane, PanelBelow};
use crate::ui::tokens::{ROW_HEIGHT, tokens};

/// The notes of the plan that are shown before the others are asked for.
const FIRST_NOTES: usize = 2;

/// Where there is less height than this, the notes are shown only when they are asked for.
const MIN_HEIGHT_WITH_NOTES: f32 = 240.0;

/// The height of notes that were asked for, which scroll.
const OTHER_NOTES_HEIGHT: f32 = 96.0;

/// The room that the number of rows takes beside the filter.
const FILTER_REST_WIDTH: f32 = 130.0;

/// The height of the details until the user changes it.
const DETAILS_HEIGHT: f32 = 152.0;

/// The share of the table's place that the details take at most.
const MAX_DETAILS_SHARE: f32 = 0.6;

/// Where there is less width, the table scrolls to the side. All columns have their least width in it, so that it need
/// not squeeze them later.
const MIN_TABLE_WIDTH: f32 = 612.0;

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
    let shown = state.shown_item().and_then(|id| job.item(id));
    if shown.is_none() {
        state.details_of = None;
    }
    if let Some(comparison) = &mut state.comparison
        && !compare_ui(comparison, job, ui)
    {
        state.comparison = None;
    }
    let Some(item) = shown else {
        rows_ui(job, now, state, rows, ui, commands);
        return;
    };
    let below = PanelBelow::new(ui);
    let details = Pane {
        name: "item details",
        edge: Edge::Bottom,
        size: DETAILS_HEIGHT,
        range: Rangef::new(ROW_HEIGHT, ui.available_height() * MAX_DETAILS_SHARE),
        frame: None,
    };
    below.above_ui(ui, |ui| rows_ui(job, now, state, rows, ui, commands));
    below.show(ui, |ui| {
        details.show(ui, |ui| details_ui(item, state, ui, commands))
    });
}

/// The table, or why it is empty.
fn rows_ui(
    job: &JobRecord,
    now: Duration,
    state: &mut ResultsState,
    rows: usize,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    if rows == 0 {
        nothing_ui(job, state, ui);
        return;
    }
    // In a frame of its own: a table draws its column lines down to the bottom of its parent.
    let rest = ui.available_rect_before_wrap();
    ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| {
        // The ground of a row reaches beyond its cells.
        let margin = egui::vec2(0.5 * ui.spacing().item_spacing.x, 0.0);
        let area = egui::ScrollArea::horizontal().content_margin(margin);
        let table = area.show(ui, |ui| {
            ui.set_min_width(MIN_TABLE_WIDTH);
            table_ui(job, now, state, rows, ui, commands)
        });
        // The area takes all that is to be scrolled in it, up and down, too.
        if let Some(row) = table.inner {
            reveal(row, ui);
        }
    });
}

/// The number of items of each verdict and of each way to end; a click shows these alone. The line is there from the
/// beginning, so that the first item that fails moves nothing.
fn verdicts_ui(job: &JobRecord, state: &mut ResultsState, ui: &mut Ui) {
    let verdicts = job.spec().options.job().verdicts();
    let counts = job.counts();
    let mut shown = vec![(counts.returned, "OK", Only::Returned)];
    let mut failed = counts.failed;
    for verdict in verdicts {
        let count = job.failed_with(verdict.kind);
        failed = failed.saturating_sub(count);
        shown.push((count, verdict.word, Only::Failed(verdict.kind)));
    }
    let ways = [
        (failed, "failed", Only::FailedOtherwise(verdicts)),
        (counts.panicked, "panicked", Only::Panicked),
        (counts.crashed, "crashed", Only::Crashed),
        (counts.cancelled, "cancelled", Only::Cancelled),
    ];
    shown.extend(ways.into_iter().filter(|(count, ..)| *count > 0));
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
            let extent = Extent {
                items,
                rows,
                screen: 1,
            };
            results_keys::select_in_filter(state, extent, ui);
        } else if edit.lost_focus() && commands::info(command::OPEN_DETAILS).is_pressed(ui) {
            state.shows_details = true;
            ui.memory_mut(|memory| memory.request_focus(table_id()));
        }
        let text = count_text(state, rows, items);
        let shown = ui.label(RichText::new(&text).weak());
        let is_asked_for = rows != items || !state.selection.is_empty();
        let pass = ui.ctx().cumulative_pass_nr();
        if state.count.is_said(text, is_asked_for, pass) {
            ui.ctx()
                .accesskit_node_builder(shown.id, |node| node.set_live(Live::Polite));
        }
        if state.computing {
            ui.label(RichText::new("sorting…").weak());
        }
        pages_ui(state, rows, ui);
    });
}

/// `12 of 40 items`, or while some are selected `3 of 12 selected`.
fn count_text(state: &ResultsState, rows: usize, items: usize) -> String {
    let selected = state.selection.len();
    if selected > 0 {
        let (selected, rows) = (format::count(selected), format::count(rows));
        return format!("{selected} of {rows} selected");
    }
    let all = format::plural(items, "item", "items");
    if rows == items {
        return all;
    }
    format!("{} of {all}", format::count(rows))
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

/// Returns the row that the keys went to in the frame before.
fn table_ui(
    job: &JobRecord,
    now: Duration,
    state: &mut ResultsState,
    rows: usize,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) -> Option<Rect> {
    let sight = ui.clip_rect();
    let extent = Extent {
        items: job.items().len(),
        rows,
        // One place is that of the titles.
        screen: whole(ui.available_height() / row_pitch(ui)).max(2) - 1,
    };
    let (focus, asks_for_menu) = focus_ui(state, extent, ui);
    let is_copied = ui.input(|input| input.events.contains(&Event::Copy));
    if is_copied && focus.has_focus() && !state.selection.is_empty() {
        commands.push(WorkbenchCommand::Ui(command::COPY_ROW));
    }
    let width = ui.available_width().max(MIN_TABLE_WIDTH);
    let result_width = (width * 0.36).clamp(160.0, 560.0);
    let name_width = width - result_width - OTHER_WIDTHS;
    // The table takes all the room: what is in it belongs to the widget that has the keyboard.
    let inside = egui::UiBuilder::new().accessibility_parent(focus.id);
    let mut drawn = Drawn::default();
    ui.scope_builder(inside, |ui| {
        let titles = titles_ui(ui);
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
            // Otherwise it would go on behind the details.
            .min_scrolled_height(0.0)
            // An animation begins a frame later, when the page already scrolls to where the row is.
            .animate_scrolling(false)
            .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
            .column(Width::initial(100.0).at_least(80.0).clip(true))
            .column(Width::initial(name_width).at_least(80.0).clip(true))
            .column(Width::initial(90.0).at_least(60.0).clip(true))
            .column(Width::initial(result_width).at_least(80.0).clip(true))
            .column(Width::remainder().at_least(70.0).clip(true))
            .header(ROW_HEIGHT, |mut header| {
                for column in Column::ALL {
                    header.col(|ui| header_ui(column, titles, state, ui));
                }
            })
            .body(|body| drawn = body_ui(body, sight, job, now, state, rows));
        name_separators(table_id, ui);
    });
    if focus.has_focus() {
        // Over the grounds of the rows.
        let accent = Stroke::new(1.5, tokens(ui).accent);
        ui.painter()
            .rect_stroke(focus.rect, 2, accent, StrokeKind::Inside);
    }
    if drawn.is_clicked {
        focus.request_focus();
    }
    if state.revealed.is_some() {
        ui.ctx().request_repaint();
    }
    if let Some((lead, _)) = drawn.lead {
        ui.ctx().accesskit_node_builder(focus.id, |node| {
            node.set_active_descendant(lead.accesskit_id());
        });
    }
    let by_key = drawn.lead.filter(|_| asks_for_menu);
    let menu_at = drawn.menu_at.or(by_key.map(|(_, rect)| rect.left_bottom()));
    results_menu::show(menu_at, job, state, &focus, commands);
    drawn.revealed
}

/// Scrolls the page to a row that is out of sight: the table may be higher than what is in sight of it. To its height
/// alone, as the rows do.
fn reveal(row: Rect, ui: &Ui) {
    let sight = ui.clip_rect();
    let row = Rect::from_x_y_ranges(Rangef::point(sight.center().x), row.y_range());
    let is_seen = sight.y_range().contains(row.top()) && sight.y_range().contains(row.bottom());
    if !is_seen {
        ui.scroll_to_rect_animation(row, None, egui::style::ScrollAnimation::none());
    }
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

/// What drawing the rows has found out.
#[derive(Default)]
struct Drawn {
    is_clicked: bool,
    /// Where the menu of the selected rows was asked for.
    menu_at: Option<Pos2>,
    /// The row that was selected last, if it is in sight.
    lead: Option<(Id, Rect)>,
    /// The row that the keys went to, where the table is now that it has scrolled.
    revealed: Option<Rect>,
}

fn table_id() -> Id {
    Id::unique("table of results")
}

/// The table takes the keyboard as one widget, because only the visible rows are widgets. Returns it, and whether
/// its keys ask for the menu.
fn focus_ui(state: &mut ResultsState, extent: Extent, ui: &Ui) -> (Response, bool) {
    let place = ui.available_rect_before_wrap();
    let id = table_id();
    let table = ui.interact(place, id, Sense::focusable_noninteractive());
    table.widget_info(|| WidgetInfo::labeled(Role::Table, true, "Table of results"));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_row_count(extent.rows);
        node.set_column_count(Column::ALL.len());
        node.set_multiselectable();
    });
    if !table.has_focus() {
        return (table, false);
    }
    let filter = EventFilter {
        vertical_arrows: true,
        escape: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let asks_for_menu = results_keys::select_in_table(state, extent, ui);
    (table, asks_for_menu)
}

/// The row of the titles, for a screen reader.
fn titles_ui(ui: &Ui) -> Id {
    let mut place = ui.available_rect_before_wrap();
    place.set_height(ROW_HEIGHT);
    let id = Id::unique("titles of results");
    let titles = ui.interact(place, id, Sense::hover());
    titles.widget_info(|| WidgetInfo::labeled(Role::Row, true, "Titles"));
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
            ui.label(RichText::new(nothing_text(job.state())).weak());
            return;
        }
        ui.label(RichText::new("No item matches").weak());
        let summary = format!("In all: {}", jobs_panel::summary(job));
        ui.label(RichText::new(summary).weak());
        if ui.button("Show all").clicked() {
            state.filter.clear();
            state.only = None;
        }
    });
}

/// Why a job that has ended has no items.
fn nothing_text(state: &JobState) -> &'static str {
    match state {
        JobState::Cancelled => "It was cancelled before there was anything to do",
        JobState::TimedOut => "Its time was up before there was anything to do",
        JobState::Panicked(_) => "Finding out what to do failed: see Program errors",
        _ => "There was nothing to do",
    }
}

fn header_ui(column: Column, titles: Id, state: &mut ResultsState, ui: &mut Ui) {
    let sorted = state.sort.filter(|sort| sort.column == column);
    let text = RichText::new(column.title()).strong();
    let is_number = matches!(column, Column::Size | Column::Time);
    let layout = if is_number {
        egui::Layout::right_to_left(egui::Align::Center)
    } else {
        egui::Layout::left_to_right(egui::Align::Center)
    };
    let in_titles = egui::UiBuilder::new()
        .layout(layout)
        .max_rect(ui.available_rect_before_wrap())
        .accessibility_parent(titles);
    ui.scope_builder(in_titles, |ui| {
        // Aligned with the numbers below.
        ui.add_space(if is_number { NUMBER_MARGIN } else { 0.0 });
        let header = ui
            .add(egui::Button::new(text).frame(false))
            .on_hover_text("Sort by this column; click again to reverse the order");
        ui.ctx().accesskit_node_builder(header.id, |node| {
            node.set_role(Role::ColumnHeader);
            node.set_column_index(column as usize);
            if let Some(sort) = sorted {
                node.set_sort_direction(if sort.descending {
                    SortDirection::Descending
                } else {
                    SortDirection::Ascending
                });
            }
        });
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
    sight: Rect,
    job: &JobRecord,
    now: Duration,
    state: &mut ResultsState,
    rows: usize,
) -> Drawn {
    let first = state.page * MAX_PAGE_ROWS;
    let revealed = std::mem::replace(&mut state.revealed, state.scroll_to);
    let visible = Visible {
        sight,
        count: rows.saturating_sub(first).min(MAX_PAGE_ROWS),
        scroll_to: state.scroll_to.take(),
        revealed,
    };
    let names_are_paths = job.names_are_paths();
    let mut drawn = Drawn::default();
    let revealed = Rows::show(
        body,
        &visible,
        now,
        names_are_paths,
        |painter, ui, row, rect| {
            let index = state.order.item(first + row);
            let Some(item) = index.and_then(|index| job.items().get(index)) else {
                return;
            };
            let selected = state.selection.contains(item.id);
            let response = painter.item_ui(item, first + row, rect, selected, ui);
            if state.selection.lead() == Some(item.id) {
                drawn.lead = Some((response.id, rect));
                let is_clear = selected && state.selection.len() == 1;
                if !is_clear && ui.memory(|memory| memory.has_focus(table_id())) {
                    let line = Stroke::new(1.0, tokens(ui).accent);
                    ui.painter()
                        .rect_stroke(response.rect, 0, line, StrokeKind::Inside);
                }
            }
            if response.clicked() {
                drawn.is_clicked = true;
                click(item.id, first + row, state, &response);
            }
            if response.double_clicked() {
                state.shows_details = true;
            }
            if response.secondary_clicked() {
                drawn.is_clicked = true;
                if !selected {
                    state.selection.select_only(item.id);
                }
                drawn.menu_at = response.interact_pointer_pos();
            }
        },
    );
    drawn.revealed = revealed;
    drawn
}

/// Selects a row as a list of files does: with Ctrl it joins the others, with Shift all up to it do.
fn click(item: ItemId, row: usize, state: &mut ResultsState, response: &Response) {
    let modifiers = response.ctx.input(|input| input.modifiers);
    if modifiers.shift {
        state.selection.extend(&state.order, row, modifiers.command);
    } else if modifiers.command {
        state.selection.toggle(item);
    } else {
        state.selection.select_only(item);
    }
}
