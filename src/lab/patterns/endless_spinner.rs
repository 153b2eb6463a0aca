//! A spinner shows that work runs. The bad variant keeps it spinning after the work has ended.

use std::time::{Duration, Instant};

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
        if self.task.is_some() {
            ui.spinner(); // ← requests another frame each time, also after the end
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
        let is_running = self.task.as_ref().is_some_and(|task| !task.is_finished());
        if let Some(started) = self.started.filter(|_| is_running) {
            let ticks = started.elapsed().as_millis() / 500;
            ui.label(["◐", "◑"][usize::from(ticks % 2 == 1)]);
            ui.ctx().request_repaint_after(Duration::from_millis(500)); // ← only while work runs
        }
    }
}
