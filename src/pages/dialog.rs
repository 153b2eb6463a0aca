//! File dialogs, behind a trait so that tests can answer them.

use eframe::egui;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::PageId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogRequest {
    /// Pick any number of files.
    Files,
    /// Pick any number of folders.
    Folders,
    /// Pick one file.
    File { title: String },
    /// Pick one folder.
    Folder { title: String },
    /// Pick a path for a new file.
    Save { title: String, file_name: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogAnswer {
    /// The user picked these paths, at least one.
    Picked(Vec<PathBuf>),
    Cancelled,
    /// No dialog could be shown.
    Unavailable,
}

/// An open dialog. The frame loop polls it, so its `poll` must not block.
pub type DialogFuture = Pin<Box<dyn Future<Output = DialogAnswer>>>;

pub trait Dialogs {
    /// Opens a dialog in front of the window that `frame` belongs to.
    fn open(&mut self, request: DialogRequest, frame: &eframe::Frame) -> DialogFuture;
}

/// The dialogs of the desktop.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeDialogs;

impl Dialogs for NativeDialogs {
    fn open(&mut self, request: DialogRequest, frame: &eframe::Frame) -> DialogFuture {
        let dialog = rfd::AsyncFileDialog::new().set_parent(frame);
        match request {
            DialogRequest::Files => Box::pin(pick_many(dialog.set_title("Add files").pick_files())),
            DialogRequest::Folders => {
                Box::pin(pick_many(dialog.set_title("Add a folder").pick_folders()))
            }
            DialogRequest::File { title } => {
                Box::pin(pick_one(dialog.set_title(title).pick_file()))
            }
            DialogRequest::Folder { title } => {
                Box::pin(pick_one(dialog.set_title(title).pick_folder()))
            }
            DialogRequest::Save { title, file_name } => {
                let dialog = dialog.set_title(title).set_file_name(file_name);
                Box::pin(pick_one(dialog.save_file()))
            }
        }
    }
}

/// On Linux, rfd returns an empty list if the user cancels, and `None` only if neither the desktop
/// portal nor zenity could show a dialog. On other systems `None` is a cancel.
async fn pick_many(dialog: impl Future<Output = Option<Vec<rfd::FileHandle>>>) -> DialogAnswer {
    match dialog.await {
        Some(files) if files.is_empty() => DialogAnswer::Cancelled,
        Some(files) => {
            DialogAnswer::Picked(files.iter().map(|file| file.path().to_owned()).collect())
        }
        None if cfg!(target_os = "linux") => DialogAnswer::Unavailable,
        None => DialogAnswer::Cancelled,
    }
}

/// For a single path rfd returns `None` in both cases. No user closes a dialog within this time.
const MIN_CANCEL_TIME: Duration = Duration::from_millis(250);

async fn pick_one(dialog: impl Future<Output = Option<rfd::FileHandle>>) -> DialogAnswer {
    let opened = Instant::now();
    match dialog.await {
        Some(file) => DialogAnswer::Picked(vec![file.path().to_owned()]),
        None if cfg!(target_os = "linux") && opened.elapsed() < MIN_CANCEL_TIME => {
            DialogAnswer::Unavailable
        }
        None => DialogAnswer::Cancelled,
    }
}

/// The one dialog that can be open.
pub(crate) struct DialogSlot {
    dialogs: Box<dyn Dialogs>,
    requested: Option<(PageId, DialogRequest)>,
    open: Option<(PageId, DialogFuture)>,
}

impl DialogSlot {
    pub(crate) fn new(dialogs: Box<dyn Dialogs>) -> Self {
        Self {
            dialogs,
            requested: None,
            open: None,
        }
    }

    /// Whether a dialog is open, or opens at the end of the frame.
    pub(crate) fn is_open(&self) -> bool {
        self.requested.is_some() || self.open.is_some()
    }

    /// Opens a dialog for a page at the end of the frame. Returns `false` if one is open already.
    pub(crate) fn request(&mut self, page: PageId, request: DialogRequest) -> bool {
        let is_free = !self.is_open();
        if is_free {
            self.requested = Some((page, request));
        }
        is_free
    }

    /// Opens the requested dialog in front of the window that `frame` belongs to.
    pub(crate) fn open_requested(&mut self, frame: &eframe::Frame) {
        if let Some((page, request)) = self.requested.take() {
            self.open = Some((page, self.dialogs.open(request, frame)));
        }
    }

    /// The answer of the open dialog, and the page that asked.
    pub(crate) fn poll(&mut self, ctx: &egui::Context) -> Option<(PageId, DialogAnswer)> {
        let (_, future) = self.open.as_mut()?;
        let waker = Waker::from(Arc::new(WakeWindow(ctx.clone())));
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        let Poll::Ready(answer) = poll else {
            return None;
        };
        let (page, _) = self.open.take()?;
        Some((page, answer))
    }
}

/// The frame loop is the executor: an answer asks for a frame.
struct WakeWindow(egui::Context);

impl Wake for WakeWindow {
    fn wake(self: Arc<Self>) {
        self.0.request_repaint();
    }
}
