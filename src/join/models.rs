//! Model checks: loom runs each of them through every interleaving of its threads. Models of three
//! threads are limited to interleavings with at most three preemptions.
//!
//! These models build their own headers and graphs, which makes them small; those of `handles` use the
//! public interface. `tests/all.sh` runs them:
//! `RUSTFLAGS="--cfg loom" cargo test --no-default-features --lib`.

mod cancels;
mod ends;
mod followers;
mod handles;
mod pool;
mod queue;
mod reports;
mod timers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::changes::{Changes, Subscription};
use super::error::JoinError;
use super::graph::Graph;
use super::handle::Handle;
use super::header::{Header, Spec};
use super::id::TaskId;
use super::info::Placement;
use super::owned::OwnedTask;
use super::owned_job::owned;
use super::registry;
use super::shared_job::shared;
use super::sync::{AtomicBool, Ordering};
use super::task::Task;
use super::wait;

fn task<T: Send + Sync + 'static>(
    id: u64,
    changes: Option<&Changes>,
    f: impl FnOnce() -> T + Send + 'static,
) -> Task<T> {
    placed(Placement::Thread, id, changes, f)
}

fn placed<T: Send + Sync + 'static>(
    placement: Placement,
    id: u64,
    changes: Option<&Changes>,
    f: impl FnOnce() -> T + Send + 'static,
) -> Task<T> {
    let (code, slot) = shared(move |_| f());
    let header = Header::new(spec(placement, id, changes), code);
    Task::new(Handle::first(Arc::new(header)), slot)
}

fn owned_task<T: Send + 'static>(
    id: u64,
    changes: Option<&Changes>,
    f: impl FnOnce() -> T + Send + 'static,
) -> OwnedTask<T> {
    let (code, slot) = owned(move |_| f());
    let header = Header::new(spec(Placement::Thread, id, changes), code);
    OwnedTask::new(Handle::first(Arc::new(header)), slot)
}

fn spec(placement: Placement, id: u64, changes: Option<&Changes>) -> Spec {
    Spec {
        id: TaskId::new(id),
        name: None,
        daemon: false,
        placement,
        subscription: Subscription::new(changes),
    }
}

/// Loom recommends this bound for more than two threads: nearly all faults show with two or three
/// preemptions, and each further one multiplies the time.
fn three_threads(model: impl Fn() + Send + Sync + 'static) {
    preempted(3, model);
}

fn preempted(times: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(times);
    builder.max_branches = 10_000;
    builder.check(model);
}

fn run<T>(task: &Task<T>) {
    run_header(task.header());
}

fn run_header(task: &Arc<Header>) {
    if task.run() {
        task.settle();
    }
}

fn cancel<T>(task: &Task<T>) {
    registry::cancel(task.header());
}

fn join<T: Copy>(graph: &Graph, task: &Task<T>, deadline: Option<Instant>) -> Result<T, JoinError> {
    wait::for_one(graph, task.header(), deadline)?;
    task.poll()
        .expect("a join that returned has an outcome")
        .copied()
}

/// A deadline. Loom decides when it passes.
fn some_deadline() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(1))
}

/// Fails when it is dropped twice.
struct DropCheck(Arc<AtomicBool>);

impl Drop for DropCheck {
    fn drop(&mut self) {
        assert!(!self.0.swap(true, Ordering::Relaxed), "dropped twice");
    }
}
