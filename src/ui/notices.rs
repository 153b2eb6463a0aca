//! Messages that stay until the user dismisses them.

use eframe::egui::{self, Sides, Stroke, Ui};

use super::status_style::{Mark, mark_ui};
use super::tokens::tokens;

/// The severity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    /// Something succeeded, but not as expected.
    Warning,
    Error,
}

/// A message that is shown until the user dismisses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    /// The event and the advice.
    pub text: String,
}

impl Notice {
    pub fn info(text: impl Into<String>) -> Self {
        Self::new(Severity::Info, text)
    }

    /// Something succeeded, but not as expected.
    pub fn warning(text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, text)
    }

    pub fn error(text: impl Into<String>) -> Self {
        Self::new(Severity::Error, text)
    }

    /// No file dialog could be shown. `instead` says what works.
    pub(crate) fn no_dialog(instead: &str) -> Self {
        Self::error(format!(
            "The desktop could not show a file dialog (no portal answered and zenity is not there). {instead}"
        ))
    }

    fn new(severity: Severity, text: impl Into<String>) -> Self {
        Self {
            severity,
            text: text.into(),
        }
    }
}

/// Draws the notices, oldest first. Returns the index of one that the user dismissed.
pub(crate) fn notices_ui(notices: &[Notice], ui: &mut Ui) -> Option<usize> {
    let mut dismissed = None;
    for (index, notice) in notices.iter().enumerate() {
        if ui.push_id(index, |ui| notice_ui(notice, ui)).inner {
            dismissed = Some(index);
        }
    }
    dismissed
}

/// Returns whether the user dismissed it.
fn notice_ui(notice: &Notice, ui: &mut Ui) -> bool {
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
            let ((), dismiss) = Sides::new().shrink_left().show(
                ui,
                |ui| {
                    mark_ui(ui, mark, color);
                    ui.add(egui::Label::new(&notice.text).wrap());
                },
                |ui| ui.button("Dismiss"),
            );
            dismiss.clicked()
        })
        .inner
}
