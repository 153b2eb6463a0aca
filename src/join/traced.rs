//! Tasks in spans of their own, for the feature `tracing`.

use super::code::{ClosureOutcome, code};
use super::header::{Body, Header, TaskCode};
use super::info::Placement;
use super::trace::{self, Spawner};

/// Has the closure run in a span of its own.
pub(crate) fn traced(inner: TaskCode) -> TaskCode {
    if !trace::IS_ON {
        return inner;
    }
    let body = Body::new(inner);
    let spawner = Spawner::current();
    code(move |header| run_traced(spawner, header, || body.run(header)))
}

/// Runs the code of a task in a span of its own.
pub(crate) fn run_traced(
    spawner: Spawner,
    header: &Header,
    code: impl FnOnce() -> ClosureOutcome,
) -> ClosureOutcome {
    let pool = match header.placement() {
        Placement::Thread | Placement::Elsewhere => None,
        Placement::Pool(pool) => Some(pool),
    };
    let outcome_name = |outcome: &ClosureOutcome| match outcome {
        ClosureOutcome::Returned => "returned",
        ClosureOutcome::Panicked(_) => "panicked",
        ClosureOutcome::Cancelled => "cancelled",
    };
    spawner.run_task(header.name(), header.id().get(), pool, code, outcome_name)
}
