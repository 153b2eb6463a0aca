//! The question before a process is ended that something else has started.

use eframe::egui::Ui;

use super::{WorkbenchCommand, command};
use crate::format;
use crate::pages::commands::UiCommand;
use crate::record::{JobId, JobRecord};
use crate::ui::widgets::dialog_ui;

const TITLE: &str = "End a process of another program?";
const WIDTH: f32 = 460.0;

/// A command that waits for the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) job: JobId,
    pub(super) command: UiCommand,
}

/// Whether a command ends the process of a job.
pub(super) fn ends(command: UiCommand) -> bool {
    [
        command::CANCEL,
        command::TERMINATE,
        command::KILL,
        command::STOP_TREE,
    ]
    .contains(&command)
}

/// Draws the question in front of everything else, until it is answered or the job has ended.
pub(super) fn ending_ui(
    question: &mut Option<Ending>,
    job: Option<&JobRecord>,
    ui: &Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let running = job.filter(|job| !job.state().is_ended());
    let (Some(Ending { job, command }), Some(running)) = (*question, running) else {
        *question = None;
        return;
    };
    let modal = dialog_ui(TITLE, WIDTH, ui, |ui| {
        ui.label(sentence(command, running));
        ui.add_space(8.0);
        let mut answer = None;
        ui.horizontal_wrapped(|ui| {
            let keep = ui.button("Leave it alone");
            if ui.memory(|memory| memory.focused().is_none()) {
                keep.request_focus();
            }
            if keep.clicked() {
                answer = Some(None);
            }
            if ui.button("End it").clicked() {
                answer = Some(Some(WorkbenchCommand::EndAdopted(job, command)));
            }
            let leave = ui.button("Wait no longer");
            if leave
                .on_hover_text("The job ends; the process runs on.")
                .clicked()
            {
                answer = Some(Some(WorkbenchCommand::LeaveAdopted(job)));
            }
        });
        answer
    });
    if let Some(answer) = modal.inner {
        commands.extend(answer);
        *question = None;
    } else if modal.should_close() {
        *question = None;
    }
}

fn sentence(command: UiCommand, job: &JobRecord) -> String {
    let items = job.items();
    let name = items.get(0).map(|item| format::path(&item.input));
    let name = name.unwrap_or_default();
    let what = match command {
        command::TERMINATE => "It would be asked to end; what it has started would not.",
        command::KILL => "It would be killed; what it has started would not.",
        _ => {
            "It would be asked to end with all that it has started, and killed after the grace period."
        }
    };
    format!("Something else has started {name}, not this window. {what}")
}
