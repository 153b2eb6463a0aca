//! The closure of an owned task in one allocation with its value.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::closure::run;
use super::code::{ClosureOutcome, Code, MAX_CLOSURE};
use super::context::Context;
use super::header::{Header, TaskCode};
use super::owned_slot::{OwnedSlot, OwnedValue};
use super::panic::Contained;
use super::sync::{Mutex, lock};

/// Returns the code that runs `f`, and the slot in which that stores its value.
pub(crate) fn owned<T: Send + 'static>(
    f: impl FnOnce(&Context) -> T + Send + 'static,
) -> (TaskCode, OwnedSlot<T>) {
    if size_of_val(&f) > MAX_CLOSURE {
        let f = Box::new(f);
        return job(move |context: &Context| f(context));
    }
    job(f)
}

fn job<T: Send + 'static>(
    f: impl FnOnce(&Context) -> T + Send + 'static,
) -> (TaskCode, OwnedSlot<T>) {
    let job = Arc::new(Job(Mutex::new(Place::Closure(Contained::new(f)))));
    (job.clone(), OwnedSlot::Job(AssertUnwindSafe(job)))
}

/// The place of a closure, and then of its value.
struct Job<T, F>(Mutex<Place<T, F>>);

enum Place<T, F> {
    Closure(Contained<F>),
    Empty,
    Value(Contained<T>),
}

impl<T, F> Job<T, F> {
    fn take_closure(&self) -> Option<Contained<F>> {
        let mut place = lock(&self.0);
        match std::mem::replace(&mut *place, Place::Empty) {
            Place::Closure(closure) => Some(closure),
            other => {
                *place = other;
                None
            }
        }
    }
}

impl<T, F> Code<Header> for Job<T, F>
where
    T: Send,
    F: FnOnce(&Context) -> T + Send,
{
    fn run(&self, task: &Arc<Header>) -> ClosureOutcome {
        let store = |value| *lock(&self.0) = Place::Value(value);
        self.take_closure()
            .map_or(ClosureOutcome::Cancelled, |closure| {
                run(task, closure, store)
            })
    }

    fn drop_closure(&self) {
        let closure = self.take_closure();
        // Dropped after the lock is released.
        drop(closure);
    }
}

impl<T, F> OwnedValue<T> for Job<T, F>
where
    T: Send,
    F: Send,
{
    fn take(&self) -> Option<Contained<T>> {
        let mut place = lock(&self.0);
        match std::mem::replace(&mut *place, Place::Empty) {
            Place::Value(value) => Some(value),
            other => {
                *place = other;
                None
            }
        }
    }
}
