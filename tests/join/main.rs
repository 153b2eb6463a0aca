//! The tests of the join library through its public interface; a module a subject.

#![cfg(not(any(other_unix, loom)))]

#[cfg(target_os = "linux")]
mod examples;
#[cfg(target_os = "linux")]
mod process;
#[cfg(feature = "tracing")]
mod spans;
mod tasks;
#[expect(dead_code, reason = "other binaries use the rest")]
#[path = "../util"]
mod util {
    pub(crate) mod child;
    pub(crate) mod files;
    pub(crate) mod gate;
    #[cfg(unix)]
    pub(crate) mod interrupt;
    #[cfg(target_os = "linux")]
    pub(crate) mod leftovers;
    #[cfg(target_os = "linux")]
    pub(crate) mod policy;
    #[cfg(target_os = "linux")]
    pub(crate) mod resources;
    #[cfg(target_os = "linux")]
    pub(crate) mod sleeper;
}
mod watchdog;
// Runs last; see the module.
#[cfg(target_os = "linux")]
#[path = "leftovers.rs"]
mod z_leftovers;
