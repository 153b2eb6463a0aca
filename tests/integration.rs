//! One binary for all tests through public interfaces; a module a subject.

#[path = "integration/join/mod.rs"]
mod join;
mod util;
