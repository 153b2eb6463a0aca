//! The state of a task, and the times at which it changed.

use std::time::Instant;

use super::clock::{self, Stamp};
use super::info::TaskState;
use super::sync::{AtomicU8, Ordering};

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const RETURNED: u8 = 2;
const PANICKED: u8 = 3;
const CANCELLED: u8 = 4;

/// `Queued` → `Running` → `Returned`, `Panicked` or `Cancelled`; or `Queued` → `Cancelled`.
pub(crate) struct StateCell {
    /// Every store has release order and every load has acquire order. So a thread that sees the end also
    /// sees the outcome, and one that sees the start its time, which are stored before.
    state: AtomicU8,
    spawned_at: Stamp,
    started_at: Stamp,
    finished_at: Stamp,
}

impl StateCell {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(QUEUED),
            spawned_at: Stamp::now(),
            started_at: Stamp::never(),
            finished_at: Stamp::never(),
        }
    }

    pub(crate) fn get(&self) -> TaskState {
        match self.state.load(Ordering::Acquire) {
            QUEUED => TaskState::Queued,
            RUNNING => TaskState::Running,
            RETURNED => TaskState::Returned,
            PANICKED => TaskState::Panicked,
            _ => TaskState::Cancelled,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state.load(Ordering::Acquire) >= RETURNED
    }

    pub(crate) fn set_running(&self) {
        self.started_at.set_now();
        self.state.store(RUNNING, Ordering::Release);
    }

    /// Publishes the outcome, which must be stored already.
    pub(crate) fn set_returned(&self) {
        self.finish(RETURNED);
    }

    /// As [`set_returned`](Self::set_returned).
    pub(crate) fn set_panicked(&self) {
        self.finish(PANICKED);
    }

    /// As [`set_returned`](Self::set_returned).
    pub(crate) fn set_cancelled(&self) {
        self.finish(CANCELLED);
    }

    fn finish(&self, state: u8) {
        self.finished_at.set_now();
        self.state.store(state, Ordering::Release);
    }

    pub(crate) fn spawned_at(&self) -> Instant {
        self.spawned_at.get().unwrap_or_else(clock::epoch)
    }

    pub(crate) fn started_at(&self) -> Option<Instant> {
        self.started_at.get()
    }

    pub(crate) fn finished_at(&self) -> Option<Instant> {
        self.finished_at.get()
    }
}
