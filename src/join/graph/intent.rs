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

impl Intent {
    /// Says what the wait is for: "waits for task `decode` to end". `None` if something else may end it, too.
    #[cfg(not(loom))]
    pub(super) fn in_words(&self) -> Option<String> {
        if self.need == Need::Nothing {
            return None;
        }
        if let Some(pid) = self.targets.process() {
            return Some(format!("waits for the child process {pid}"));
        }
        let mut first = None;
        self.targets.find(|task| {
            if !task.is_finished() {
                first = Some(task.name().clone());
            }
            first.is_some()
        });
        let first = first?;
        Some(match (self.targets.unfinished(), self.need) {
            (0 | 1, _) => format!("waits for task `{first}` to end"),
            (count, Need::Any) => {
                format!("waits for one of {count} tasks to end, such as `{first}`")
            }
            (count, _) => format!("waits for {count} tasks to end, such as `{first}`"),
        })
    }
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
