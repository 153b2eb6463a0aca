//! Programs that wait in a known way, and what an explanation says of them.

#![cfg(target_os = "linux")]

mod edges;
mod hostile;
mod program;
mod sentences;
mod waits;
