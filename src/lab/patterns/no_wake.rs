//! A window without input draws no frame. The bad worker ends without requesting one.

use eframe::egui::{Context, Ui};
use meanwhile::join::{self, Task};
use meanwhile::lab::{Digest, Pattern, Work, task_ui};

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        self.task = join::spawn("work", move |_| work.run()).ok(); // ← ends without a wake-up
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
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
