//! What a thread of a pool runs.

use std::sync::Arc;

use super::id::TaskId;
use super::sync::{AtomicU64, Ordering};

/// The task that a thread runs; of several that run inside each other, the innermost.
///
/// The thread stores it before it runs the task. The wait graph looks at it only for tasks that
/// wait, and those have entered the graph after that, on the same thread and under the graph's
/// lock. So relaxed accesses suffice.
#[derive(Clone, Default)]
pub(crate) struct InnermostTask(Arc<AtomicU64>);

impl InnermostTask {
    pub(crate) fn get(&self) -> Option<TaskId> {
        Some(TaskId::new(self.0.load(Ordering::Relaxed))).filter(|task| *task != NO_TASK)
    }

    /// Notes a task, or none. Returns the one before.
    pub(crate) fn replace(&self, task: Option<TaskId>) -> Option<TaskId> {
        let task = task.unwrap_or(NO_TASK).get();
        Some(TaskId::new(self.0.swap(task, Ordering::Relaxed))).filter(|outer| *outer != NO_TASK)
    }

    /// Notes the task while `run` runs. Returns what `run` returns.
    pub(crate) fn during<T>(&self, task: TaskId, run: impl FnOnce() -> T) -> T {
        // Only this thread notes what it runs, so the two need not be one step.
        let outer = self.0.load(Ordering::Relaxed);
        self.0.store(task.get(), Ordering::Relaxed);
        // A task's panic is its outcome, so nothing unwinds from here.
        let result = run();
        self.0.store(outer, Ordering::Relaxed);
        result
    }
}

/// Tasks are numbered from 1.
const NO_TASK: TaskId = TaskId::new(0);
