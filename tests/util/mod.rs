//! Helpers of several tests.

pub(crate) mod child;
pub(crate) mod files;
pub(crate) mod gate;
#[cfg(unix)]
pub(crate) mod interrupt;
pub(crate) mod launching;
#[cfg(target_os = "linux")]
pub(crate) mod leftovers;
#[cfg(target_os = "linux")]
pub(crate) mod lesson_processes;
#[cfg(target_os = "linux")]
pub(crate) mod parent;
#[cfg(target_os = "linux")]
pub(crate) mod policy;
#[cfg(target_os = "linux")]
pub(crate) mod resources;
#[cfg(target_os = "linux")]
pub(crate) mod sleeper;
pub(crate) mod test_board;
#[cfg(target_os = "linux")]
pub(crate) mod ways;
