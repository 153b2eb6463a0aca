//! Work is spread over threads. The bad variant starts many more than there are cores.

use std::thread;

use eframe::egui::{Context, Ui};
use meanwhile::join::{Builder, Pool, Priority, Task};
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        for _ in 0..16 * cores() {
            let work = work.clone();
            let thread = thread::Builder::new().name("work".to_owned());
            drop(thread.spawn(move || work.run())); // ← each with the priority of the window
        }
        self.task = spawn(ctx, move || work.run());
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    pool: Option<Pool>,
    tasks: Vec<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        let pool = Pool::builder()
            .threads(cores()) // ← as many as can run at once
            .priority(Priority::Background); // ← yields to the window
        self.pool = pool.build().ok();
        if let Some(pool) = &self.pool {
            let tasks = (0..cores()).map(|_| {
                let work = work.clone();
                Builder::new("work").spawn_on(pool, move |_| work.run())
            });
            self.tasks = tasks.filter_map(Result::ok).collect();
        }
        for task in &self.tasks {
            let ctx = ctx.clone();
            task.on_finish(move || ctx.request_repaint());
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.tasks.first(), ui);
    }
}
