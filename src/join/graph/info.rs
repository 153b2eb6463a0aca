//! What a window shows of the waits.

use std::time::Instant;

use super::super::id::TaskId;

/// A snapshot of all waits in progress; see [`wait_graph`](super::wait_graph).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WaitGraph {
    /// The waits, tasks first, in the order of their numbers.
    pub waits: Vec<WaitInfo>,
}

/// What a thread waits for.
#[cfg(not(loom))]
pub(crate) struct ThreadWait {
    /// Another one for each wait.
    pub(crate) number: u64,
    /// It in words: "waits for task `decode` to end".
    pub(crate) what: String,
    pub(crate) since: Instant,
}

/// One waiting thread, or one task that follows another and has not begun.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WaitInfo {
    /// The task that waits; `None` for a thread that runs no task.
    pub waiter: Option<TaskId>,
    /// The name of the thread that waits, if it has one and there is one.
    pub thread_name: Option<String>,
    /// The tasks it waits for that have not ended.
    pub targets: Vec<TaskId>,
    /// The process id of the child process it waits for, or for whose next line; of several the first.
    pub process: Option<u32>,
    /// The time at which the wait began.
    pub since: Instant,
    /// The time at which the wait times out; `None` without a timeout.
    pub deadline: Option<Instant>,
}
