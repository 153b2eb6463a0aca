//! Priority and limits of a launched process.

use std::time::Duration;

use crate::join::Priority;

/// Priority and limits of a launched process. The default sets none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchOptions {
    /// The priority of the process.
    pub priority: Priority,
    /// Maximum address space in bytes; an allocation beyond it fails. macOS has no such limit:
    /// there the process exits with code 126 and prints the reason.
    pub address_space_bytes: Option<u64>,
    /// Maximum CPU time in whole seconds; then the system kills the process.
    pub cpu_time: Option<Duration>,
    /// Maximum number of open files.
    pub open_files: Option<u64>,
}
