use parking_lot::{Condvar, Mutex};

use super::sync::wait_while;
use crate::join::Context;

/// Limits how many items a planner may find before the workers take them.
pub(super) struct Backpressure {
    limit: usize,
    count: Mutex<usize>,
    released: Condvar,
}

impl Backpressure {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            count: Mutex::new(0),
            released: Condvar::new(),
        }
    }

    /// Counts one more item, once there is room for it. Unwinds the task of `context` when that is
    /// cancelled while it waits.
    pub(super) fn acquire(&self, context: &Context) {
        let is_full = |count: &usize| *count >= self.limit;
        let mut count = self.count.lock();
        wait_while(&mut count, &self.released, context, is_full);
        if is_full(&count) {
            context.checkpoint();
        }
        *count += 1;
    }

    /// Counts one item less.
    pub(super) fn release(&self) {
        *self.count.lock() -= 1;
        self.released.notify_one();
    }
}
