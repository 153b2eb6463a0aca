//! The result is waited for by drawing, and a minimised window draws nothing.

use eframe::egui::{Context, Ui};

use super::{spawn, task_ui};
use crate::join::Task;
use crate::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = spawn(ctx, move || work.run());
    }

    fn ui(&mut self, ui: &mut Ui) {
        if let Some(Some(Ok(result))) = self.task.as_ref().map(Task::poll) {
            result.hand_on(); // ← not before somebody looks at the window
        }
        task_ui(self.task.as_ref(), ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = spawn(ctx, move || work.run());
    }

    fn logic(&mut self, _ctx: &Context) {
        if let Some(Some(Ok(result))) = self.task.as_ref().map(Task::poll) {
            result.hand_on(); // ← also while the window is hidden
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}
