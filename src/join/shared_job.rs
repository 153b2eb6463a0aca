//! The closure of a shared task in one allocation with its value.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use super::closure::run;
use super::code::{ClosureOutcome, Code, MAX_CLOSURE};
use super::context::Context;
use super::header::{Header, TaskCode};
use super::panic::Contained;
use super::shared_slot::{SharedSlot, SharedValue};
use super::sync::{Mutex, lock};

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
