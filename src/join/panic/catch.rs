//! The one place where the unwinding of a task ends.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::contain::drop_contained;
use super::hook;
use super::report::{PanicReport, message_of};
use crate::join::id::TaskIdentity;

/// The payload with which a cancelled task unwinds from a checkpoint.
pub(crate) struct CancelUnwind;

/// The end of a closure, with its value or its panic.
pub(crate) enum Caught<T> {
    Returned(T),
    Cancelled,
    Panicked(Arc<PanicReport>),
}

/// Runs the code of a task and catches any unwinding.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a task's unwinding ends"
)]
pub(crate) fn catch<T>(task: &TaskIdentity, code: impl FnOnce() -> T) -> Caught<T> {
    match std::panic::catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Caught::Returned(value),
        Err(payload) if payload.is::<CancelUnwind>() => Caught::Cancelled,
        Err(payload) => Caught::Panicked(Arc::new(report(task, payload))),
    }
}

fn report(task: &TaskIdentity, payload: Box<dyn Any + Send>) -> PanicReport {
    let (message, kind) = message_of(&*payload);
    drop_contained(payload);
    let capture = hook::take_capture(&message);
    PanicReport::new(task, message, kind, capture)
}
