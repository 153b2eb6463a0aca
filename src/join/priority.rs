//! The scheduling priority of threads.
//!
//! A new thread inherits the priority of the thread that starts it, and on most systems only a
//! privileged thread may raise its own. So a background thread does not start a thread of normal
//! priority itself. It has that done by the *starter*.

use std::cell::Cell;
use std::io;

#[cfg(feature = "priority")]
use super::starter;

/// The scheduling priority of a task's thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// The priority of the program: the system's default, unless the user has started the program
    /// with another one.
    #[default]
    Normal,
    /// Runs only when no thread of higher priority is ready (`SCHED_IDLE` on Linux, the lowest
    /// priority on other systems). Any number of such threads leaves a window its frame rate. On an
    /// otherwise idle machine they run at full speed.
    ///
    /// Without the feature `priority` of this crate, such a thread has the priority of the program.
    ///
    /// Whatever such a thread starts without this library inherits the priority: a thread of std,
    /// a `std::process::Command`, the global pool of rayon if it is first used there.
    Background,
}

thread_local! {
    /// The priority that this library gave to this thread.
    static GIVEN: Cell<Priority> = const { Cell::new(Priority::Normal) };
}

impl Priority {
    /// Returns the priority of the current thread. Linux is asked, so there it is right for every
    /// thread. On other systems it is [`Priority::Normal`] for a thread that this library did not
    /// start.
    pub fn current() -> Self {
        if is_background() {
            Self::Background
        } else {
            Self::Normal
        }
    }

    /// Lowers the current thread to this priority. [`Priority::Normal`] changes nothing, because
    /// no thread may raise its own. If the system refuses, the thread keeps its own. That costs
    /// smoothness, not correctness.
    ///
    /// For threads that another library starts, such as those of a rayon pool. A task has the priority
    /// of its [`Builder`](super::Builder).
    pub fn set_for_current_thread(self) {
        if self == Self::Background {
            GIVEN.set(self);
            system::set_background();
        }
    }
}

/// Starts a thread with this priority.
///
/// # Errors
/// The system refused the thread, or the starter.
pub(crate) fn spawn_thread(
    thread: std::thread::Builder,
    priority: Priority,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    // What std does with a closure is compiled once, for the box, and not for each closure.
    spawn_boxed(thread, priority, Box::new(run))
}

fn spawn_boxed(
    thread: std::thread::Builder,
    priority: Priority,
    run: Box<dyn FnOnce() + Send>,
) -> io::Result<()> {
    let run: Box<dyn FnOnce() + Send> = match (priority, Priority::current()) {
        (Priority::Normal, Priority::Normal) => run,
        (Priority::Normal, Priority::Background) => return starter::spawn(thread, run),
        (Priority::Background, current) => {
            if current == Priority::Normal {
                starter::prepare()?;
            }
            Box::new(move || {
                Priority::Background.set_for_current_thread();
                run();
            })
        }
    };
    thread.spawn(run).map(drop)
}

/// Starts a thread of a scope with this priority. On a thread of background priority it inherits that:
/// the thread that starts normal ones can't start one in a scope.
///
/// # Errors
/// The system refused the thread, or the starter.
pub(crate) fn spawn_scoped<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    thread: std::thread::Builder,
    priority: Priority,
    run: impl FnOnce() + Send + 'scope,
) -> io::Result<()> {
    if priority == Priority::Background && Priority::current() == Priority::Normal {
        starter::prepare()?;
    }
    let prioritized = move || {
        priority.set_for_current_thread();
        run();
    };
    thread.spawn_scoped(scope, prioritized).map(drop)
}

/// Asks the system where it has a policy for the background; elsewhere the thread counts as what this
/// library gave it.
fn is_background() -> bool {
    system::is_background().unwrap_or(GIVEN.get() == Priority::Background)
}

#[cfg(all(feature = "priority", any(target_os = "linux", target_os = "android")))]
mod system {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
    };

    const BACKGROUND: ThreadSchedulePolicy =
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);

    pub(super) fn is_background() -> Option<bool> {
        Some(thread_schedule_policy().ok()? == BACKGROUND)
    }

    pub(super) fn set_background() {
        set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, BACKGROUND).ok();
    }
}

#[cfg(all(
    feature = "priority",
    not(any(target_os = "linux", target_os = "android"))
))]
mod system {
    use thread_priority::ThreadPriority;

    pub(super) fn is_background() -> Option<bool> {
        None
    }

    pub(super) fn set_background() {
        ThreadPriority::Min.set_for_current().ok();
    }
}

/// All threads keep the priority of the program.
#[cfg(not(feature = "priority"))]
mod system {
    pub(super) fn is_background() -> Option<bool> {
        (!cfg!(feature = "priority")).then_some(false)
    }

    pub(super) fn set_background() {}
}

/// Where all threads have one priority, each starts the others itself.
#[cfg(not(feature = "priority"))]
mod starter {
    use std::io;

    #[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
    pub(super) fn prepare() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn spawn(
        thread: std::thread::Builder,
        run: Box<dyn FnOnce() + Send>,
    ) -> io::Result<()> {
        thread.spawn(run).map(drop)
    }
}
