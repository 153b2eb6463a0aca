//! The callbacks of a task that have not run. They may hold handles to it.

use std::sync::Arc;

use super::current;
use super::id::TaskId;
use super::sync::{AtomicUsize, Ordering, current_thread, park_until};
use super::waiters::{Callback, Waiter, Waiters};

/// Counts the callbacks of one task until each has run or was dropped.
pub(crate) struct Calls {
    task: TaskId,
    left: AtomicUsize,
    waiters: Waiters,
}

impl Calls {
    pub(crate) fn of(task: TaskId) -> Arc<Self> {
        Arc::new(Self {
            task,
            left: AtomicUsize::new(0),
            waiters: Waiters::new(()),
        })
    }

    pub(crate) fn task(&self) -> TaskId {
        self.task
    }

    /// Returns the callback, which counts from now on.
    pub(crate) fn count(self: &Arc<Self>, callback: impl FnOnce() + Send + 'static) -> Callback {
        // Only the number counts.
        self.left.fetch_add(1, Ordering::Relaxed);
        let counted = Counted {
            callback,
            left: Left(self.clone()),
        };
        Box::new(move || counted.run())
    }

    /// Whether none is left. Who sees that also sees what they did.
    pub(crate) fn are_over(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    /// Parks this thread until none is left or `is_broken` holds.
    pub(crate) fn park(&self, is_broken: impl Fn() -> bool) {
        let add = || {
            let waiter = Waiter::Thread(current_thread());
            self.waiters.add(waiter, || self.are_over())
        };
        // Added again each time: who wakes the waiters takes them, and another callback may have come since.
        while let Some(ticket) = add() {
            let is_over = is_broken() || !park_until(None);
            self.waiters.remove(ticket);
            if is_over {
                return;
            }
        }
    }
}

/// A callback, and then the mark that it is left: what the callback holds is dropped first.
struct Counted<F> {
    callback: F,
    left: Left,
}

impl<F: FnOnce()> Counted<F> {
    fn run(self) {
        let Self { callback, left } = self;
        let _calling = current::enter_callback(left.0.task);
        callback();
    }
}

struct Left(Arc<Calls>);

impl Drop for Left {
    fn drop(&mut self) {
        // Releases what the callback did. A waiter is either added before the list is locked here, or sees
        // that none is left.
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.waiters.take_waiters().for_each(Waiter::wake);
        }
    }
}
