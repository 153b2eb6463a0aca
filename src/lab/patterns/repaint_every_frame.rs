//! While work runs, every frame asks for the next one, to see whether it is done.

use eframe::egui::{Context, Ui};

use super::task_ui;
use crate::join::{self, Task};
use crate::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        self.task = join::spawn("work", move |_| work.run()).ok();
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        if self.task.as_ref().is_some_and(Task::is_alive) {
            ui.ctx().request_repaint(); // ← as many frames as the machine can draw
        }
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = join::spawn("work", move |_| work.run()).ok();
        if let Some(task) = &self.task {
            let ctx = ctx.clone();
            task.on_finish(move || ctx.request_repaint()); // ← one frame, when there is news
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}
