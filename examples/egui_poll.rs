//! A window that starts a long task, shows its progress and its result, and cancels it. No frame waits
//! for it.
//!
//! `cargo run --example egui_poll`

use eframe::egui;
use meanwhile::join::{
    Builder, Cancelled, Changes, Context, JoinError, SpawnError, Task, cancellable,
};

fn main() -> eframe::Result {
    eframe::run_native(
        "Poll",
        eframe::NativeOptions::default(),
        Box::new(|cc| Ok(Box::new(Window::new(&cc.egui_ctx)))),
    )
}

type PrimesTask = Task<Result<u64, Cancelled>>;

struct Window {
    changes: Changes,
    task: Option<Result<PrimesTask, SpawnError>>,
}

impl Window {
    /// The window is repainted when a task has changed, and not before.
    fn new(ctx: &egui::Context) -> Self {
        let ctx = ctx.clone();
        Self {
            changes: Changes::new(move || ctx.request_repaint()),
            task: None,
        }
    }
}

impl eframe::App for Window {
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
        Some(Err(error)) => ui.label(error.to_string()), // such as a panic, with its location
        None => {
            if ui.button("Cancel").clicked() {
                task.cancel();
            }
            let progress = task.progress();
            let bar = egui::ProgressBar::new(progress.fraction().unwrap_or(0.0));
            ui.add(bar.text(progress.to_string()))
        }
    }
}

fn count_primes(context: &Context) -> Result<u64, Cancelled> {
    let limit = 2_000_000;
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
