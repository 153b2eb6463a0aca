//! Workers report millions of updates. The bad variant wakes the window for each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use eframe::egui::{Context, Ui};
use meanwhile::join::{Builder, Changes, Task};
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[derive(Default)]
pub(super) struct Bad {
    done: Arc<AtomicU64>,
    tasks: Vec<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        let tasks = (0..cores()).filter_map(|_| {
            let (work, counter, waker) = (work.clone(), self.done.clone(), ctx.clone());
            spawn(ctx, move || {
                for _ in work.small_steps() {
                    counter.fetch_add(1, Ordering::Relaxed);
                    waker.request_repaint(); // ← takes a lock that the UI thread needs too
                }
                work.digest()
            })
        });
        self.tasks = tasks.collect();
    }

    fn ui(&mut self, ui: &mut Ui) {
        let done = self.done.load(Ordering::Relaxed);
        ui.label(format!("step {done}"));
        task_ui(self.tasks.first(), ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    changes: Option<Changes>,
    tasks: Vec<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        let ctx = ctx.clone();
        let changes = Changes::new(move || ctx.request_repaint()); // ← at most one pending wake-up
        let tasks = (0..cores()).filter_map(|_| {
            let work = work.clone();
            let task = Builder::new("work")
                .report_to(&changes)
                .spawn(move |context| {
                    for done in work.small_steps() {
                        context.set_progress(done, 0);
                    }
                    work.digest()
                });
            task.ok()
        });
        self.tasks = tasks.collect();
        self.changes = Some(changes);
    }

    fn logic(&mut self, _ctx: &Context) {
        if let Some(changes) = &self.changes {
            changes.take(usize::MAX); // ← allows the next wake-up
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        let done: u64 = self.tasks.iter().map(|task| task.progress().done).sum();
        ui.label(format!("step {done}"));
        task_ui(self.tasks.first(), ui);
    }
}
