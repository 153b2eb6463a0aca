//! What both kinds of systems say of a process.

use std::ffi::OsString;

/// A running process in the process table.
pub(in super::super) struct ProcessEntry {
    pub(in super::super) pid: i32,
    pub(in super::super) parent: i32,
    pub(in super::super) group: i32,
    pub(in super::super) name: String,
    /// The time of its start, in the unit of the system.
    pub(in super::super) started: u64,
    /// Whether it was forked and has not executed a program since. False if the system does not tell.
    pub(in super::super) is_copy: bool,
    /// The value of [`TAG_VARIABLE`](super::super::tag::TAG_VARIABLE) in its environment, if that can be
    /// read.
    pub(in super::super) tags: Option<OsString>,
    /// The [marks](super::super::mark) of the innermost and of the outermost tree; other numbers if it is in
    /// none.
    pub(in super::super) marks: [Option<u64>; 2],
}

/// A process that can write to a pipe.
pub(in super::super) struct PipeHolder {
    pub(in super::super) pid: i32,
    pub(in super::super) group: i32,
    pub(in super::super) name: String,
}

/// A process that something else may have started.
#[derive(Default)]
pub(in super::super) struct OtherProcess {
    pub(in super::super) pid: i32,
    pub(in super::super) parent: i32,
    pub(in super::super) group: i32,
    pub(in super::super) name: String,
    /// See [`ProcessEntry`].
    pub(in super::super) started: u64,
    /// The process of which it is only a thread.
    pub(in super::super) thread_of: Option<i32>,
    /// Whether it is a thread of the kernel.
    pub(in super::super) is_kernel: bool,
}

/// What the process table has of a process that has ended.
#[cfg_attr(
    any(other_unix, not(target_os = "linux")),
    expect(dead_code, reason = "only Linux has foreign processes")
)]
pub(in super::super) enum EndedEntry {
    /// How it ended, in the form that `wait` returns.
    Status(i32),
    /// It is not reaped yet, and of another user, so the system does not tell.
    Hidden,
    /// Its parent has reaped it.
    Gone,
}
