//! The window looks for the result. The bad variant redraws all the time to see it.

use eframe::egui::{Context, Ui};
use meanwhile::join::{self, Task};
use meanwhile::lab::{Digest, Pattern, Work, task_ui};

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
        if self.task.as_ref().is_some_and(|task| !task.is_finished()) {
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
            task.on_finish(move || ctx.request_repaint()); // ← one frame, at the end
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}
