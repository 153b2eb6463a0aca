//! The number and the name of a task.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a task. The tasks of this process are numbered from 1, in the order in which they
/// were spawned.
///
/// No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

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
    pub(crate) id: TaskId,
    pub(crate) name: Arc<str>,
}
