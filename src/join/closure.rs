//! Running the closure of a task.

use std::sync::Arc;

use super::code::ClosureOutcome;
use super::context::Context;
use super::header::Header;
use super::panic::{Caught, Contained, catch, drop_contained};

/// Runs `f` as the closure of the task of this header, and stores its value. Both are dropped before the
/// caller publishes the outcome: from then on only handles hold the value.
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
