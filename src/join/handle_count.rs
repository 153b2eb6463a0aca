//! The number of handles to a task.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The handles to a task, and one more until the task has ended.
pub(crate) struct HandleCount {
    count: AtomicUsize,
    ended_detached: AtomicBool,
}

impl HandleCount {
    /// The count of a task without a handle.
    pub(crate) fn new() -> Self {
        Self {
            count: AtomicUsize::new(1),
            ended_detached: AtomicBool::new(false),
        }
    }

    pub(crate) fn add(&self) {
        // A handle is made from another one, so the count can't reach zero meanwhile.
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a dropped handle. Returns true if it was the last one and the task has ended.
    #[must_use]
    pub(crate) fn remove(&self) -> bool {
        self.count.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Counts the end of the task, after its outcome is stored.
    pub(crate) fn end(&self) {
        if self.remove() {
            self.ended_detached.store(true, Ordering::Relaxed);
        }
    }

    /// Whether no handle was left when the task ended. Must be called by the thread that ended it.
    pub(crate) fn ended_detached(&self) -> bool {
        self.ended_detached.load(Ordering::Relaxed)
    }

    /// Whether no handle is left. Must be called before the task has ended.
    pub(crate) fn is_detached(&self) -> bool {
        self.count.load(Ordering::Acquire) == 1
    }
}
