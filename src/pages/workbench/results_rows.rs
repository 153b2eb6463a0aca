//! The rows of the results table, painted by hand.
//!
//! egui's table makes a `Ui` and a few widgets for each cell, which is most of the cost of a frame.
//! Here a row is one widget, and its cells are texts. Screen readers still get the text of each
//! cell, and the pointer shows a cut text in full.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::emath::GuiRounding as _;
use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    self, Color32, CornerRadius, FontId, Galley, Pos2, Rangef, Rect, Response, Sense, TextStyle,
    Ui, UiBuilder, Vec2,
};
use egui_extras::TableBody;

use super::Column;
use super::result_text::result_line;
use crate::format;
use crate::record::{ItemRecord, ItemState};
use crate::ui::status_style::{MARK_SIZE, StatusStyle, paint_mark};
use crate::ui::tokens::{ROW_HEIGHT, tokens};
use crate::ui::widgets::progress_bar;

/// The gap between the shape of a state and its word.
const MARK_MARGIN: f32 = 5.0;

/// The gap between a number and the right edge of its cell.
pub(super) const NUMBER_MARGIN: f32 = 4.0;

/// A folder is not drawn in less room than this.
const MIN_FOLDER_WIDTH: f32 = 24.0;

/// The columns, fonts and colours of the rows.
pub(super) struct Rows {
    columns: [Rangef; Column::ALL.len()],
    body: FontId,
    monospace: FontId,
    weak: Color32,
    pointer: Option<Pos2>,
    /// Whether a screen reader or a test needs the text of each cell.
    is_read: bool,
    now: Duration,
    /// Otherwise they are texts, such as a command line.
    names_are_paths: bool,
}

impl Rows {
    /// Draws the rows in sight with `row_ui`. Returns the place of the row of [`Visible::revealed`].
    pub(super) fn show(
        mut body: TableBody<'_>,
        visible: &Visible,
        now: Duration,
        names_are_paths: bool,
        mut row_ui: impl FnMut(&Self, &mut Ui, usize, Rect),
    ) -> Option<Rect> {
        let Visible {
            sight,
            count,
            scroll_to,
            revealed,
        } = *visible;
        let widths = body.widths().to_vec();
        let ui = body.ui_mut();
        let origin = ui.available_rect_before_wrap().min;
        let rows = Self::new(origin.x, &widths, now, names_are_paths, ui);
        let width = rows.columns[Column::ALL.len() - 1].max - origin.x;
        let pitch = row_pitch(ui);
        let place = |row: usize| {
            let top = origin.y + row as f32 * pitch;
            Rect::from_min_size(Pos2::new(origin.x, top), Vec2::new(width, ROW_HEIGHT))
        };
        if let Some(last) = count.checked_sub(1) {
            ui.expand_to_include_rect((place(0) | place(last)).round_ui());
            if let Some(row) = scroll_to {
                // To its height alone: a row that is wider than the table must not move it to the side.
                let heights = place(row.min(last)).y_range();
                let target = Rect::from_x_y_ranges(Rangef::point(sight.center().x), heights);
                ui.scroll_to_rect(target, None);
            }
        }
        // The ground of a row reaches beyond its cells; the table cuts at these.
        let margin = Vec2::new(0.5 * ui.spacing().item_spacing.x, 0.0);
        let visible = ui.clip_rect().expand2(margin).intersect(sight);
        ui.set_clip_rect(visible);
        let first = whole((visible.top() - origin.y) / pitch);
        let end = whole(((visible.bottom() - origin.y) / pitch).ceil());
        for row in first..end.min(count) {
            row_ui(&rows, ui, row, place(row));
        }
        revealed.map(place)
    }

    fn new(left: f32, widths: &[f32], now: Duration, names_are_paths: bool, ui: &Ui) -> Self {
        let gap = ui.spacing().item_spacing.x;
        let mut left = left;
        let columns = std::array::from_fn(|column| {
            let column = Rangef::new(left, left + widths[column]);
            left = column.max + gap;
            column
        });
        Self {
            columns,
            body: TextStyle::Body.resolve(ui.style()),
            monospace: TextStyle::Monospace.resolve(ui.style()),
            weak: ui.visuals().weak_text_color(),
            pointer: ui.input(|input| input.pointer.hover_pos()),
            is_read: ui.has_accesskit_node(egui::accesskit_root_id()),
            now,
            names_are_paths,
        }
    }

    /// Draws one item in the row of this number. Returns its row, which can be clicked.
    pub(super) fn item_ui(
        &self,
        item: &ItemRecord,
        number: usize,
        rect: Rect,
        selected: bool,
        ui: &mut Ui,
    ) -> Response {
        let whole = rect.expand2(0.5 * ui.spacing().item_spacing).round_ui();
        // The keyboard selects rows from the filter; Tab does not stop at each row.
        let row = ui.interact(whole, ui.scope_id().with(item.id), Sense::CLICK);
        let visuals = ui.visuals();
        let (ground, text) = if selected {
            let colors = &visuals.selection;
            (Some(colors.bg_fill), colors.stroke.color)
        } else if row.hovered() {
            let ground = visuals.widgets.hovered.bg_fill;
            (Some(ground), visuals.text_color())
        } else {
            let ground = number.is_multiple_of(2).then_some(visuals.faint_bg_color);
            (ground, visuals.text_color())
        };
        if let Some(ground) = ground {
            ui.painter().rect_filled(whole, CornerRadius::ZERO, ground);
        }
        let cells = Cells {
            rows: self,
            rect,
            row: &row,
            number,
            text,
        };
        if self.is_read {
            read_row_ui(item, number, selected, &row, ui);
            // Its cells belong to it.
            let inside = UiBuilder::new()
                .id_salt(item.id)
                .max_rect(rect)
                .accessibility_parent(row.id);
            cells.show(item, &mut ui.new_child(inside));
        } else {
            cells.show(item, ui);
        }
        row
    }
}

/// The rows that can be seen, and one that should be.
pub(super) struct Visible {
    /// The place that the table is shown in.
    pub(super) sight: Rect,
    /// The number of rows.
    pub(super) count: usize,
    pub(super) scroll_to: Option<usize>,
    /// The row that was scrolled to in the frame before.
    pub(super) revealed: Option<usize>,
}

/// Tells a screen reader about a row. It reads the name of a row when the arrows come to it.
fn read_row_ui(item: &ItemRecord, number: usize, selected: bool, row: &Response, ui: &Ui) {
    let name = item.input.file_name().unwrap_or(item.input.as_os_str());
    let name = format::one_line(&name.to_string_lossy()).into_owned();
    row.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Row, true, &name));
    let word = StatusStyle::of_item(item, tokens(ui)).word;
    ui.ctx().accesskit_node_builder(row.id, |node| {
        node.set_description(format!("{word} {}", result_line(item)));
        node.set_row_index(number);
        node.set_selected(selected);
    });
}

struct Cells<'a> {
    rows: &'a Rows,
    rect: Rect,
    row: &'a Response,
    number: usize,
    text: Color32,
}

impl Cells<'_> {
    fn show(&self, item: &ItemRecord, ui: &mut Ui) {
        self.state_ui(item, ui);
        self.name_ui(&item.input, ui);
        if item.total > 0 || item.done > 0 {
            let size = format::bytes(item.total.max(item.done));
            self.right_ui(Column::Size, self.figures(size), ui);
        }
        match &item.state {
            ItemState::Waiting => {}
            ItemState::Running => progress_ui(item, self.place(Column::Result), ui),
            ItemState::Returned(_) => {
                self.left_ui(Column::Result, 0.0, self.figures(result_line(item)), ui);
            }
            ItemState::Failed(_)
            | ItemState::Panicked(_)
            | ItemState::Crashed(_)
            | ItemState::Cancelled => {
                self.left_ui(Column::Result, 0.0, self.plain(result_line(item)), ui);
            }
        }
        if let Some(elapsed) = item.elapsed(self.rows.now) {
            let time = format::duration(elapsed);
            self.right_ui(Column::Time, self.figures(time), ui);
        }
    }

    fn state_ui(&self, item: &ItemRecord, ui: &Ui) {
        let style = StatusStyle::of_item(item, tokens(ui));
        let place = self.place(Column::State);
        let center = place.left_center() + Vec2::new(MARK_SIZE / 2.0, 0.0);
        let mark = Rect::from_center_size(center, Vec2::splat(MARK_SIZE));
        paint_mark(ui, style.mark, mark, style.color);
        let word = self.plain(style.word.into_owned());
        self.left_ui(Column::State, MARK_SIZE + MARK_MARGIN, word, ui);
    }

    /// Text that begins at the left, after `indent` points.
    fn left_ui(&self, column: Column, indent: f32, text: LayoutJob, ui: &Ui) {
        let left = self.place(column).left() + indent;
        let galley = self.layout(column, indent, text, ui);
        self.paint(column, left, galley, ui);
    }

    /// Text that ends at the right, so that digits of equal value are aligned.
    fn right_ui(&self, column: Column, text: LayoutJob, ui: &Ui) {
        let right = self.place(column).right() - NUMBER_MARGIN;
        let galley = self.layout(column, NUMBER_MARGIN, text, ui);
        self.paint(column, right - galley.size().x, galley, ui);
    }

    fn layout(&self, column: Column, margin: f32, mut text: LayoutJob, ui: &Ui) -> Arc<Galley> {
        let room = self.place(column).width() - margin;
        text.wrap = TextWrapping::truncate_at_width(room);
        ui.fonts_mut(|fonts| fonts.layout_job(text))
    }

    fn paint(&self, column: Column, left: f32, galley: Arc<Galley>, ui: &Ui) {
        let place = self.text_place(left, &galley);
        self.describe(
            column,
            place,
            galley.elided,
            || galley.text().to_owned(),
            ui,
        );
        ui.painter().galley(place.min, galley, self.text);
    }

    /// The name comes first, because a narrow column can do without the folder. Each is laid out
    /// alone: many rows have the same folder, and egui caches layouts.
    fn name_ui(&self, path: &Path, ui: &Ui) {
        let is_path = self.rows.names_are_paths;
        let file = path.file_name().filter(|_| is_path);
        let name = file.unwrap_or(path.as_os_str());
        let folder = path
            .parent()
            .filter(|folder| file.is_some() && !folder.as_os_str().is_empty());
        let column = self.place(Column::Name);
        let name = self.plain(format::one_line(&name.to_string_lossy()).into_owned());
        let name = self.layout(Column::Name, 0.0, name, ui);
        let mut place = self.text_place(column.left(), &name);
        let mut is_cut = name.elided;
        if let Some(folder) = folder {
            let room = column.right() - place.right();
            is_cut |= room < MIN_FOLDER_WIDTH;
            if room >= MIN_FOLDER_WIDTH {
                let text = self.plain(format!("  {}", format::path(folder)));
                let text = self.layout(Column::Name, name.size().x, text, ui);
                let folder_place = self.text_place(place.right(), &text);
                is_cut |= text.elided;
                place |= folder_place;
                ui.painter().galley(folder_place.min, text, self.rows.weak);
            }
        }
        let whole = || match folder {
            Some(folder) => format!("{}  {}", name.text(), format::path(folder)),
            None => name.text().to_owned(),
        };
        self.describe(Column::Name, place, is_cut, whole, ui);
        ui.painter().galley(place.min, Arc::clone(&name), self.text);
    }

    fn text_place(&self, left: f32, galley: &Galley) -> Rect {
        let top = self.rect.center().y - galley.size().y / 2.0;
        Rect::from_min_size(Pos2::new(left, top), galley.size())
    }

    /// Gives a screen reader the text of a cell, and the pointer a cut text in full.
    fn describe(
        &self,
        column: Column,
        place: Rect,
        is_cut: bool,
        text: impl Fn() -> String,
        ui: &Ui,
    ) {
        let pointer = self.rows.pointer;
        let is_pointed_at = is_cut && pointer.is_some_and(|at| place.contains(at));
        if !is_pointed_at && !self.rows.is_read {
            return;
        }
        let cell = ui.interact(place, self.row.id.with(column as usize), Sense::hover());
        let is_enabled = ui.is_enabled();
        cell.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Cell, is_enabled, text()));
        ui.ctx().accesskit_node_builder(cell.id, |node| {
            node.set_row_index(self.number);
            node.set_column_index(column as usize);
        });
        if is_cut {
            cell.on_hover_text(text());
        }
    }

    fn place(&self, column: Column) -> Rect {
        Rect::from_x_y_ranges(self.rows.columns[column as usize], self.rect.y_range())
    }

    fn plain(&self, text: String) -> LayoutJob {
        let font = self.rows.body.clone();
        LayoutJob::simple_singleline(text, font, Color32::PLACEHOLDER)
    }

    fn figures(&self, text: String) -> LayoutJob {
        let font = self.rows.monospace.clone();
        LayoutJob::simple_singleline(text, font, Color32::PLACEHOLDER)
    }
}

/// From the top of a row to the top of the next one.
pub(super) fn row_pitch(ui: &Ui) -> f32 {
    ROW_HEIGHT + ui.spacing().item_spacing.y
}

/// A number of rows without its fraction; 0 if it is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, which is what is wanted"
)]
pub(super) fn whole(rows: f32) -> usize {
    rows as usize
}

fn progress_ui(item: &ItemRecord, cell: Rect, ui: &mut Ui) {
    if item.total == 0 {
        return;
    }
    let size = egui::vec2(cell.width().min(160.0), 6.0);
    let place = Rect::from_min_size(Pos2::new(cell.left(), cell.center().y - 3.0), size);
    let share = format::open_share(item.done, item.total);
    let fill = tokens(ui).accent;
    let bar = |ui: &mut Ui| progress_bar(ui, share, size, fill);
    ui.put(place, bar).accessible_name("Item progress");
}
