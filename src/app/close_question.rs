//! The question before the window closes over running work.

use eframe::egui::{Id, Modal, RichText, Ui};

use crate::format;
use crate::pages::commands::{self, UiCommand};

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

/// The answer of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Leave once the running work has ended.
    WaitAndQuit,
    /// Cancel the running work and leave.
    CancelAndQuit,
    /// Close the window and leave once the running work has ended.
    KeepRunning,
    /// Leave now, over work that was cancelled and has not stopped.
    QuitNow,
    KeepWindow,
}

/// Draws the question in front of everything else. Returns an answer when the user gives one.
pub(crate) fn close_question_ui(
    close_phase: ClosePhase,
    running_jobs: usize,
    ui: &Ui,
) -> Option<Answer> {
    let mut answer = None;
    let modal = Modal::new(Id::unique("close question")).show(ui.ctx(), |ui| {
        ui.set_width(560.0);
        ui.heading("Work is still running");
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
        ui.horizontal(|ui| answer = buttons_ui(close_phase, ui));
        let keep = commands::info(commands::COMMANDS, UiCommand::KeepWindow);
        if let Some(keys) = &keep.shortcut {
            let keys = ui.ctx().format_shortcut(keys);
            ui.label(
                RichText::new(format!("{keys} keeps the window."))
                    .weak()
                    .small(),
            );
        }
    });
    if modal.should_close() {
        return Some(Answer::KeepWindow);
    }
    answer
}

fn buttons_ui(close_phase: ClosePhase, ui: &mut Ui) -> Option<Answer> {
    let mut answer = None;
    let keep = commands::info(commands::COMMANDS, UiCommand::KeepWindow);
    let keep = keep.primary_button(None, ui);
    let mut has_focus = keep.has_focus();
    if keep.clicked() {
        answer = Some(Answer::KeepWindow);
    }
    let mut other = |text: &str, given| {
        let button = ui.button(text);
        has_focus |= button.has_focus();
        if button.clicked() {
            answer = Some(given);
        }
    };
    if close_phase == ClosePhase::Asking {
        other("Wait and quit", Answer::WaitAndQuit);
    }
    if close_phase != ClosePhase::Cancelling {
        other("Cancel and quit", Answer::CancelAndQuit);
        other("Keep running without the window", Answer::KeepRunning);
    }
    if close_phase == ClosePhase::Cancelling {
        other("Quit now", Answer::QuitNow);
    }
    if !has_focus {
        keep.request_focus();
    }
    answer
}
