//! Sentences that stay until they are dismissed.

use eframe::egui::{self, Align, Layout, Stroke, Ui};

use super::tokens::tokens;
use super::widgets::{Mark, mark_ui};
use super::{Command, Notice, Severity};

/// The notices, oldest first.
pub(crate) fn notices_ui(notices: &[Notice], ui: &mut Ui, commands: &mut Vec<Command>) {
    for (index, notice) in notices.iter().enumerate() {
        ui.push_id(index, |ui| notice_ui(index, notice, ui, commands));
    }
}

fn notice_ui(index: usize, notice: &Notice, ui: &mut Ui, commands: &mut Vec<Command>) {
    let tokens = tokens(ui);
    let (mark, color) = match notice.severity {
        Severity::Info => (Mark::Disc, tokens.returned),
        Severity::Warning => (Mark::Warning, tokens.timed_out),
        Severity::Error => (Mark::Cross, tokens.failed),
    };
    egui::Frame::new()
        .fill(tokens.surface)
        .stroke(Stroke::new(1.0, color))
        .corner_radius(6)
        .inner_margin(6)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                mark_ui(ui, mark, color);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.button("Dismiss").clicked() {
                        commands.push(Command::DismissNotice(index));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(&notice.text).wrap());
                    });
                });
            });
        });
}
