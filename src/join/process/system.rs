//! What is of one system: Linux on one side, all other Unix systems on the other.
//!
//! Both sides offer the same. Where Linux has something that cannot fail anybody, such as a pidfd,
//! the other side has what every Unix has, and says what that can't do. `--cfg other_unix` builds
//! the other side on Linux, so that it can be tested there.

#[cfg(all(target_os = "linux", not(other_unix)))]
mod linux;
#[cfg(any(other_unix, not(target_os = "linux")))]
mod other_unix;

use std::ffi::OsString;

#[cfg(all(target_os = "linux", not(other_unix)))]
pub(super) use linux::{
    Bell, Pidfd, die_with_parent, is_program_format, living, own_program, reap, start_of,
    yield_to_everybody,
};
#[cfg(any(other_unix, not(target_os = "linux")))]
pub(super) use other_unix::{
    Bell, Pidfd, die_with_parent, is_program_format, living, own_program, reap, start_of,
    yield_to_everybody,
};

/// A living process as the process table has it.
pub(super) struct Entry {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) name: String,
    /// When it was started, as the system counts.
    pub(super) started: u64,
    /// What its environment says of whom it belongs to, as far as that can be read.
    pub(super) marks: Option<OsString>,
}
