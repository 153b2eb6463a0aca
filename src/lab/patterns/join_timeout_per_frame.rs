//! Each frame looks for the result. The bad variant waits a little for it, in every frame.

use std::time::Duration;

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
        if let Some(task) = &self.task {
            drop(task.join_timeout(Duration::from_millis(50))); // ← at most 20 frames a second
            if !task.is_finished() {
                ui.ctx().request_repaint();
            }
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

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui); // ← `poll` inside never waits
    }
}
