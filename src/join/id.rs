//! The number and the name of a task.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The number of a task. The tasks of this process are numbered from 1, in the order in which they
/// were spawned.
///
/// No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub(crate) u64);

impl TaskId {
    pub(crate) fn next() -> Self {
        #[cfg(not(loom))]
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // The runs of a model must not differ.
        #[cfg(loom)]
        super::sync::lazy!(NEXT: AtomicU64 = AtomicU64::new(1));
        // A counter orders nothing else.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the number itself, which is at least 1.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A task's number and name.
pub(crate) struct TaskIdentity {
    id: TaskId,
    name: OnceLock<Arc<str>>,
}

impl TaskIdentity {
    /// The default name is `task-N`, where N is the number.
    pub(crate) fn new(id: TaskId, name: Option<Arc<str>>) -> Self {
        Self {
            id,
            name: name.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// The default name is made on first use, because most tasks of a pool are never asked for it.
    pub(crate) fn name(&self) -> &Arc<str> {
        self.name
            .get_or_init(|| format!("task-{}", self.id.get()).into())
    }
}
