//! The worker wakes the window for each of millions of updates.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eframe::egui::{Context, Ui};

use super::{spawn, task_ui};
use crate::join::{Builder, Changes, Task};
use crate::lab::{Digest, Pattern, Work};

#[derive(Default)]
pub(super) struct Bad {
    done: Arc<AtomicU64>,
    task: Option<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        let (counter, wakes) = (self.done.clone(), ctx.clone());
        self.task = spawn(ctx, move || {
            for done in work.small_steps() {
                counter.store(done, Ordering::Relaxed);
                wakes.request_repaint(); // ← takes a lock that the window needs for its frame
            }
            work.digest()
        });
    }

    fn ui(&mut self, ui: &mut Ui) {
        let done = self.done.load(Ordering::Relaxed);
        ui.label(format!("step {done}"));
        task_ui(self.task.as_ref(), ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    changes: Option<Changes>,
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        let ctx = ctx.clone();
        let changes = Changes::new(move || ctx.request_repaint()); // ← one wake at a time
        let builder = Builder::new("work").report_to(&changes);
        self.changes = Some(changes);
        let task = builder.spawn(move |context| {
            for done in work.small_steps() {
                context.set_progress(done, 0);
            }
            work.digest()
        });
        self.task = task.ok();
    }

    fn logic(&mut self, _ctx: &Context) {
        if let Some(changes) = &self.changes {
            changes.take(usize::MAX); // ← and the next one only when this frame has begun
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        if let Some(task) = &self.task {
            ui.label(format!("step {}", task.progress().done));
        }
        task_ui(self.task.as_ref(), ui);
    }
}
