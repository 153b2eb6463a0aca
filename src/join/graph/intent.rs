//! What a wait is for.

use std::time::Instant;

use super::super::id::TaskId;
use super::super::targets::Targets;

/// The targets that must end for a wait to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    All,
    Any,
    /// None of them: something else may end the wait, such as a channel or a cancel.
    Nothing,
}

/// A wait that a thread is about to begin.
pub(crate) struct Intent {
    pub(crate) targets: Targets,
    pub(crate) need: Need,
    pub(crate) deadline: Option<Instant>,
}

/// The reason why the graph refuses a wait.
#[derive(Clone)]
pub(crate) enum Refusal {
    /// It would never end: the wait would close this cycle.
    Cycle(Vec<TaskId>),
    /// Its pool starves, and no thread can run what is queued there.
    NoThread,
}

impl Refusal {
    /// The name of this end of a wait, in traces.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Cycle(_) => "would deadlock",
            Self::NoThread => "no thread",
        }
    }
}
