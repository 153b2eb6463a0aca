//! New bytes of a stream, as a select awaits them.

use std::sync::Arc;

use super::super::waiters::{Awaited, Waiter};
use super::output::StreamCapture;

/// The bytes after the first `offset` bytes of a stream, or its end. Who reads the stream is borrowed by
/// the select, so the offset stays right.
pub(super) struct News {
    pub(super) process_id: u32,
    pub(super) capture: Arc<StreamCapture>,
    pub(super) offset: u64,
    /// Whether there are some without more bytes.
    pub(super) are_there: bool,
}

impl News {
    pub(super) fn awaited(self) -> Arc<dyn Awaited> {
        Arc::new(self)
    }
}

impl Awaited for News {
    fn process_id(&self) -> Option<u32> {
        Some(self.process_id)
    }

    fn is_ready(&self) -> bool {
        self.are_there || self.capture.has_news(self.offset)
    }

    fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        self.capture.add_waiter(self.offset, waiter)
    }

    fn remove_waiter(&self, ticket: u64) {
        self.capture.remove_waiter(ticket);
    }
}
