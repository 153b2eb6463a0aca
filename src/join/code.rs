//! The code of a task, which runs once at most.

use std::sync::Arc;

use super::panic::PanicReport;
use super::sync::{Mutex, lock};

/// The end of a closure. The closure has stored its value itself.
pub(crate) enum ClosureOutcome {
    Returned,
    Panicked(Arc<PanicReport>),
    Cancelled,
}

/// A larger closure gets an allocation of its own, where a smaller one shares that of the value, because
/// its place then stays as long as the value.
pub(crate) const MAX_CLOSURE: usize = 64;

/// The closure of a task with the header `H`. It is shared with what keeps the value, so it is dropped apart from this.
pub(crate) trait Code<H>: Send + Sync {
    /// Runs the closure as that of this task, unless it has run or was dropped. It is dropped when this
    /// returns.
    fn run(&self, task: &Arc<H>) -> ClosureOutcome;

    fn drop_closure(&self);
}

/// Returns the code that calls this closure.
pub(crate) fn code<H>(
    closure: impl FnOnce(&Arc<H>) -> ClosureOutcome + Send + 'static,
) -> Arc<dyn Code<H>> {
    Arc::new(Closure(Mutex::new(Some(closure))))
}

struct Closure<F>(Mutex<Option<F>>);

impl<H, F: FnOnce(&Arc<H>) -> ClosureOutcome + Send> Code<H> for Closure<F> {
    fn run(&self, task: &Arc<H>) -> ClosureOutcome {
        let closure = lock(&self.0).take();
        closure.map_or(ClosureOutcome::Cancelled, |closure| closure(task))
    }

    fn drop_closure(&self) {
        let closure = lock(&self.0).take();
        // Dropped after the lock is released.
        drop(closure);
    }
}

/// The code of a task that is claimed. Dropping it without running it drops the closure.
pub(crate) struct Body<H>(Option<Arc<dyn Code<H>>>);

impl<H> Body<H> {
    pub(crate) fn new(code: Arc<dyn Code<H>>) -> Self {
        Self(Some(code))
    }

    /// Runs the code as that of this task.
    pub(crate) fn run(mut self, task: &Arc<H>) -> ClosureOutcome {
        let code = self.0.take();
        code.map_or(ClosureOutcome::Cancelled, |code| code.run(task))
    }
}

impl<H> Drop for Body<H> {
    fn drop(&mut self) {
        if let Some(code) = &self.0 {
            code.drop_closure();
        }
    }
}
