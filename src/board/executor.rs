use std::sync::Arc;

use super::isolated::{Isolation, WorkerPool};
use super::item::{ItemOutcome, ItemTask};
use crate::jobs::{ItemError, JobSpec, RunOn};
use crate::join::{self, CancelToken, Context, Pool, SpawnError};

/// The number of tasks that may wait in the pool's queue for each worker, so that none waits for the
/// coordinator.
const MAX_QUEUED: usize = 64;

/// Runs the items of a job: on a pool, on threads of their own or in isolated workers.
pub(super) enum Executor {
    Pool(Pool),
    Threads(join::Priority),
    /// Each thread of the pool hands its items to workers.
    Processes(Pool, Arc<WorkerPool>),
    /// No item can run, for this reason.
    Unavailable(ItemError),
}

impl Executor {
    /// `force_stop` ends the grace of isolated workers that were cancelled.
    ///
    /// # Errors
    /// The system refused a thread of the pool.
    pub(super) fn new(
        name: &str,
        spec: &JobSpec,
        isolation: &Isolation,
        force_stop: &CancelToken,
    ) -> Result<Self, SpawnError> {
        let priority = if spec.options.job().has_processes() {
            join::Priority::Normal
        } else {
            spec.priority.into()
        };
        let pool = |priority| pool(name, spec.workers.max(1), priority);
        Ok(match spec.run_on {
            RunOn::Thread => Self::Threads(priority),
            RunOn::Pool => Self::Pool(pool(priority)?),
            RunOn::Process if spec.options.job().has_processes() => Self::Pool(pool(priority)?),
            RunOn::Process => match isolation.worker_pool(name, spec, force_stop.clone()) {
                // The workers run at the job's priority. These threads wait nearly all the time, and
                // must run in time when a worker ignores a cancel.
                Ok(workers) => Self::Processes(pool(join::Priority::Normal)?, Arc::new(workers)),
                Err(error) => Self::Unavailable(error),
            },
        })
    }

    /// A sentence for the user if the system has refused some of the threads that were asked for.
    pub(super) fn note_of_threads(&self, spec: &JobSpec) -> Option<String> {
        let (Self::Pool(pool) | Self::Processes(pool, _)) = self else {
            return None;
        };
        let (asked, allowed) = (spec.workers, pool.threads());
        (allowed < asked)
            .then(|| format!("{asked} workers were asked for, and the system allows {allowed}."))
    }

    /// The number of items that may be tasks at once.
    pub(super) fn capacity(&self, spec: &JobSpec) -> usize {
        let workers = spec.workers.max(1);
        match self {
            Self::Pool(_) | Self::Processes(..) => workers.saturating_mul(1 + MAX_QUEUED),
            Self::Threads(_) | Self::Unavailable(_) => workers,
        }
    }

    pub(super) fn spawn(
        &self,
        name: String,
        code: impl FnOnce(&Context) -> ItemOutcome + Send + 'static,
    ) -> Result<ItemTask, SpawnError> {
        let builder = join::Builder::new(name);
        match self {
            Self::Pool(pool) | Self::Processes(pool, _) => builder.spawn_on(pool, code),
            Self::Threads(priority) => builder.priority(*priority).spawn(code),
            Self::Unavailable(_) => builder.spawn(code),
        }
    }

    /// Whether items run on the threads of a pool, not in isolated workers.
    pub(super) fn is_pool(&self) -> bool {
        matches!(self, Self::Pool(_))
    }

    /// The worker pool; `None` if items run on threads.
    pub(super) fn workers(&self) -> Option<&Arc<WorkerPool>> {
        match self {
            Self::Processes(_, workers) => Some(workers),
            Self::Pool(_) | Self::Threads(_) | Self::Unavailable(_) => None,
        }
    }

    /// Ends the isolated workers. No item may run.
    pub(super) fn shutdown(&self) {
        if let Some(workers) = self.workers() {
            workers.shutdown();
        }
    }
}

/// Starts a pool. It gets fewer threads if the system refuses so many.
fn pool(name: &str, threads: usize, priority: join::Priority) -> Result<Pool, SpawnError> {
    let mut threads = threads.min(max_threads());
    loop {
        let builder = Pool::builder().name(name).threads(threads);
        let built = builder.priority(priority).build();
        if built.is_ok() || threads == 1 {
            return built;
        }
        threads /= 2;
    }
}

/// A part of what the user may start, because the items start threads and processes as well.
#[cfg(unix)]
fn max_threads() -> usize {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nproc).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).unwrap_or(usize::MAX).max(1)
}

#[cfg(not(unix))]
fn max_threads() -> usize {
    usize::MAX
}
