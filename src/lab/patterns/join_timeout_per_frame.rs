//! Each frame waits a little for the task: not long, but each of them.

use std::time::Duration;

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
        if let Some(task) = &self.task {
            drop(task.join_timeout(Duration::from_millis(50))); // ← 20 frames a second at most
            if task.is_alive() {
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
        task_ui(self.task.as_ref(), ui); // ← `poll` asks and does not wait
    }
}
