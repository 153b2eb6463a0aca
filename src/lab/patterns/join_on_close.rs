//! The window is closed while work runs. The bad variant waits for the work.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use eframe::egui::{Context, Ui};
use meanwhile::join::{self, Cancelled, Task};
use meanwhile::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    thread: Option<JoinHandle<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        let thread = thread::Builder::new().name("work".to_owned());
        self.thread = thread.spawn(move || work.run()).ok();
    }

    fn ui(&mut self, ui: &mut Ui) {
        ui.label("Working, until the window is closed");
    }

    fn on_exit(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // ← the window does not close before the work ends
        }
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Result<(), Cancelled>>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, _ctx: &Context) {
        let steps = join::cancellable(move |context| {
            for _ in work.steps() {
                context.check()?; // ← ends the task here once it is cancelled
            }
            Ok(())
        });
        self.task = join::spawn("work", steps).ok();
    }

    fn ui(&mut self, ui: &mut Ui) {
        ui.label("Working, until the window is closed");
    }

    fn on_exit(&mut self) {
        if let Some(task) = &self.task {
            task.cancel();
            drop(task.join_timeout(Duration::from_millis(200))); // ← waits this long at most
        }
    }
}
