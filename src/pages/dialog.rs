//! File dialogs, behind a trait so that tests can answer them.

use eframe::egui;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::PageId;
use crate::desktop::file_dialog;
pub use crate::desktop::file_dialog::{DialogAnswer, DialogRequest};

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
        Box::pin(file_dialog::show(request, frame))
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
