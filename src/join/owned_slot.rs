//! The slot for the value of an owned task.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::panic::Contained;
use super::sync::{Mutex, lock};

/// The slot for the value, which is empty before the task has returned and after it was taken.
pub(crate) enum OwnedSlot<T> {
    /// Of a task without a closure, or whose closure is kept elsewhere.
    Alone(Arc<Mutex<Option<Contained<T>>>>),
    /// In one allocation with the closure, whose type is not known here. A handle may pass an unwinding, as
    /// in the other case.
    Job(AssertUnwindSafe<Arc<dyn OwnedValue<T>>>),
}

pub(crate) trait OwnedValue<T>: Send + Sync {
    fn take(&self) -> Option<Contained<T>>;
}

/// Returns what stores a value in a slot, and the slot.
pub(crate) fn alone<T>() -> (impl FnOnce(Contained<T>), OwnedSlot<T>) {
    let slot = Arc::new(Mutex::new(None));
    let store = {
        let slot = slot.clone();
        move |value| *lock(&slot) = Some(value)
    };
    (store, OwnedSlot::Alone(slot))
}

impl<T> OwnedSlot<T> {
    pub(crate) fn take(&self) -> Option<T> {
        let value = match self {
            Self::Alone(slot) => lock(slot).take(),
            Self::Job(job) => job.0.take(),
        };
        value?.into_inner()
    }
}
