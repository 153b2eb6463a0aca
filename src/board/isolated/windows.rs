//! Windows, where there are no isolated workers: their items fail with that reason.

use std::convert::Infallible;
use std::process::ExitCode;

use crate::board::item::ItemOutcome;
use crate::jobs::{Item, ItemError, JobSpec};
use crate::join::{CancelToken, Context};

/// Starts no workers.
#[derive(Clone)]
pub(super) struct Isolation;

impl Isolation {
    pub(super) fn of_this_program() -> Self {
        Self
    }

    pub(super) fn worker_pool(
        &self,
        _name: &str,
        _spec: &JobSpec,
        _force_stop: CancelToken,
    ) -> Result<WorkerPool, ItemError> {
        let message = "there are no isolated processes on this system; run it on the pool";
        Err(ItemError::new("no_worker", message))
    }
}

/// Cannot exist: this system has no isolated workers.
pub(super) struct WorkerPool(Infallible);

impl WorkerPool {
    pub(super) fn run(
        &self,
        _task: &str,
        _item: &Item,
        _context: &Context,
        _observer: &(),
    ) -> ItemOutcome {
        match self.0 {}
    }

    pub(super) fn shutdown(&self) {
        match self.0 {}
    }
}

/// Returns `None`: this program is never started as a worker.
pub fn run_as_worker() -> Option<ExitCode> {
    None
}
