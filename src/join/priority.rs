//! The scheduling priority of threads.

use std::cell::Cell;

/// The scheduling priority of a task's thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// The system's default.
    #[default]
    Normal,
    /// Runs only when no thread of higher priority is ready (`SCHED_IDLE` on Linux, the lowest
    /// priority on other systems). Any number of such threads leaves a window its frame rate. On an
    /// otherwise idle machine they run at full speed.
    Background,
}

thread_local! {
    static CURRENT: Cell<Priority> = const { Cell::new(Priority::Normal) };
}

impl Priority {
    /// Returns the priority with which this thread's task or pool was started. Returns
    /// [`Priority::Normal`] on threads that this library did not start.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Gives the current thread this priority. If the system refuses, the thread keeps its own.
    /// That costs smoothness, not correctness.
    pub(crate) fn apply(self) {
        CURRENT.set(self);
        if self == Self::Background {
            set_background().ok();
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_background() -> Result<(), thread_priority::Error> {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
    )
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_background() -> Result<(), thread_priority::Error> {
    thread_priority::ThreadPriority::Min.set_for_current()
}
