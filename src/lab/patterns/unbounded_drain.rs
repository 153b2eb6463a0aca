//! The worker tells of every step, and each frame takes in all there is.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};

use eframe::egui::{Context, Ui};

use super::{spawn, task_ui};
use crate::join::{self, Task};
use crate::lab::{Digest, Pattern, Work};

/// So many at most, or the memory would be what is missing first.
const MESSAGES: u64 = 3_000_000;
const KEPT: usize = 1_000;

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
                if done <= MESSAGES && sender.send(done).is_err() {
                    break;
                }
            }
            work.digest()
        });
    }

    fn ui(&mut self, ui: &mut Ui) {
        let messages = self.messages.iter().flat_map(Receiver::try_iter);
        for message in messages {
            // ← all of them, however many, while more come in
            self.log.push_back(format!("step {message}"));
            if self.log.len() > KEPT {
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
                context.set_progress(done, 0); // ← one number, and only the newest counts
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
