//! Panics as values.
//!
//! A panic gives its location only to the panic hook, and its payload only to `catch_unwind`. So
//! `hook` installs one hook, when the first task is spawned. On a thread that runs a task it
//! records location and backtrace; on every other thread it calls the previous hook. `running`
//! knows the tasks of a thread and keeps the records. `catch` is the one place of the library where
//! unwinding ends; it makes a [`PanicReport`] from record and payload. `contain` keeps the panics of
//! destructors and callbacks from going further.
//!
//! Each panic is seen or heard: by those who ask for the outcome, or as [`on_panic`] says (`unseen`).
//!
//! A backtrace is captured as bare addresses, in about ten microseconds. Resolving them reads the
//! program's debug information, which takes 100 ms or more the first time in a process. It happens
//! in the first call of [`PanicReport::backtrace`], on the thread of the caller.

mod catch;
mod contain;
mod hook;
mod report;
mod resume;
mod running;
mod unseen;

pub(crate) use catch::{Caught, catch, unwind_cancelled};
pub(crate) use contain::{Contained, contain, drop_contained};
pub(crate) use hook::install as install_hook;
pub use hook::record_panic;
pub use report::{PanicLocation, PanicReport, PayloadKind};
pub(crate) use running::RunningTask;
pub use unseen::on_panic;
pub(crate) use unseen::report_unless_seen;
