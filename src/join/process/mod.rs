//! Child processes that can be joined like tasks.
//!
//! A [`Process`] is a child that runs another program. Its handle can be cloned, polled once a
//! frame, and joined with or without a timeout, any number of times, from any number of threads.
//! Every join returns the same [`Exit`].
//!
//! This module does by itself what std's `Child` leaves to the caller. One thread, the reaper,
//! waits for all children, keeps the last bytes of their output and writes their input. So no child
//! blocks on a full pipe, and none stays a zombie. A child that has ended is never signalled, even
//! when the system has given its pid to another process. [`Process::stop`] ends a child with all
//! its descendants, including those that left its process group. A [`Launcher`] starts children
//! with limits and a priority, and ends them when the program exits for any reason.
//! [`Process::adopt`] does the same with a running process that something else has started.
//!
//! On Linux this uses pidfds. On other Unix systems a thread waits for each child, and other
//! processes are identified by pid and start time; [`Launcher`] and [`Process::stop`] document the
//! limits. The tests of that code run on Linux; for macOS and FreeBSD it is only compiled. Windows
//! has no such module, because it has no signals, process groups or inherited pipes.
//!
//! [`conformance`] lists the promises, and the tests that hold them.

/// The promises of this module, from `src/join/process/CONFORMANCE.md`.
#[cfg(doc)]
#[doc = include_str!("CONFORMANCE.md")]
pub mod conformance {}

// Lock order; that of tasks is in `sync`. A thread that holds a lock takes only locks further down:
//
// 1. `Keeper::starting`, held while a supervisor is started. Its holder waits for the spawner.
// 2. The locks under which the threads of this module are started once: `Started::starting` of the
//    reaper, the stopper, the spawner and a keeper, then `THREADS` of the spawner; the queue of
//    `callback_threads`.
//    Their holder waits for the system to start a thread.
// 3. `TreeGuard::holders`.
// 4. `Keeper::tags`.
// 5. Each other lock. Its holder takes no further lock, runs no callback, and makes no system call
//    that blocks.
//
// The reaper takes none of the first two kinds, apart from the queue of callbacks, which is held for
// a push once it has started. So nothing that hangs, be it a start, a supervisor or a callback, can
// make the reaper wait.

mod adopt;
mod ahead;
mod all_ends;
mod awaiting;
mod builder;
mod children;
mod descendants;
mod end;
mod error;
mod exit;
mod exit_error;
mod follower;
mod foreign;
mod group;
mod guard;
mod handle;
mod handover;
mod holders;
mod input;
mod invocation;
mod keeper;
mod last_use;
mod launch_options;
mod launcher;
mod launcher_id;
mod line;
mod lines;
mod lookup;
mod mark;
mod news;
mod open_output;
mod orphans;
mod output;
mod patient;
mod pipeline;
mod programs;
mod reader;
mod reaper;
mod reporting;
mod request;
mod reserve;
mod running;
mod shared;
mod shim;
mod spawner;
mod start;
mod start_threads;
mod stop;
mod stop_all;
mod stopper;
mod streams;
mod supervisor;
mod system;
mod tag;
mod trace;
mod tree;
mod tree_signal;
mod turns;
mod user;
mod writer;

pub use builder::Builder;
pub use children::live_processes;
pub(crate) use children::{live, stop_daemons, wait_for_non_daemons};
pub use error::SpawnError;
pub use exit::{Exit, ProcessInfo, ProcessState};
pub use exit_error::ExitError;
pub use group::ProcessGroup;
pub use handle::Process;
pub use launch_options::LaunchOptions;
pub use launcher::Launcher;
pub(crate) use launcher_id::LauncherId;
pub use line::Line;
pub use lines::Lines;
pub use output::{Captured, Output, Stream};
pub use pipeline::{Pipeline, PipelineBuilder};
pub use reader::OutputReader;
pub use running::{AdoptError, RunningProcess, running_processes};
pub use stop::{StopReport, TreeMember};
pub(crate) use stopper::wait_until_idle;
pub use streams::Redirect;
pub use writer::InputWriter;
