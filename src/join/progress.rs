//! The progress that a task reports.

use std::sync::Arc;

use super::info::Progress;
use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// The latest report. The numbers are stored separately, so a reader may see `done` and `total` of
/// two reports.
pub(crate) struct ProgressCell {
    done: AtomicU64,
    total: AtomicU64,
    message: Mutex<Option<Arc<str>>>,
}

impl ProgressCell {
    pub(crate) fn new() -> Self {
        Self {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            message: Mutex::new(None),
        }
    }

    pub(crate) fn get(&self) -> Progress {
        Progress {
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            message: lock(&self.message).clone(),
        }
    }

    #[inline]
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn set_message(&self, text: Arc<str>) {
        *lock(&self.message) = Some(text);
    }
}
