//! The user picks a file. The bad variant blocks the UI thread while the dialog is open.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use eframe::egui::{Context, Ui};
use meanwhile::join::Task;
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};
use rfd::FileHandle;

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        let file = rfd::FileDialog::new().pick_file(); // ← blocks until the user has picked a file
        if file.is_some() {
            self.task = spawn(ctx, move || work.run());
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
    }
}

type Dialog = Pin<Box<dyn Future<Output = Option<FileHandle>>>>;

#[derive(Default)]
pub(super) struct Fixed {
    open: Option<(Dialog, Work)>,
    task: Option<Task<Digest>>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, _ctx: &Context) {
        let dialog = rfd::AsyncFileDialog::new().pick_file(); // ← returns at once
        self.open = Some((Box::pin(dialog), work));
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        let Some((dialog, work)) = &mut self.open else {
            return;
        };
        let waker = Waker::from(Arc::new(WakeWindow(ui.ctx().clone())));
        let mut context = std::task::Context::from_waker(&waker);
        match dialog.as_mut().poll(&mut context) {
            // ← polls once a frame
            Poll::Pending => drop(ui.label("Choose a file")),
            Poll::Ready(file) => {
                let work = work.clone();
                self.task = file.and_then(|_| spawn(ui.ctx(), move || work.run()));
                self.open = None;
            }
        }
    }
}

struct WakeWindow(Context);

impl Wake for WakeWindow {
    fn wake(self: Arc<Self>) {
        self.0.request_repaint();
    }
}
