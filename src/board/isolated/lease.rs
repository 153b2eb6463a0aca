//! Hands out the workers of a job, and limits how often a refused start is retried.
//!
//! When the system refuses to start a worker while others are leased, the item waits for one of
//! those: a released worker takes the item, a lost one leaves room for another start. With no other
//! worker, the start is retried for a while.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::worker::Worker;
use crate::jobs::retry::{Refusals, Shortage};
use crate::join::process::SpawnError;
use crate::join::{Context, Unparker};

/// The living workers of a job, idle or leased.
#[derive(Default)]
pub(super) struct Leases {
    state: Mutex<LeaseState>,
}

#[derive(Default)]
struct LeaseState {
    idle: Vec<Worker>,
    /// The number that is leased or being started.
    busy: usize,
    /// The number of times that a leased worker was released or lost.
    changes: u64,
    /// The starts that were refused with no other worker there; none since one succeeded.
    refusals: Refusals,
    /// The items that wait for the next change.
    waiting: Vec<Unparker>,
}

/// A worker in use. It is stopped when the lease is dropped without a release.
pub(super) struct WorkerLease<'a> {
    pub(super) worker: Worker,
    pub(super) is_new: bool,
    /// Dropped after the worker: when waiters see the permit back, the worker is gone.
    permit: Permit<'a>,
}

/// Counts as one busy worker.
struct Permit<'a>(&'a Leases);

impl Leases {
    /// An idle worker, or a new one; `None` when the item is cancelled before there is one. Calls `waits`
    /// if it has been waiting for other programs for a while.
    ///
    /// # Errors
    /// No worker can be started, and there is none to wait for.
    pub(super) fn acquire(
        &self,
        start: impl Fn() -> Result<Worker, SpawnError>,
        context: &Context,
        waits: impl Fn(),
    ) -> Result<Option<WorkerLease<'_>>, SpawnError> {
        while !context.is_cancelled() {
            let seen = match self.take_idle_one() {
                Ok(lease) => return Ok(Some(lease)),
                Err(changes) => changes,
            };
            match self.start_one(&start) {
                Ok(lease) => return Ok(Some(lease)),
                Err(error) => self.wait_to_retry(error, seen, context, &waits)?,
            }
        }
        Ok(None)
    }

    pub(super) fn take_idle(&self) -> Vec<Worker> {
        std::mem::take(&mut self.state.lock().idle)
    }

    /// Leases an idle worker; if there is none, returns the current change count.
    fn take_idle_one(&self) -> Result<WorkerLease<'_>, u64> {
        let mut state = self.state.lock();
        let Some(mut worker) = state.idle.pop() else {
            return Err(state.changes);
        };
        state.busy += 1;
        worker.begin_item();
        Ok(self.lease(worker, false))
    }

    /// A new worker, counted as busy while it is started.
    fn start_one(
        &self,
        start: impl Fn() -> Result<Worker, SpawnError>,
    ) -> Result<WorkerLease<'_>, SpawnError> {
        self.state.lock().busy += 1;
        let started = start();
        let mut state = self.state.lock();
        match started {
            Ok(worker) => {
                state.refusals = Refusals::default();
                Ok(self.lease(worker, true))
            }
            Err(error) => {
                state.busy -= 1;
                state.wake_all();
                Err(error)
            }
        }
    }

    /// Waits after a refused start until another attempt makes sense.
    ///
    /// # Errors
    /// The refusal, if another attempt cannot succeed.
    fn wait_to_retry(
        &self,
        refusal: SpawnError,
        seen: u64,
        context: &Context,
        waits: &impl Fn(),
    ) -> Result<(), SpawnError> {
        let mut state = self.state.lock();
        let Some(shortage) = shortage(&refusal) else {
            return Err(refusal);
        };
        if state.busy > 0 {
            drop(state);
            self.wait_while(None, context, |state| {
                state.changes == seen && state.busy > 0
            });
            return Ok(());
        }
        let Some(attempt) = state.refusals.next(shortage) else {
            return Err(refusal);
        };
        drop(state);
        if attempt.is_long {
            waits();
        }
        let retry_at = Instant::now() + attempt.after;
        self.wait_while(Some(retry_at), context, |state| state.changes == seen);
        Ok(())
    }

    /// Waits while the condition holds, until the deadline or a cancel.
    fn wait_while(
        &self,
        deadline: Option<Instant>,
        context: &Context,
        condition: impl Fn(&LeaseState) -> bool,
    ) {
        let left = || {
            deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            })
        };
        while !left().is_zero() {
            {
                let mut state = self.state.lock();
                if !condition(&state) {
                    return;
                }
                state.waiting.push(context.unparker());
            }
            if context.park_timeout(left()).is_err() {
                return;
            }
        }
    }

    /// A lease for a worker that is already counted as busy.
    fn lease(&self, worker: Worker, is_new: bool) -> WorkerLease<'_> {
        WorkerLease {
            worker,
            is_new,
            permit: Permit(self),
        }
    }
}

impl WorkerLease<'_> {
    /// Returns the worker for the next item.
    pub(super) fn release(self) {
        let Self { worker, permit, .. } = self;
        permit.0.state.lock().idle.push(worker);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.busy -= 1;
        state.changes += 1;
        state.wake_all();
    }
}

impl LeaseState {
    fn wake_all(&mut self) {
        for waiting in self.waiting.drain(..) {
            waiting.unpark();
        }
    }
}

/// What there was too little of, so that a later start may succeed.
fn shortage(error: &SpawnError) -> Option<Shortage> {
    match error {
        SpawnError::TooManyOpenFiles { .. } => Some(Shortage::Files),
        SpawnError::Thread(_) | SpawnError::TooManyProcesses { .. } => Some(Shortage::Processes),
        _ => None,
    }
}
