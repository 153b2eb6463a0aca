//! Priority and limits of a launched process.

use std::time::Duration;

use super::super::Priority;

/// Priority and limits of a launched process. The default is the normal priority and no limit.
///
/// ```
/// use meanwhile_join::Priority;
/// use meanwhile_join::process::LaunchOptions;
///
/// let limits = LaunchOptions::default()
///     .priority(Priority::Background)
///     .address_space_bytes(1 << 30);
/// assert_ne!(limits, LaunchOptions::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct LaunchOptions {
    pub(super) priority: Priority,
    pub(super) address_space_bytes: Option<u64>,
    pub(super) cpu_time: Option<Duration>,
    pub(super) open_files: Option<u64>,
}

impl LaunchOptions {
    /// Sets the priority of the process.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the maximum address space in bytes; `None` is no limit. An allocation beyond it fails.
    /// macOS has no such limit, and there the spawn fails.
    pub fn address_space_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.address_space_bytes = bytes.into();
        self
    }

    /// Sets the maximum CPU time, after which the system kills the process; `None` is no limit. It
    /// counts in whole seconds, at least one.
    pub fn cpu_time(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.cpu_time = time.into();
        self
    }

    /// Sets the maximum number of open files; `None` is no limit.
    pub fn open_files(mut self, count: impl Into<Option<u64>>) -> Self {
        self.open_files = count.into();
        self
    }
}
