//! What a wait is for.

use std::time::Instant;

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
