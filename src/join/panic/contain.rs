//! Containment of the panics of destructors and callbacks.

use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Runs code and ignores its panic.
pub(crate) fn contain(code: impl FnOnce()) {
    if let Some(payload) = unwind_of(code) {
        drop_contained(payload);
    }
}

/// Drops a value whose destructor may panic. The destructor of that panic's payload may panic too.
pub(crate) fn drop_contained<T>(value: T) {
    const MAX_DEPTH: usize = 4;
    let Some(mut payload) = unwind_of(|| drop(value)) else {
        return;
    };
    for _ in 0..MAX_DEPTH {
        match unwind_of(|| drop(payload)) {
            Some(next) => payload = next,
            None => return,
        }
    }
    leak(payload);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a destructor or callback that panics must not end the thread"
)]
fn unwind_of(code: impl FnOnce()) -> Option<Box<dyn Any + Send>> {
    std::panic::catch_unwind(AssertUnwindSafe(code)).err()
}

#[expect(
    clippy::mem_forget,
    reason = "each destructor in turn panicked with a new payload; dropping has no end"
)]
fn leak(payload: Box<dyn Any + Send>) {
    std::mem::forget(payload);
}

/// A value whose `Drop` panics are caught, so that dropping it never unwinds.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    pub(crate) fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            drop_contained(value);
        }
    }
}
