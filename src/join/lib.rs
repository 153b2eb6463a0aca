//! [`Changes`]: Changes
//! [`Context::check`]: Context::check
//! [`Context::checkpoint`]: Context::checkpoint
//! [`Slot`]: Slot
//! [`Slot::start_after`]: Slot::start_after
//! [`after`]: after
//! [`cancellable`]: cancellable
//! [`on_panic`]: on_panic
//! [`record_panic`]: record_panic
//! [`shutdown`]: shutdown
//! [process-promises]: process::conformance
//! [task-promises]: conformance
// Of two targets of one link, the first counts. Those above are for this documentation, those of the
// README for its readers.
#![cfg_attr(
    any(not(doctest), all(unix, feature = "process")),
    doc = include_str!("README.md")
)]
#![warn(missing_debug_implementations, missing_docs)]

/// The promises of this module, from `src/join/CONFORMANCE.md`.
#[cfg(doc)]
#[doc = include_str!("CONFORMANCE.md")]
pub mod conformance {}

mod any_task;
mod as_completed;
mod builder;
mod callback_guard;
mod callback_threads;
mod calls;
mod cancel_marks;
mod cancel_scope;
mod cancel_tree;
mod cancellable;
mod changes;
mod clock;
mod closure;
mod code;
#[cfg(all(test, not(any(loom, other_unix))))]
mod completed_tests;
mod context;
mod current;
mod error;
mod extras;
mod follow;
mod future;
mod graph;
mod group;
mod handle;
mod handle_count;
mod header;
mod id;
mod idle;
mod info;
mod innermost;
#[cfg(loom)]
mod loom_park;
mod members;
#[cfg(all(test, loom))]
mod models;
mod nested;
mod output;
mod own_waits;
mod owned;
mod owned_job;
mod owned_slot;
mod panic;
mod parking;
mod parts;
mod place;
mod pool;
mod priority;
#[cfg(all(unix, feature = "process", not(loom)))]
pub mod process;
#[cfg(all(unix, test, loom))]
#[path = "process/models.rs"]
mod process_models;
mod progress;
mod promise;
mod queue;
#[cfg(all(test, not(any(loom, other_unix))))]
mod refused_spare_tests;
mod registry;
mod schedule;
mod scope;
mod select;
mod shared_job;
mod shared_slot;
mod shutdown;
#[cfg(all(test, not(any(loom, other_unix))))]
mod simulation;
mod slot;
mod slot_run;
mod slot_state;
#[cfg(all(feature = "tracing-layer", not(loom)))]
mod span_recorder;
#[cfg(all(test, not(any(loom, other_unix))))]
mod spare_tests;
mod started;
#[cfg(feature = "priority")]
mod starter;
mod state;
mod sync;
mod targets;
mod task;
mod timer;
mod token;
mod trace;
mod traced;
mod wait;
mod wait_many;
mod waiters;
#[cfg(not(loom))]
pub mod watchdog;
mod workers;

pub use any_task::{AnyTask, find};
pub use as_completed::{
    AsCompleted, CompletionError, as_completed, as_completed_deadline, as_completed_timeout,
};
pub use builder::{Builder, spawn};
pub use callback_guard::CallbackGuard;
pub use cancel_scope::{CancelScope, cancel_scope};
pub use cancellable::cancellable;
pub use changes::Changes;
pub use context::Context;
pub use current::current;
pub use error::{Cancelled, JoinError, SpawnError};
pub use future::JoinFuture;
pub use graph::{WaitGraph, WaitInfo, wait_graph};
pub use group::Group;
pub use id::TaskId;
pub use info::{Placement, Progress, ProgressUnit, TaskInfo, TaskState};
pub use output::IntoOutputError;
pub use owned::{OwnedTask, spawn_owned};
pub use panic::{PanicLocation, PanicReport, PayloadKind, on_panic, record_panic};
pub use parking::Unparker;
pub use parts::{Part, Parts};
pub use pool::{Pool, PoolBuilder};
pub use priority::Priority;
pub use promise::Promise;
pub use registry::live_tasks;
pub use schedule::{Every, Tick};
pub use scope::{Scope, scope};
pub use select::{Select, SelectError};
pub use shutdown::{
    RemainingProcess, ShutdownReport, shutdown, shutdown_deadline, shutdown_timeout,
};
pub use slot::Slot;
pub use slot_state::{SlotError, SlotState};
#[cfg(all(feature = "tracing-layer", not(loom)))]
pub use span_recorder::{RecordedSpan, RecordedSpans, SpanLane, SpanLayer, SpanRecorder};
pub use task::Task;
pub use timer::after;
pub use token::{CancelGuard, CancelToken};
pub use wait_many::{WaitOutcome, WaitUntil, Waited, wait, wait_deadline, wait_timeout};
