//! The slot for the value of a shared task.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use super::closure::run;
use super::code::{ClosureOutcome, Code, MAX_CLOSURE};
use super::context::Context;
use super::header::{Header, TaskCode};
use super::panic::Contained;
use super::sync::{CountedArc, Mutex, lock};

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

/// Returns the code that runs `f`, and the slot in which that stores its value.
pub(crate) fn shared<T: Send + Sync + 'static>(
    f: impl FnOnce(&Context) -> T + Send + 'static,
) -> (TaskCode, SharedSlot<T>) {
    if size_of_val(&f) > MAX_CLOSURE {
        let f = Box::new(f);
        return job(move |context: &Context| f(context));
    }
    job(f)
}

fn job<T: Send + Sync + 'static>(
    f: impl FnOnce(&Context) -> T + Send + 'static,
) -> (TaskCode, SharedSlot<T>) {
    let job = Arc::new(Job {
        closure: Mutex::new(Some(Contained::new(f))),
        value: OnceLock::new(),
    });
    (job.clone(), SharedSlot::Job(AssertUnwindSafe(job)))
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

/// A closure and its value. Neither can take the place of the other, because the value is lent.
struct Job<T, F> {
    closure: Mutex<Option<Contained<F>>>,
    value: OnceLock<Contained<T>>,
}

impl<T, F> Code<Header> for Job<T, F>
where
    T: Send + Sync,
    F: FnOnce(&Context) -> T + Send,
{
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome {
        let closure = lock(&self.closure).take();
        let store = |value| {
            self.value.get_or_init(|| value);
        };
        closure.map_or(ClosureOutcome::Cancelled, |closure| {
            run(task, closure, store)
        })
    }

    fn drop_closure(&self) {
        let closure = lock(&self.closure).take();
        // Dropped after the lock is released.
        drop(closure);
    }
}

impl<T, F> SharedValue<T> for Job<T, F>
where
    T: Send + Sync,
    F: Send,
{
    fn get(&self) -> Option<&T> {
        self.value.get()?.get()
    }

    fn take(&mut self) -> Option<T> {
        self.value.take()?.into_inner()
    }
}
