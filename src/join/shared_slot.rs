//! The slot for the value of a shared task.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use super::panic::Contained;
use super::sync::CountedArc;

/// The slot for a task's value. It stays empty when the task panicked or was cancelled.
pub(crate) enum SharedSlot<T> {
    /// Of a task without a closure.
    Alone(CountedArc<OnceLock<Contained<T>>>),
    /// In one allocation with the closure, whose type is not known here. Whether a handle may pass an
    /// unwinding depends on the value alone, as in the other case.
    Job(AssertUnwindSafe<Arc<dyn SharedValue<T>>>),
}

pub(crate) trait SharedValue<T>: Send + Sync {
    fn get(&self) -> Option<&T>;

    fn take(&mut self) -> Option<T>;
}

/// Returns what stores the value of a task without a closure, and the slot.
pub(crate) fn alone<T>() -> (impl FnOnce(Contained<T>), SharedSlot<T>) {
    let slot = CountedArc::new(OnceLock::new());
    let store = {
        let slot = slot.clone();
        move |value| {
            slot.get_or_init(|| value);
        }
    };
    (store, SharedSlot::Alone(slot))
}

impl<T> SharedSlot<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Alone(slot) => slot.get()?.get(),
            Self::Job(job) => job.0.get(),
        }
    }

    /// Returns the value if no other reference to the slot is left.
    ///
    /// # Errors
    /// Returns the slot otherwise.
    pub(crate) fn into_value(self) -> Result<Option<T>, Self> {
        match self {
            Self::Alone(slot) => CountedArc::try_unwrap(slot)
                .map(|slot| slot.into_inner().and_then(Contained::into_inner))
                .map_err(Self::Alone),
            Self::Job(mut job) => match Arc::get_mut(&mut job.0) {
                Some(last) => Ok(last.take()),
                None => Err(Self::Job(job)),
            },
        }
    }
}

impl<T> Clone for SharedSlot<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Alone(slot) => Self::Alone(slot.clone()),
            Self::Job(job) => Self::Job(AssertUnwindSafe(job.0.clone())),
        }
    }
}
