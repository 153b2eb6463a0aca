//! A click starts long work. The bad variant does it in the click handler.

use eframe::egui::{Context, Ui};
use meanwhile::join::Task;
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

#[derive(Default)]
pub(super) struct Bad {
    result: Option<Digest>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        self.result = Some(work.run()); // ← no frame until the work ends
    }

    fn ui(&mut self, ui: &mut Ui) {
        if let Some(result) = &self.result {
            result.ui(ui);
        }
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = spawn(ctx, move || work.run()); // ← runs on another thread
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}
