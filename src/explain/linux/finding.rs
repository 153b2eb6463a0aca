//! What one look at a thread has found.

use crate::graph::{Activity, Deadline};

/// Who is waited for, by the ids of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Who {
    Thread { pid: u32, tid: u32 },
    Process(u32),
}

impl Who {
    pub(super) fn pid(self) -> u32 {
        match self {
            Self::Thread { pid, .. } | Self::Process(pid) => pid,
        }
    }
}

/// What a thread does, and who can end its wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) activity: Activity,
    pub(super) awaits: Vec<Who>,
    /// Others that can't be looked at may end the wait, too.
    pub(super) is_shared_unseen: bool,
    pub(super) deadline: Option<Deadline>,
}

impl Finding {
    pub(super) fn new(activity: Activity) -> Self {
        Self {
            activity,
            awaits: Vec::new(),
            is_shared_unseen: false,
            deadline: None,
        }
    }

    pub(super) fn awaiting(activity: Activity, mut awaits: Vec<Who>) -> Self {
        awaits.sort_unstable();
        awaits.dedup();
        Self {
            activity,
            awaits,
            is_shared_unseen: false,
            deadline: None,
        }
    }

    pub(super) fn until(self, deadline: Option<Deadline>) -> Self {
        Self { deadline, ..self }
    }

    /// Returns whether another look at the same thread has found the same wait. A deadline comes nearer
    /// meanwhile.
    pub(super) fn is_same_wait(&self, other: &Self) -> bool {
        self.activity == other.activity && self.awaits == other.awaits
    }
}
