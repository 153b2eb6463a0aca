//! What is of one system: Linux on one side, all other Unix systems on the other.
//!
//! Both sides offer the same. Where Linux has something that cannot fail anybody, such as a pidfd,
//! the other side has what every Unix has, and says what that can't do. `--cfg elsewhere` builds
//! the other side on Linux, so that it can be tested there.

#[cfg(any(elsewhere, not(target_os = "linux")))]
mod elsewhere;
#[cfg(all(target_os = "linux", not(elsewhere)))]
mod linux;

use std::ffi::OsString;

#[cfg(any(elsewhere, not(target_os = "linux")))]
pub(super) use elsewhere::{
    Bell, Pidfd, die_with_parent, is_program_format, living, own_program, reap, start_of,
    yield_to_everybody,
};
#[cfg(all(target_os = "linux", not(elsewhere)))]
pub(super) use linux::{
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
