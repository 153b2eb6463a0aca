//! The workers of a job that live, idle or lent, and what to do when the system starts no more.
//!
//! While others are lent, an item that gets no worker waits for one of them: one that comes back
//! takes the item, one that is gone has left room for another. With none to wait for, what is short
//! may be in somebody else's hands for a moment, so a few more starts are tried.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Worker;
use crate::join::Context;
use crate::join::process::SpawnError;

/// How often a start is tried that the system refuses while there is no other worker, and how long
/// it is left alone in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// How long an item waits for a worker between two looks at whether a cancel was asked for.
const SLICE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(super) struct Staff {
    shift: Mutex<Shift>,
    did_change: Condvar,
}

#[derive(Default)]
struct Shift {
    idle: Vec<Worker>,
    /// How many are lent, or being started.
    busy: usize,
    /// How often one that was lent came back or was lost.
    changes: u64,
    /// Whether every try for the last item was refused: then the next has one only.
    gave_up: bool,
}

/// A worker in somebody's hands. It is stopped when it is dropped instead of given back.
pub(super) struct Lent<'a> {
    pub(super) worker: Worker,
    pub(super) is_new: bool,
    /// Dropped last: when others learn of it, the worker is gone.
    place: Place<'a>,
}

/// Counts as one that is lent.
struct Place<'a>(&'a Staff);

impl Staff {
    /// An idle worker, or a new one; `None` when the item is cancelled before there is one.
    ///
    /// # Errors
    /// None can be started, and there is none to wait for.
    pub(super) fn lend(
        &self,
        start: impl Fn() -> Result<Worker, SpawnError>,
        context: &Context,
    ) -> Result<Option<Lent<'_>>, SpawnError> {
        let mut refusals = 0;
        while !context.is_cancelled() {
            let seen = match self.take_one() {
                Ok(lent) => return Ok(Some(lent)),
                Err(seen) => seen,
            };
            match self.start_one(&start) {
                Ok(lent) => return Ok(Some(lent)),
                Err(error) => self.wait_for_room(error, seen, &mut refusals, context)?,
            }
        }
        Ok(None)
    }

    /// Those who are idle, for good.
    pub(super) fn take_idle(&self) -> Vec<Worker> {
        std::mem::take(&mut self.shift().idle)
    }

    /// An idle one. Where there is none: how often one had come back or was lost by then.
    fn take_one(&self) -> Result<Lent<'_>, u64> {
        let mut shift = self.shift();
        let Some(mut worker) = shift.idle.pop() else {
            return Err(shift.changes);
        };
        shift.busy += 1;
        worker.turn_page();
        Ok(self.hand_out(worker, false))
    }

    /// A new one, counted as busy while it is started.
    fn start_one(
        &self,
        start: impl Fn() -> Result<Worker, SpawnError>,
    ) -> Result<Lent<'_>, SpawnError> {
        self.shift().busy += 1;
        let started = start();
        let mut shift = self.shift();
        match started {
            Ok(worker) => {
                shift.gave_up = false;
                Ok(self.hand_out(worker, true))
            }
            Err(error) => {
                shift.busy -= 1;
                self.did_change.notify_all();
                Err(error)
            }
        }
    }

    /// Waits after a refusal until another try makes sense.
    ///
    /// # Errors
    /// None does: the refusal itself.
    fn wait_for_room(
        &self,
        refusal: SpawnError,
        seen: u64,
        refusals: &mut u32,
        context: &Context,
    ) -> Result<(), SpawnError> {
        let mut shift = self.shift();
        if !may_pass(&refusal) {
            return Err(refusal);
        } else if shift.busy > 0 {
            self.wait_for_change(shift, seen, context);
            return Ok(());
        }
        *refusals += 1;
        if *refusals == TRIES || shift.gave_up {
            shift.gave_up = true;
            return Err(refusal);
        }
        let is_the_same = |shift: &mut Shift| shift.changes == seen;
        let change = &self.did_change;
        drop(change.wait_timeout_while(shift, PAUSE, is_the_same));
        Ok(())
    }

    /// To somebody who is counted as busy.
    fn hand_out(&self, worker: Worker, is_new: bool) -> Lent<'_> {
        Lent {
            worker,
            is_new,
            place: Place(self),
        }
    }

    /// Waits until a worker has come back or was lost since `seen`, or none is left that could.
    fn wait_for_change(&self, mut shift: MutexGuard<'_, Shift>, seen: u64, context: &Context) {
        while shift.changes == seen && shift.busy > 0 && !context.is_cancelled() {
            let waited = self.did_change.wait_timeout(shift, SLICE);
            shift = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn shift(&self) -> MutexGuard<'_, Shift> {
        self.shift.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// The worker is idle again.
    pub(super) fn give_back(self) {
        let Self { worker, place, .. } = self;
        place.0.shift().idle.push(worker);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut shift = self.0.shift();
        shift.busy -= 1;
        shift.changes += 1;
        drop(shift);
        self.0.did_change.notify_all();
    }
}

/// Whether what a start lacks may be there a little later.
fn may_pass(error: &SpawnError) -> bool {
    use SpawnError::{Thread, TooManyOpenFiles, TooManyProcesses};
    matches!(
        error,
        Thread(_) | TooManyOpenFiles { .. } | TooManyProcesses { .. }
    )
}
