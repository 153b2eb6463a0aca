//! Programs that wait in a known way, and what an explanation says of them.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the programs that it started, which it also ends"
)]

mod edges;
mod hostile;
mod own;
mod program;
mod programs;
mod runtimes;
mod sentences;
mod trees;
mod waits;
