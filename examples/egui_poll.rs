//! An egui window that starts, shows and cancels a long task. No frame waits for it.
//!
//! `cargo run --example minimal`

use eframe::egui;
use meanwhile::join::{
    Builder, Cancelled, Changes, Context, JoinError, SpawnError, Task, cancellable,
};

fn main() -> eframe::Result {
    eframe::run_native(
        "Minimal",
        eframe::NativeOptions::default(),
        Box::new(|cc| Ok(Box::new(Minimal::new(&cc.egui_ctx)))),
    )
}

type PrimesTask = Task<Result<u64, Cancelled>>;

struct Minimal {
    changes: Changes,
    task: Option<Result<PrimesTask, SpawnError>>,
}

impl Minimal {
    /// The window is repainted when a task has changed, and not before.
    fn new(ctx: &egui::Context) -> Self {
        let ctx = ctx.clone();
        Self {
            changes: Changes::new(move || ctx.request_repaint()),
            task: None,
        }
    }
}

impl eframe::App for Minimal {
    /// Also runs while the window is hidden. Emptying the queue lets the next change wake the window.
    fn logic(&mut self, _ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.changes.take(usize::MAX);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        egui::CentralPanel::default().show(ui, |ui| {
            if ui.button("Start").clicked() {
                let builder = Builder::new("count primes").report_to(&self.changes);
                self.task = Some(builder.spawn(cancellable(count_primes)));
            }
            match &self.task {
                None => ui.label("Nothing started"),
                Some(Err(error)) => ui.label(error.to_string()),
                Some(Ok(task)) => task_ui(task, ui),
            };
        });
    }
}

fn task_ui(task: &PrimesTask, ui: &mut egui::Ui) -> egui::Response {
    match task.poll() {
        Some(Ok(Ok(primes))) => ui.label(format!("{primes} primes")),
        Some(Ok(Err(Cancelled)) | Err(JoinError::Cancelled)) => ui.label("Cancelled"),
        Some(Err(JoinError::Panicked(report))) => ui.label(report.to_string()),
        Some(Err(error)) => ui.label(error.to_string()),
        None => {
            if ui.button("Cancel").clicked() {
                task.cancel();
            }
            let progress = task.progress();
            ui.label(format!("{} of {} numbers", progress.done, progress.total))
        }
    }
}

fn count_primes(context: &Context) -> Result<u64, Cancelled> {
    let limit = 200_000;
    let is_prime = |n: u64| {
        (2..n)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
    };
    let mut primes = 0;
    for n in 2..limit {
        context.check()?;
        context.set_progress(n, limit);
        primes += u64::from(is_prime(n));
    }
    Ok(primes)
}
