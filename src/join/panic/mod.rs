//! Panics as values.
//!
//! A panic gives its location only to the panic hook, and its payload only to `catch_unwind`. So
//! `hook` installs one hook, when the first task is spawned. On a thread that runs a task it
//! records location and backtrace and prints nothing; on every other thread it calls the previous
//! hook. `catch` is the one place of the library where unwinding ends; it makes a
//! [`PanicReport`] from both. `contain` keeps the panics of destructors and callbacks from going
//! further.
//!
//! A backtrace is captured as bare addresses, in about ten microseconds. Resolving them reads the
//! program's debug information, which takes 100 ms or more the first time in a process. It happens
//! in the first call of [`PanicReport::backtrace`], on the thread of the caller.

mod catch;
mod contain;
mod hook;
mod report;

pub(crate) use catch::{CancelUnwind, Caught, catch};
pub(crate) use contain::{Contained, contain, drop_contained};
pub(crate) use hook::install as install_hook;
pub use report::{PanicLocation, PanicReport, PayloadKind};
