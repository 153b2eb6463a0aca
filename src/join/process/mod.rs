//! Child processes that can be joined like tasks.
//!
//! A [`Process`] is a child that runs a program of its own. Its handle can be cloned, polled once a
//! frame, joined with or without a timeout any number of times, from any number of threads; how it
//! ended is an [`Exit`], the same for everybody who asks.
//!
//! What std's `Child` leaves open is settled here. Nothing has to be read or reaped by hand: one
//! thread, the reaper, waits for all children, keeps the last bytes of what they print, and feeds
//! what they read, so that no child ever stands still because nobody looks, and none stays behind
//! as a zombie. A child that ended is never signalled, even when the system has given its number
//! to another process. [`Process::stop`] ends a child with everything it has started, also what
//! left its group. Through a [`Launcher`] children get limits and a priority, and end when the
//! program does, however it ends.
//!
//! On Linux it stands on pidfds. On the other Unix systems a thread waits for each child, and what
//! is not a child is known by its number and its start; [`Launcher`] and [`Process::stop`] say what
//! can't be promised there. That side is tested on Linux; for macOS and FreeBSD it was compiled and
//! not run. Windows has none of this: signals, groups and inherited pipes are terms of Unix.

mod builder;
mod children;
mod error;
mod exit;
mod handle;
mod launcher;
mod output;
mod reaper;
mod spawner;
mod stop;
mod system;
mod tree;
mod warden;

pub use builder::Builder;
pub use children::active_children;
pub(crate) use children::{stop_daemons, wait_for_non_daemons};
pub use error::SpawnError;
pub use exit::{Exit, ProcessInfo, ProcessState};
pub use handle::Process;
pub use launcher::{LaunchOptions, Launcher};
pub use output::{Captured, Output, Stream};
pub use stop::{StopReport, TreeMember};
