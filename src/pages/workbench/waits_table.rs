//! The table of who waits for whom.

use std::collections::BTreeSet;
use std::time::Duration;

use eframe::egui::{self, Label, RichText, ScrollArea, Ui};
use egui_extras::{Column as Width, TableBuilder, TableRow};

use super::WorkbenchCommand;
use super::waits_pane::{Selected, command_of};
use crate::format;
use crate::record::{Doing, Until, WaitNode, Waits};
use crate::ui::status_style::{Mark, mark_ui};
use crate::ui::tokens::{ROW_HEIGHT, tokens};

/// The widths of the columns of times.
const SINCE_WIDTH: f32 = 136.0;
const UNTIL_WIDTH: f32 = 116.0;

/// The names share the rest, between these widths each.
const MIN_NAME_WIDTH: f32 = 150.0;
const MAX_NAME_WIDTH: f32 = 420.0;

/// More targets of a wait are counted.
const MAX_NAMED: usize = 3;

/// Draws a row for each that waits or does something, rings first. Returns what a click asks for.
pub(super) fn waits_table_ui(
    waits: &Waits,
    selected: Selected,
    now: Duration,
    ui: &mut Ui,
) -> Option<WorkbenchCommand> {
    let in_rings: BTreeSet<usize> = waits.rings.iter().flatten().copied().collect();
    let rows = rows(waits, &in_rings);
    let gaps = 3.0 * ui.spacing().item_spacing.x;
    let names = ui.available_width() - SINCE_WIDTH - UNTIL_WIDTH - gaps;
    let name_width = (names / 2.0).clamp(MIN_NAME_WIDTH, MAX_NAME_WIDTH);
    let mut selected_rows = rows.iter().map(|node| selected.has(&waits.nodes[*node]));
    let revealed = selected_rows.position(|is_selected| is_selected);
    let revealed = revealed.filter(|_| selected.reveals);
    let mut clicked = None;
    // In a narrow window the columns are beside each other all the same.
    let sideways = ScrollArea::horizontal()
        .id_salt("table of waits")
        .auto_shrink(false);
    sideways.show(ui, |ui| {
        let mut table = TableBuilder::new(ui);
        if let Some(row) = revealed {
            table = table.scroll_to_row(row, None);
        }
        table
            .id_salt("waits")
            .striped(true)
            .auto_shrink(false)
            .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
            .column(Width::exact(name_width).clip(true))
            .column(Width::exact(name_width).clip(true))
            .column(Width::exact(SINCE_WIDTH).clip(true))
            .column(Width::exact(UNTIL_WIDTH).clip(true))
            .header(ROW_HEIGHT, |mut header| {
                for title in ["Waiter", "Waits for", "Since", "Until"] {
                    header.col(|ui| {
                        ui.label(RichText::new(title).strong());
                    });
                }
            })
            .body(|body| {
                body.rows(ROW_HEIGHT, rows.len(), |mut row| {
                    let node = rows[row.index()];
                    let is_in_ring = in_rings.contains(&node);
                    if row_ui(waits, node, (is_in_ring, selected), now, &mut row) {
                        clicked = command_of(&waits.nodes[node]);
                    }
                });
            });
    });
    clicked
}

/// The nodes with something to tell: those of rings, then all others in the order of what they are.
fn rows(waits: &Waits, in_rings: &BTreeSet<usize>) -> Vec<usize> {
    let tells = |node: &usize| {
        let doing = waits.nodes[*node].doing;
        doing != Doing::NotKnown || waits.targets(*node).next().is_some()
    };
    let mut others: Vec<usize> = (0..waits.nodes.len())
        .filter(|node| !in_rings.contains(node))
        .filter(tells)
        .collect();
    others.sort_by(|a, b| waits.nodes[*a].id.cmp(&waits.nodes[*b].id));
    waits
        .rings
        .iter()
        .flatten()
        .copied()
        .chain(others)
        .collect()
}

/// Returns whether the waiter was clicked.
fn row_ui(
    waits: &Waits,
    index: usize,
    (is_in_ring, selected): (bool, Selected),
    now: Duration,
    row: &mut TableRow<'_, '_>,
) -> bool {
    let node = &waits.nodes[index];
    let is_selected = selected.has(node);
    row.set_selected(is_selected);
    let mut is_clicked = false;
    row.col(|ui| {
        if is_in_ring {
            mark_ui(ui, Mark::Warning, tokens(ui).timed_out);
        }
        let title = node.title();
        if command_of(node).is_some() {
            // In line with the labels of the row.
            ui.spacing_mut().interact_size.y = 0.0;
            let button = egui::Button::new(title).frame(false).truncate();
            let button = ui.add(button);
            ui.ctx()
                .accesskit_node_builder(button.id, |it| it.set_selected(is_selected));
            is_clicked = button.clicked();
        } else {
            ui.add(Label::new(title).truncate());
        }
    });
    row.col(|ui| {
        ui.add(Label::new(target_text(waits, index)).truncate());
    });
    for text in [node.since.text(now), until_text(node, now)] {
        row.col(|ui| {
            ui.add(Label::new(text).truncate());
        });
    }
    is_clicked
}

/// `cc1, pid 814 (child)`, or what it does if it waits for nobody known.
fn target_text(waits: &Waits, index: usize) -> String {
    let mut targets = waits.targets(index);
    let named: Vec<String> = targets
        .by_ref()
        .take(MAX_NAMED)
        .map(|edge| {
            let title = waits.nodes[edge.to].title();
            if edge.link.is_empty() {
                title
            } else {
                format!("{title} ({})", edge.link)
            }
        })
        .collect();
    match (named.as_slice(), targets.count()) {
        ([], _) => waits.nodes[index].long.clone(),
        (named, 0) => named.join(", "),
        (named, more) => format!("{} and {} more", named.join(", "), format::count(more)),
    }
}

fn until_text(node: &WaitNode, now: Duration) -> String {
    if node.until == Until::NoDeadline && node.doing == Doing::Waits {
        return "no deadline".to_owned();
    }
    node.until.text(now)
}
