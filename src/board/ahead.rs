use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::join::Context;

/// How long a planner that waits goes without asking whether it was cancelled.
const SLICE: Duration = Duration::from_millis(50);

/// How far a planner may be ahead of the workers.
pub(super) struct Ahead {
    limit: usize,
    count: Mutex<usize>,
    did_leave: Condvar,
}

impl Ahead {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            count: Mutex::new(0),
            did_leave: Condvar::new(),
        }
    }

    /// Counts one more item, once there is room for it. Unwinds quietly when the task of `context`
    /// is cancelled meanwhile.
    pub(super) fn enter(&self, context: &Context) {
        let mut count = self.count();
        while *count >= self.limit {
            context.checkpoint();
            let waited = self.did_leave.wait_timeout(count, SLICE);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *count += 1;
    }

    /// Counts one item less.
    pub(super) fn leave(&self) {
        *self.count() -= 1;
        self.did_leave.notify_one();
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
