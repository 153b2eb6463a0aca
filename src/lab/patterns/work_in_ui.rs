//! The work is done where the click is handled.

use eframe::egui::{Context, Ui};

use super::{spawn, task_ui};
use crate::join::Task;
use crate::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    result: Option<Digest>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        self.result = Some(work.run()); // ← no frame until the work is done
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
        self.task = spawn(ctx, move || work.run()); // ← on a thread of its own
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}
