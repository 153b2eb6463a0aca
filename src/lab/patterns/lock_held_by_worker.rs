//! Worker and window share their state. The bad worker holds its lock while it computes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eframe::egui::{Context, Ui};
use meanwhile::lab::{Digest, Pattern, Work, spawn};

#[derive(Clone, Default)]
struct Progress {
    steps: u32,
    result: Option<Digest>,
}

type Shared = Arc<Mutex<Progress>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Progress> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn progress_ui(progress: &Progress, ui: &mut Ui) {
    ui.label(format!("{} steps done", progress.steps));
    if let Some(result) = &progress.result {
        result.ui(ui);
    }
}

#[derive(Default)]
pub(super) struct Bad {
    shared: Shared,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        let shared = self.shared.clone();
        drop(spawn(ctx, move || {
            let mut steps = work.steps();
            loop {
                let mut progress = lock(&shared); // ← held while the next step is computed
                let Some(done) = steps.next() else {
                    progress.result = Some(work.digest());
                    return work.digest();
                };
                progress.steps = done;
            }
        }));
    }

    fn ui(&mut self, ui: &mut Ui) {
        progress_ui(&lock(&self.shared), ui); // ← waits for the worker
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    shared: Shared,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        let shared = self.shared.clone();
        drop(spawn(ctx, move || {
            for done in work.steps() {
                lock(&shared).steps = done; // ← the step is done; held for one store
            }
            lock(&shared).result = Some(work.digest());
            work.digest()
        }));
    }

    fn ui(&mut self, ui: &mut Ui) {
        let progress = lock(&self.shared).clone();
        progress_ui(&progress, ui);
    }
}
