//! The worker panics. The bad variant unwraps the join's result on the UI thread.

use std::thread::{self, JoinHandle};

use eframe::egui::{Context, Ui};
use meanwhile::join::Task;
use meanwhile::lab::{Digest, Pattern, Work, spawn};

fn work_and_panic(work: &Work) -> Digest {
    drop(work.run());
    panic!("a bug in the worker")
}

#[derive(Default)]
pub(super) struct Bad {
    thread: Option<JoinHandle<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, _ctx: &Context) {
        let thread = thread::Builder::new().name("work".to_owned());
        self.thread = thread.spawn(move || work_and_panic(&work)).ok();
    }

    fn ui(&mut self, ui: &mut Ui) {
        ui.label("Working…");
        if let Some(thread) = self.thread.take_if(|thread| thread.is_finished()) {
            thread.join().unwrap().ui(ui); // ← panics too, and ends the window
        }
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    work: Option<Work>,
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.work = Some(work.clone());
        self.task = spawn(ctx, move || work_and_panic(&work));
    }

    fn ui(&mut self, ui: &mut Ui) {
        let (Some(work), Some(task)) = (&self.work, &self.task) else {
            return;
        };
        match task.poll() {
            None => drop(ui.label("Working…")),
            Some(Ok(result)) => result.ui(ui),
            Some(Err(error)) => work.failure_ui(&error.to_string(), ui), // ← just an error
        }
    }
}
