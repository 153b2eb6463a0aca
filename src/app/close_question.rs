//! The question before the window closes over running work.

use eframe::egui::{RichText, Ui};

use crate::format;
use crate::pages::commands::{self, UiCommand};
use crate::ui::widgets::dialog_ui;

/// The progress of closing the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosePhase {
    Asking,
    /// The window closes when the work has ended.
    Waiting,
    /// The window closes now; the program goes on until the work has ended.
    Detaching,
    /// The work was cancelled; the window closes when it has stopped or a timeout expires.
    Cancelling,
}

const TITLE: &str = "Work is still running";
const WIDTH: f32 = 560.0;

/// Draws the question in front of everything else. Returns an answer when the user gives one.
pub(crate) fn close_question_ui(
    close_phase: ClosePhase,
    running_jobs: usize,
    ui: &Ui,
) -> Option<UiCommand> {
    let mut answer = None;
    let modal = dialog_ui(TITLE, WIDTH, ui, |ui| {
        let jobs = format::plural(running_jobs, "job has", "jobs have");
        ui.label(match close_phase {
            ClosePhase::Asking => {
                format!("{jobs} not ended. Unsaved results are lost with the window.")
            }
            ClosePhase::Waiting => {
                format!("{jobs} not ended. The window closes when all have ended.")
            }
            ClosePhase::Detaching => format!("{jobs} not ended. The program goes on until then."),
            ClosePhase::Cancelling => format!("Cancelling: {jobs} not stopped yet."),
        });
        ui.add_space(8.0);
        ui.horizontal_wrapped(|ui| answer = buttons_ui(close_phase, ui));
        let keep = commands::info(commands::KEEP_WINDOW);
        if let Some(keys) = &keep.shortcut {
            let keys = ui.ctx().format_shortcut(keys);
            ui.label(
                RichText::new(format!("{keys} keeps the window."))
                    .weak()
                    .small(),
            );
        }
    });
    // Not `should_close`: it takes Escape, whatever keys the table gives the command.
    let is_dismissed = modal.backdrop_response.clicked();
    answer.or(is_dismissed.then_some(commands::KEEP_WINDOW))
}

/// The answers that the user can give.
pub(super) fn answers(close_phase: ClosePhase) -> &'static [UiCommand] {
    match close_phase {
        ClosePhase::Asking => &[
            commands::KEEP_WINDOW,
            commands::WAIT_AND_QUIT,
            commands::CANCEL_AND_QUIT,
            commands::KEEP_RUNNING,
        ],
        ClosePhase::Waiting | ClosePhase::Detaching => &[
            commands::KEEP_WINDOW,
            commands::CANCEL_AND_QUIT,
            commands::KEEP_RUNNING,
        ],
        ClosePhase::Cancelling => &[commands::KEEP_WINDOW, commands::QUIT_NOW],
    }
}

fn buttons_ui(close_phase: ClosePhase, ui: &mut Ui) -> Option<UiCommand> {
    let buttons = answers(close_phase).iter().map(|&answer| {
        let info = commands::info(answer);
        let button = match answer {
            commands::KEEP_WINDOW => info.primary_button(None, ui),
            _ => info.button(None, ui),
        };
        (answer, button)
    });
    let buttons: Vec<_> = buttons.collect();
    if !buttons.iter().any(|(_, button)| button.has_focus()) {
        buttons[0].1.request_focus();
    }
    let clicked = buttons.iter().find(|(_, button)| button.clicked());
    clicked.map(|(answer, _)| *answer)
}
