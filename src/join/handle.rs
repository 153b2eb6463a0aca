//! A counted reference to a task.

use std::ops::Deref;
use std::sync::Arc;

use super::code::ClosureOutcome;
use super::error::JoinError;
use super::header::Header;
use super::panic::PanicReport;

/// The header of a task, in a handle that a user has. When the last handle is dropped and the task has
/// ended, a panic that no join or poll has returned is reported.
pub(crate) struct Handle(Arc<Header>);

impl Handle {
    /// The first handle to a new task, which counts it already. Must be called once.
    pub(crate) fn first(header: Arc<Header>) -> Self {
        Self(header)
    }

    pub(crate) fn new(header: Arc<Header>) -> Self {
        header.add_handle();
        Self(header)
    }

    /// Returns a handle to a task that may have no other, unless it has ended.
    pub(crate) fn of_live(header: Arc<Header>) -> Option<Self> {
        header.add_handle_if_live().then(|| Self(header))
    }

    /// Returns the panic of the task, if no caller has got it.
    pub(crate) fn unseen_panic(&self) -> Option<&Arc<PanicReport>> {
        self.0.panic().filter(|report| !report.is_seen())
    }

    /// Returns the outcome of a finished task without a value, for another task that ends the same
    /// way. That one shows the panic, and this one does not report it.
    pub(crate) fn hand_on_outcome(&self) -> ClosureOutcome {
        match self.0.panic() {
            Some(report) => {
                // A handle that is never dropped.
                self.0.add_handle();
                ClosureOutcome::Panicked(report.clone())
            }
            None => ClosureOutcome::Cancelled,
        }
    }

    /// Returns the outcome of a finished task without a value.
    pub(crate) fn no_value(&self) -> JoinError {
        self.0.panic().map_or(JoinError::Cancelled, |report| {
            report.mark_seen();
            JoinError::Panicked(report.clone())
        })
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.remove_handle();
    }
}

impl Deref for Handle {
    type Target = Arc<Header>;

    fn deref(&self) -> &Arc<Header> {
        &self.0
    }
}
