//! The worker reports every step. The bad variant receives all reports in each frame.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};

use eframe::egui::{Context, Ui};
use meanwhile::join::{self, Task};
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

/// An upper bound, so that memory does not run out first.
const MAX_MESSAGES: u64 = 3_000_000;
const MAX_LINES: usize = 1_000;

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
    messages: Option<Receiver<u64>>,
    log: VecDeque<String>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        let (sender, receiver) = channel();
        self.messages = Some(receiver);
        self.task = spawn(ctx, move || {
            for done in work.small_steps() {
                if done <= MAX_MESSAGES && sender.send(done).is_err() {
                    break;
                }
            }
            work.digest()
        });
    }

    fn ui(&mut self, ui: &mut Ui) {
        let messages = self.messages.iter().flat_map(Receiver::try_iter);
        for message in messages {
            // ← all of them, while more arrive
            self.log.push_back(format!("step {message}"));
            if self.log.len() > MAX_LINES {
                self.log.pop_front();
            }
        }
        task_ui(self.task.as_ref(), ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        let task = join::spawn("work", move |context| {
            for done in work.small_steps() {
                context.set_progress(done, 0); // ← one number, overwritten each time
            }
            work.digest()
        });
        self.task = task.ok();
        if let Some(task) = &self.task {
            let ctx = ctx.clone();
            task.on_finish(move || ctx.request_repaint());
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        if let Some(task) = &self.task {
            ui.label(format!("step {}", task.progress().done));
        }
        task_ui(self.task.as_ref(), ui);
    }
}
