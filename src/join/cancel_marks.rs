//! What the code of a task has done about its cancel.

use std::sync::atomic::{AtomicBool, Ordering};

/// The code may run on several threads. The thread of the task waits for the others before it reads
/// the marks, which orders the accesses.
#[derive(Default)]
pub(crate) struct CancelMarks {
    check_failed: AtomicBool,
    gave_up: AtomicBool,
    helper_unwound: AtomicBool,
}

impl CancelMarks {
    /// A [`check`](super::Context::check) has returned the cancel.
    pub(crate) fn mark_failed_check(&self) {
        self.check_failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_failed_check(&self) -> bool {
        self.check_failed.load(Ordering::Relaxed)
    }

    /// The value that the closure returns is no outcome: it ended because of the cancel.
    pub(crate) fn mark_given_up(&self) {
        self.gave_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_given_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }

    /// A checkpoint has unwound a thread that does not run the task.
    pub(crate) fn mark_unwound_helper(&self) {
        self.helper_unwound.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_unwound_helper(&self) -> bool {
        self.helper_unwound.load(Ordering::Relaxed)
    }
}
