//! The code of a task, which runs once at most.

use std::sync::Arc;

use super::header::{ClosureOutcome, Header};
use super::sync::{Mutex, lock};

/// A larger closure gets an allocation of its own, where a smaller one shares that of the value, because
/// its place then stays as long as the value.
pub(crate) const MAX_CLOSURE: usize = 64;

/// The closure of a task. It is shared with what keeps the value, so it is dropped apart from this.
pub(crate) trait Code: Send + Sync {
    /// Runs the closure as that of this task, unless it has run or was dropped. It is dropped when this
    /// returns.
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome;

    fn drop_closure(&self);
}

/// Returns the code that calls this closure.
pub(crate) fn code(
    closure: impl FnOnce(&Arc<Header>) -> ClosureOutcome + Send + 'static,
) -> Arc<dyn Code> {
    Arc::new(Closure(Mutex::new(Some(closure))))
}

struct Closure<F>(Mutex<Option<F>>);

impl<F: FnOnce(&Arc<Header>) -> ClosureOutcome + Send> Code for Closure<F> {
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome {
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
pub(crate) struct Body(Option<Arc<dyn Code>>);

impl Body {
    pub(crate) fn new(code: Arc<dyn Code>) -> Self {
        Self(Some(code))
    }

    /// Runs the code as that of this task.
    pub(crate) fn run(mut self, task: &Arc<Header>) -> ClosureOutcome {
        let code = self.0.take();
        code.map_or(ClosureOutcome::Cancelled, |code| code.run(task))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(code) = &self.0 {
            code.drop_closure();
        }
    }
}
