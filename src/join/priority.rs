//! How urgently the system runs a thread.

/// How urgently the system runs a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Like any other thread.
    #[default]
    Normal,
    /// Only when nothing more urgent wants to run (`SCHED_IDLE` on Linux, the lowest priority
    /// elsewhere). With any number of such threads a window keeps its frame rate, and on an
    /// otherwise idle machine they lose nothing.
    Background,
}

impl Priority {
    /// Gives the current thread this priority. Where the system refuses, it keeps the one it has:
    /// that costs smoothness, not correctness.
    pub(crate) fn apply(self) {
        if self == Self::Background {
            drop(set_background());
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
