//! The window reports work that takes longer than a second. The bad variant waits that second.

use std::time::{Duration, Instant};

use eframe::egui::{Context, Ui};
use meanwhile::join::{JoinError, Task};
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

const TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
    is_late: bool,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = spawn(ctx, move || work.run());
        if let Some(task) = &self.task {
            let joined = task.join_timeout(TIMEOUT); // ← blocks the window for up to a second
            self.is_late = matches!(joined, Err(JoinError::TimedOut));
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        if self.is_late {
            ui.label("Still running after 1 s");
        }
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
    deadline: Option<Instant>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = spawn(ctx, move || work.run());
        self.deadline = Some(Instant::now() + TIMEOUT); // ← waiting is a field, not a call
        ctx.request_repaint_after(TIMEOUT);
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        let is_running = self.task.as_ref().is_some_and(|task| !task.is_finished());
        if is_running && self.deadline.is_some_and(|at| Instant::now() >= at) {
            ui.label("Still running after 1 s");
        }
    }
}
