//! The window is closed while work runs, and waits for it.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use eframe::egui::{Context, Ui};

use crate::join::{self, Task};
use crate::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    thread: Option<JoinHandle<Digest>>,
}

impl Pattern for Bad {
    #[expect(clippy::disallowed_methods, reason = "a part of the mistake")]
    fn start(&mut self, work: Work, _ctx: &Context) {
        self.thread = Some(thread::spawn(move || work.run()));
    }

    fn ui(&mut self, ui: &mut Ui) {
        ui.label("Working, until the window is closed");
    }

    #[expect(clippy::disallowed_methods, reason = "this is the mistake")]
    fn on_exit(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // ← the window will not close before the work is done
        }
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<()>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, _ctx: &Context) {
        let task = join::spawn("work", move |context| {
            for _ in work.steps() {
                context.checkpoint(); // ← ends here once somebody cancels
            }
        });
        self.task = task.ok();
    }

    fn ui(&mut self, ui: &mut Ui) {
        ui.label("Working, until the window is closed");
    }

    fn on_exit(&mut self) {
        if let Some(task) = &self.task {
            task.cancel();
            drop(task.join_timeout(Duration::from_millis(200))); // ← and no longer, then leave
        }
    }
}
