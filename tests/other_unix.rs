//! The promises of `join::process` once more, on Linux but with what other Unix systems have: with
//! `--cfg other_unix` a thread waits for each child, and nothing here uses a pidfd.
//!
//! What is left out there is of Linux alone, and says so.

#![cfg(other_unix)]

#[path = "integration/process/mod.rs"]
mod process;

#[expect(dead_code, reason = "other binaries use the rest")]
mod util {
    pub(crate) mod child;
    pub(crate) mod files;
    pub(crate) mod gate;
    pub(crate) mod left;
}
