//! The tests of `meanwhile_join::process` on Linux, with the code for other Unix systems (`--cfg
//! other_unix`). There a thread waits for each child, and no pidfd is used.
//!
//! Tests of features that only Linux has are left out there.

#![cfg(other_unix)]

#[path = "join/process/mod.rs"]
mod process;

#[expect(dead_code, reason = "other binaries use the rest")]
mod util {
    pub(crate) mod child;
    pub(crate) mod files;
    pub(crate) mod gate;
    pub(crate) mod interrupt;
    pub(crate) mod resources;
    pub(crate) mod sleeper;
}
