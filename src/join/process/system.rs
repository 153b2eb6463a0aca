//! The parts that differ between systems: Linux, and all other Unix systems.
//!
//! Both modules have the same items. Linux has exact means, such as pidfds. The other module uses
//! the means of every Unix, and documents their limits. `--cfg other_unix` builds it on Linux, to
//! test it there.

#[cfg(all(target_os = "linux", not(other_unix)))]
mod linux;
#[cfg(any(other_unix, not(target_os = "linux")))]
mod other_unix;

use std::ffi::OsString;

#[cfg(all(target_os = "linux", not(other_unix)))]
pub(super) use linux::{
    Notifier, Pidfd, SHOWS_ALL_TAGS, is_program_format, own_executable, own_group, parents_group,
    reap, running_processes, set_background_priority, set_own_name, set_parent_death_signal,
    start_of,
};
#[cfg(any(other_unix, not(target_os = "linux")))]
pub(super) use other_unix::{
    Notifier, Pidfd, SHOWS_ALL_TAGS, is_program_format, own_executable, own_group, parents_group,
    reap, running_processes, set_background_priority, set_own_name, set_parent_death_signal,
    start_of,
};

/// A running process in the process table.
pub(super) struct ProcessEntry {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) name: String,
    /// The time of its start, in the unit of the system.
    pub(super) started: u64,
    /// The value of [`TAG_VARIABLE`](super::tag::TAG_VARIABLE) in its environment, if that can be
    /// read.
    pub(super) tags: Option<OsString>,
}
