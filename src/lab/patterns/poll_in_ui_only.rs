//! The result is used as soon as it is there. A minimised window draws nothing, so polling in `ui`
//! alone delays it.

use eframe::egui::{Context, Ui};
use meanwhile::join::Task;
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

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
            result.mark_used(); // ← not while the window is minimised
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
            result.mark_used(); // ← also while the window is minimised
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}
