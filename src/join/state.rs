//! The state of a task, and the times at which it changed.

use super::clock::{Stamp, Time};
use super::info::TaskState;
use super::sync::{AtomicU8, Ordering};

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const RETURNED: u8 = 2;
const PANICKED: u8 = 3;
const CANCELLED: u8 = 4;

/// `Queued` → `Running` → `Returned`, `Panicked` or `Cancelled`; or `Queued` → `Cancelled`.
///
/// Every store has release order and every load has acquire order. So a thread that sees the end also
/// sees the outcome, and one that sees the start its time, which are stored before.
pub(crate) struct StateCell(AtomicU8);

impl StateCell {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(QUEUED))
    }

    pub(crate) fn get(&self) -> TaskState {
        match self.0.load(Ordering::Acquire) {
            QUEUED => TaskState::Queued,
            RUNNING => TaskState::Running,
            RETURNED => TaskState::Returned,
            PANICKED => TaskState::Panicked,
            _ => TaskState::Cancelled,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.load(Ordering::Acquire) >= RETURNED
    }

    pub(crate) fn set_running(&self) {
        self.0.store(RUNNING, Ordering::Release);
    }

    /// Publishes the outcome, which must be stored already.
    pub(crate) fn set_returned(&self, times: &Times) {
        self.finish(RETURNED, times);
    }

    /// As [`set_returned`](Self::set_returned).
    pub(crate) fn set_panicked(&self, times: &Times) {
        self.finish(PANICKED, times);
    }

    /// As [`set_returned`](Self::set_returned).
    pub(crate) fn set_cancelled(&self, times: &Times) {
        self.finish(CANCELLED, times);
    }

    fn finish(&self, state: u8, times: &Times) {
        times.finished.set_now();
        self.0.store(state, Ordering::Release);
    }
}

/// The times of a task.
pub(crate) struct Times {
    spawned: Time,
    finished: Stamp,
}

impl Times {
    pub(crate) fn new() -> Self {
        Self {
            spawned: Time::now(),
            finished: Stamp::never(),
        }
    }

    pub(crate) fn spawned(&self) -> Time {
        self.spawned
    }

    pub(crate) fn finished(&self) -> Option<Time> {
        self.finished.time()
    }
}
