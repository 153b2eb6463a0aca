use parking_lot::Mutex;

use crate::join::{Context, Unparker};

/// Limits how many items a planner may find before the workers take them.
pub(super) struct Backpressure {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    count: usize,
    /// The planner, while it waits.
    waiting: Option<Unparker>,
}

impl Backpressure {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
        }
    }

    /// Counts one more item, once there is room for it. Unwinds the task of `context`, which is the
    /// only planner, when that is cancelled while it waits.
    pub(super) fn acquire(&self, context: &Context) {
        while !self.try_acquire(context) {
            if context.park().is_err() {
                context.checkpoint();
                self.state.lock().count += 1;
                return;
            }
        }
    }

    /// Counts one more item if there is room for it. Otherwise the next release wakes the planner.
    fn try_acquire(&self, context: &Context) -> bool {
        let mut state = self.state.lock();
        if state.count >= self.limit {
            state.waiting = Some(context.unparker());
            return false;
        }
        state.count += 1;
        true
    }

    /// Counts items that were counted less before, even without room for them.
    pub(super) fn take_back(&self, count: usize) {
        self.state.lock().count += count;
    }

    /// Counts so many items less.
    pub(super) fn release(&self, count: usize) {
        let mut state = self.state.lock();
        state.count -= count;
        if let Some(planner) = state.waiting.take() {
            planner.unpark();
        }
    }
}
