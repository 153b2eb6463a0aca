//! How urgently the system runs a thread.

use std::cell::Cell;

/// How urgently the system runs a thread.
///
/// ```
/// use meanwhile::join::{Builder, Pool, Priority};
///
/// // A pool yields to the window by default; a thread of its own does where it is told to.
/// let pool = Pool::builder().priority(Priority::Background).threads(1).build()?;
/// let thumbnail = Builder::new("thumbnail").spawn_on(&pool, |_| "drawn")?;
/// let index = Builder::new("index").priority(Priority::Background).spawn(|_| "indexed")?;
/// assert_eq!((*thumbnail.join()?, *index.join()?), ("drawn", "indexed"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

thread_local! {
    static CURRENT: Cell<Priority> = const { Cell::new(Priority::Normal) };
}

impl Priority {
    /// The priority that the task or pool on whose thread this is called was started with;
    /// [`Priority::Normal`] on threads that are not this library's.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Gives the current thread this priority. Where the system refuses, it keeps the one it has:
    /// that costs smoothness, not correctness.
    pub(crate) fn apply(self) {
        CURRENT.set(self);
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
