//! Where the items of a job run: on a pool, on threads of their own or in isolated workers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::isolated::{Crew, Isolation};
use super::run::{ItemTask, Outcome};
use crate::jobs::{ItemError, JobSpec, RunOn};
use crate::join::{self, Context, Pool, SpawnError};

/// How many tasks may lie ready in the pool's queue, so that no worker waits for the coordinator.
const QUEUED_AHEAD: usize = 64;

/// Where the items run.
pub(super) enum Lane {
    Pool(Pool),
    Threads(join::Priority),
    /// Each thread of the pool lends its items to workers.
    Processes(Pool, Arc<Crew>),
    /// They can't, for this reason.
    Nowhere(ItemError),
}

impl Lane {
    pub(super) fn new(
        name: &str,
        spec: &JobSpec,
        isolation: &Isolation,
        hurry: &Arc<AtomicBool>,
    ) -> Result<Self, SpawnError> {
        let priority = if spec.options.job().has_processes() {
            join::Priority::Normal
        } else {
            spec.priority.into()
        };
        let pool = |priority| {
            Pool::builder()
                .name(name)
                .threads(spec.workers.max(1))
                .priority(priority)
                .build()
        };
        Ok(match spec.run_on {
            RunOn::Thread => Self::Threads(priority),
            RunOn::Pool => Self::Pool(pool(priority)?),
            RunOn::Process if spec.options.job().has_processes() => Self::Pool(pool(priority)?),
            RunOn::Process => match isolation.crew(name, spec, Arc::clone(hurry)) {
                // It is the workers that yield. Who lends them items waits nearly all the time, and
                // has to be there in time when a cancel is not minded.
                Ok(crew) => Self::Processes(pool(join::Priority::Normal)?, Arc::new(crew)),
                Err(error) => Self::Nowhere(error),
            },
        })
    }

    /// How many items may be tasks at once.
    pub(super) fn capacity(&self, spec: &JobSpec) -> usize {
        let workers = spec.workers.max(1);
        match self {
            Self::Pool(_) | Self::Processes(..) => workers + QUEUED_AHEAD,
            Self::Threads(_) | Self::Nowhere(_) => workers,
        }
    }

    pub(super) fn spawn(
        &self,
        name: String,
        code: impl FnOnce(&Context) -> Outcome + Send + 'static,
    ) -> Result<ItemTask, SpawnError> {
        let builder = join::Builder::new(name);
        match self {
            Self::Pool(pool) | Self::Processes(pool, _) => builder.spawn_on(pool, code),
            Self::Threads(priority) => builder.priority(*priority).spawn(code),
            Self::Nowhere(_) => builder.spawn(code),
        }
    }

    /// Those who do the items in the place of the lane's own threads.
    pub(super) fn crew(&self) -> Option<&Arc<Crew>> {
        match self {
            Self::Processes(_, crew) => Some(crew),
            Self::Pool(_) | Self::Threads(_) | Self::Nowhere(_) => None,
        }
    }

    /// Ends what the lane has started. No item may run.
    pub(super) fn close(&self) {
        if let Some(crew) = self.crew() {
            crew.dismiss();
        }
    }
}
