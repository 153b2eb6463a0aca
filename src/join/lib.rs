//! Background tasks that can be joined with or without a timeout.
//!
//! A [`Task`] is a computation on a [thread of its own](spawn) or on a [`Pool`]. Its handle can be
//! cloned, polled once a frame, and joined with or without a timeout, any number of times and from
//! any number of threads. A join does not consume the handle. The outcome (a value, a panic or a
//! cancel) is the same for every caller.
//!
//! It does three things that std's `JoinHandle` does not:
//! - A join with a timeout leaves the task joinable.
//! - A panic comes back as a [`PanicReport`] with location and backtrace, not as a bare payload.
//! - A task that joins itself, and tasks that join each other in a cycle, get an error instead of a
//!   deadlock.
//!
//! A window must not block. Once a frame it takes the changed tasks from [`Changes`], which costs
//! one atomic load if no task changed. A change wakes it.
//!
//! # Panics and cancels
//! A panic of a task is seen or heard. Whoever joins or polls the task gets its report. One that
//! nobody can ask for any more is printed, or given to the function set with [`on_panic`]. The
//! library sets a panic hook at the first spawn; a hook that is set later should call
//! [`record_panic`].
//!
//! A cancel is a request. [`Context::check`] returns it, so that `?` stops the work;
//! [`cancellable`] then makes it the outcome of the task. [`Context::checkpoint`] unwinds instead.
//!
//! In a program built with `panic = "abort"`, a panic prints its message and ends the program, as
//! it would without this library. `checkpoint` does not unwind there, so that a cancel never ends
//! the program: use `check` or `is_cancelled`.
//!
//! [`conformance`] compares each promise with Python and std and names the test that holds it.
//!
//! This crate depends on no window toolkit and no file format.

#![warn(missing_docs)]

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("README.md")]
struct Readme;

/// The promises of this module, from `src/join/CONFORMANCE.md`.
#[cfg(doc)]
#[doc = include_str!("CONFORMANCE.md")]
pub mod conformance {}

mod any_task;
mod as_completed;
mod builder;
mod callback_guard;
mod cancel_marks;
mod cancel_tree;
mod cancellable;
mod changes;
mod clock;
mod context;
mod current;
mod error;
mod graph;
mod handle;
mod handle_count;
mod header;
mod id;
mod info;
#[cfg(loom)]
mod loom_park;
#[cfg(all(test, loom))]
mod models;
mod panic;
mod parking;
mod pool;
mod priority;
#[cfg(all(unix, feature = "process", not(loom)))]
pub mod process;
#[cfg(all(unix, test, loom))]
#[path = "process/models.rs"]
mod process_models;
mod progress;
mod registry;
mod scope;
mod select;
mod shutdown;
#[cfg(all(test, not(any(loom, other_unix))))]
mod simulation;
mod state;
mod sync;
mod targets;
mod task;
mod token;
mod wait;
mod wait_many;
mod waiters;
#[cfg(not(loom))]
pub mod watchdog;
mod workers;

pub use any_task::{AnyTask, find};
pub use as_completed::{AsCompleted, CompletionError, as_completed};
pub use builder::{Builder, spawn};
pub use callback_guard::CallbackGuard;
pub use cancellable::cancellable;
pub use changes::Changes;
pub use context::Context;
pub use current::current;
pub use error::{Cancelled, JoinError, SpawnError};
pub use graph::{WaitGraph, WaitInfo, wait_graph};
pub use id::TaskId;
pub use info::{Placement, Progress, TaskInfo, TaskState};
pub use panic::{PanicLocation, PanicReport, PayloadKind, on_panic, record_panic};
pub use parking::Unparker;
pub use pool::{Pool, PoolBuilder};
pub use priority::Priority;
pub use registry::enumerate;
pub use scope::{Scope, scope};
pub use select::{Select, SelectError};
pub use shutdown::{ShutdownReport, shutdown};
pub use task::Task;
pub use token::CancelToken;
pub use wait_many::{WaitOutcome, WaitUntil, Waited, wait};
