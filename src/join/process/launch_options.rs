//! Priority and limits of a launched process.

use std::time::Duration;

use super::super::Priority;

/// Priority and limits of a launched process. The default sets none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchOptions {
    /// The priority of the process.
    pub priority: Priority,
    /// The maximum address space in bytes. An allocation beyond it fails. macOS has no such limit,
    /// and there the process exits with code 126 and prints the reason.
    pub address_space_bytes: Option<u64>,
    /// The maximum CPU time, after which the system kills the process. It counts in whole seconds,
    /// at least one.
    pub cpu_time: Option<Duration>,
    /// The maximum number of open files.
    pub open_files: Option<u64>,
}
