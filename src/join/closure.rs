//! Running the closure of a task.

use std::sync::Arc;

use super::context::Context;
use super::header::{ClosureOutcome, Header};
use super::job::Body;
use super::panic::{Caught, Contained, catch, drop_contained};

/// Returns a body that runs `f` and stores its value. The body drops `f` and `store` before the
/// outcome is published: from then on only handles hold the value.
pub(crate) fn body<T: 'static>(
    store: impl FnOnce(Contained<T>) + Send + 'static,
    f: impl FnOnce(&Context) -> T + Send + 'static,
) -> Body {
    let f = Contained::new(f);
    Body::new(move |header| run(header, f, store))
}

/// Runs `f` as the closure of the task of this header, and stores its value.
pub(crate) fn run<T>(
    header: &Arc<Header>,
    f: Contained<impl FnOnce(&Context) -> T>,
    store: impl FnOnce(Contained<T>),
) -> ClosureOutcome {
    let context = Context::new(header.clone());
    let caught = catch(header, || f.into_inner().map(|f| f(&context)));
    match caught {
        Caught::Returned(Some(value)) if header.cancel_marks().has_given_up() => {
            drop_contained(value);
            ClosureOutcome::Cancelled
        }
        Caught::Returned(Some(value)) => {
            store(Contained::new(value));
            ClosureOutcome::Returned
        }
        Caught::Returned(None) | Caught::Cancelled => ClosureOutcome::Cancelled,
        Caught::Panicked(report) => ClosureOutcome::Panicked(report),
    }
}
