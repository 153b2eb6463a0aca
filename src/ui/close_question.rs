//! The question before the window closes over running work.

use eframe::egui::{Id, Modal, RichText, Ui};

use super::widgets::primary_button;
use crate::format;

/// How far closing the window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The user is asked.
    Asking,
    /// The window closes when the work has ended.
    Waiting,
    /// The window closes now; the program goes on until the work has ended.
    KeepingOn,
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
    /// Don't leave.
    KeepWindow,
}

/// Draws the question in front of everything else. Returns an answer when the user gives one.
pub(crate) fn close_question_ui(leaving: Leaving, running_jobs: usize, ui: &Ui) -> Option<Answer> {
    let mut answer = None;
    let modal = Modal::new(Id::unique("close question")).show(ui.ctx(), |ui| {
        ui.set_width(560.0);
        ui.heading("Work is still running");
        let jobs = format::plural(running_jobs, "job has", "jobs have");
        ui.label(match leaving {
            Leaving::Asking => {
                format!("{jobs} not ended. Unsaved results are lost with the window.")
            }
            Leaving::Waiting => {
                format!("{jobs} not ended. The window closes when all have ended.")
            }
            Leaving::KeepingOn => format!("{jobs} not ended. The program goes on until then."),
            Leaving::Cancelling => format!("Cancelling: {jobs} not stopped yet."),
        });
        ui.add_space(8.0);
        ui.horizontal(|ui| answer = buttons_ui(leaving, ui));
        ui.label(RichText::new("Esc keeps the window.").weak().small());
    });
    if modal.should_close() {
        return Some(Answer::KeepWindow);
    }
    answer
}

fn buttons_ui(leaving: Leaving, ui: &mut Ui) -> Option<Answer> {
    let mut answer = None;
    let keep = primary_button(ui, "Keep the window", true);
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
    if leaving == Leaving::Asking {
        other("Wait and quit", Answer::WaitAndQuit);
    }
    if leaving != Leaving::Cancelling {
        other("Cancel and quit", Answer::CancelAndQuit);
        other("Keep running without the window", Answer::KeepRunning);
    }
    if leaving == Leaving::Cancelling {
        other("Quit now", Answer::QuitNow);
    }
    if !has_focus {
        keep.request_focus();
    }
    answer
}
