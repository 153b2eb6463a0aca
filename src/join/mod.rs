//! Background tasks that can be joined on one's own terms.
//!
//! A [`Task`] is a computation on a [thread of its own](spawn) or on a [`Pool`]. Its handle can be
//! cloned, polled once a frame, joined with or without a timeout, any number of times and from any
//! number of threads; a join never consumes it. How the task ended (with a value, with a panic,
//! cancelled) is a value, the same for everybody who asks.
//!
//! What std's `JoinHandle` leaves open is settled here:
//! a join with a timeout keeps the task joinable; a panic comes back as a [`PanicReport`] with
//! place and backtrace instead of a payload; a task that joins itself, and tasks that join each
//! other in a ring, get an error instead of waiting for ever.
//!
//! A window must not wait. It asks [`Changes`] once a frame what changed since the last one, which
//! costs one atomic load when nothing did, and is woken when something does.
//!
//! This module knows no window toolkit and no file format.

mod builder;
mod cell;
mod clock;
mod context;
mod graph;
#[cfg(all(test, loom))]
mod models;
mod outcome;
mod panic;
mod pool;
mod priority;
#[cfg(all(unix, not(loom)))]
pub mod process;
mod registry;
mod scope;
mod sync;
mod task;
mod wait;
mod wake;

pub use builder::{Builder, spawn};
pub use context::{Context, current};
pub use graph::{WaitGraph, WaitInfo, wait_graph};
pub use outcome::{JoinError, Placement, Progress, SpawnError, TaskId, TaskInfo, TaskState};
pub use panic::{PanicLocation, PanicReport, PayloadKind};
pub use pool::{Pool, PoolBuilder};
pub use priority::Priority;
pub use registry::{ShutdownReport, enumerate, shutdown};
pub use scope::{Scope, scope};
pub use task::Task;
pub use wait::{AsCompleted, CompletionError, WaitEnd, WaitUntil, Waited, as_completed, wait};
pub use wake::Changes;
