//! The click handler starts background work. The bad variant joins it at once.

use std::thread;

use eframe::egui::{Context, Ui};
use meanwhile::join::{self, Task};
use meanwhile::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    result: Option<Digest>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        let thread = thread::Builder::new().name("work".to_owned());
        if let Ok(thread) = thread.spawn(move || work.run()) {
            self.result = thread.join().ok(); // ← blocks the window until the work ends
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        match &self.result {
            Some(result) => result.ui(ui),
            None => drop(ui.label("Nothing yet")),
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
            task.on_finish(move || ctx.request_repaint()); // ← wakes the window at the end
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        match self.task.as_ref().map(Task::poll) {
            Some(Some(Ok(result))) => result.ui(ui), // ← `poll` never waits
            Some(Some(Err(error))) => drop(ui.label(error.to_string())),
            Some(None) => drop(ui.label("Working…")),
            None => drop(ui.label("Nothing yet")),
        }
    }
}
