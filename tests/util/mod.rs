//! What the tests share.

pub(crate) mod child;
pub(crate) mod desk;
pub(crate) mod files;
pub(crate) mod gate;
#[cfg(target_os = "linux")]
pub(crate) mod left;
#[cfg(target_os = "linux")]
pub(crate) mod lesson_processes;
#[cfg(target_os = "linux")]
pub(crate) mod policy;
pub(crate) mod pool;
