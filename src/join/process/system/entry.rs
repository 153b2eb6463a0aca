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
