//! A spinner that turns on when there is nothing to wait for any more.

use std::time::{Duration, Instant};

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
        if self.task.is_some() {
            ui.spinner(); // ← asks for the next frame, and the next, after the end too
        }
        task_ui(self.task.as_ref(), ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
    started: Option<Instant>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.task = spawn(ctx, move || work.run());
        self.started = Some(Instant::now());
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        let is_running = self.task.as_ref().is_some_and(Task::is_alive);
        if let Some(started) = self.started.filter(|_| is_running) {
            let halves = started.elapsed().as_millis() / 500;
            ui.label(["◐", "◑"][usize::from(halves % 2 == 1)]);
            ui.ctx().request_repaint_after(Duration::from_millis(500)); // ← slowly, and only now
        }
    }
}
