//! Who waits for whom, as the join library sees it.

use std::time::Duration;

use eframe::egui::{self, RichText, Ui};
use egui_extras::{Column as Width, TableBuilder};

use super::tokens::ROW_HEIGHT;
use super::widgets::{empty_ui, number_ui};
use crate::format;

/// One wait, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitRow {
    /// Who waits.
    pub(crate) waiter: String,
    /// For whom.
    pub(crate) target: String,
    /// How long at most from now on; `None`: without a deadline.
    pub(crate) left: Option<Duration>,
}

/// The waits of the whole program.
pub(crate) fn waits_ui(waits: &[WaitRow], ui: &mut Ui) {
    if waits.is_empty() {
        empty_ui(
            ui,
            "Nobody waits",
            "Join a job, and the wait is listed here.",
        );
        return;
    }
    TableBuilder::new(ui)
        .id_salt("waits")
        .striped(true)
        .auto_shrink(false)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Width::initial(260.0).at_least(100.0).clip(true))
        .column(Width::initial(260.0).at_least(100.0).clip(true))
        .column(Width::exact(130.0).clip(true))
        .header(ROW_HEIGHT, |mut header| {
            for title in ["Who waits", "For whom", "Time left"] {
                header.col(|ui| {
                    ui.label(RichText::new(title).strong());
                });
            }
        })
        .body(|body| {
            body.rows(ROW_HEIGHT, waits.len(), |mut row| {
                let wait = &waits[row.index()];
                row.col(|ui| {
                    ui.add(egui::Label::new(&wait.waiter).truncate());
                });
                row.col(|ui| {
                    ui.add(egui::Label::new(&wait.target).truncate());
                });
                row.col(|ui| number_ui(ui, left_text(wait.left)));
            });
        });
}

fn left_text(left: Option<Duration>) -> String {
    left.map_or_else(|| "no deadline".to_owned(), format::countdown)
}
