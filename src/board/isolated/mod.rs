//! Isolated workers: an item runs in a process of its own, whose death costs that item alone.
//!
//! A job has a [`WorkerPool`] with at most as many workers as it has threads. A worker starts when
//! an item finds none idle. A pool thread sends its item to a worker and waits for the result,
//! forwarding progress and cancellation; it also notices when the worker dies, violates the
//! protocol, or ignores a cancel. Then the worker is stopped with its descendants, and the next item
//! gets a new one.
//!
//! [`lease`] hands out the workers of a job, [`session`] is the conversation about one item over a
//! [`transport`], in messages of the [`protocol`]; [`worker_main`] is the worker's side.

mod lease;
mod pool;
mod protocol;
mod session;
mod transport;
mod worker;
mod worker_main;

pub(super) use self::pool::WorkerPool;
pub use self::worker_main::run_as_worker;
use crate::jobs::{ItemError, JobSpec};
use crate::join::CancelToken;
use crate::join::process::Launcher;

/// Starts workers, where this program has a launcher.
#[derive(Clone)]
pub(super) struct Isolation(Option<Launcher>);

impl Isolation {
    /// Through the launcher that `main` installed, if any.
    pub(super) fn of_this_program() -> Self {
        Self(Launcher::installed())
    }

    pub(super) fn through(launcher: Launcher) -> Self {
        Self(Some(launcher))
    }

    pub(super) fn launcher(&self) -> Option<Launcher> {
        self.0.clone()
    }

    /// The pool of a job; no worker is started yet. `force_stop` ends the grace of workers
    /// that were cancelled.
    ///
    /// # Errors
    /// Why no item of the job can run.
    pub(super) fn worker_pool(
        &self,
        name: &str,
        spec: &JobSpec,
        force_stop: CancelToken,
    ) -> Result<WorkerPool, ItemError> {
        let launcher = self.0.clone().ok_or_else(|| {
            pool::no_worker(
                "this program has not installed the launcher that starts them; run it on the pool",
            )
        })?;
        WorkerPool::new(launcher, name, spec, force_stop)
    }
}
