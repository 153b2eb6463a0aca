//! Pauses of a task that its cancel ends, and another thread may end.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::cancel_tree::{CancelNode, Entry};
use super::error::Cancelled;
use super::sync::{Mutex, Thread, current_thread, lock, park_until};
use super::waiters::Waiter;

/// Ends a [`park`](super::Context::park) of a task; see [`Context::unparker`](super::Context::unparker).
#[derive(Clone)]
pub struct Unparker(Arc<Parking>);

/// The parked threads of a task.
#[derive(Default)]
pub(crate) struct Parking(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether the next park returns at once.
    is_unparked: bool,
    next_ticket: u64,
    threads: Vec<(u64, Thread)>,
}

impl Unparker {
    pub(crate) fn new(parking: Arc<Parking>) -> Self {
        Self(parking)
    }

    /// Ends the task's park, or its next one if it does not park now. Several calls before that count
    /// as one. What this thread did before is visible after the park.
    pub fn unpark(&self) {
        let mut state = lock(&self.0.0);
        state.is_unparked = true;
        for (_, thread) in &state.threads {
            thread.unpark();
        }
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unparker").finish_non_exhaustive()
    }
}

impl Parking {
    /// Parks this thread until it is unparked or the deadline has passed.
    pub(crate) fn park(
        &self,
        cancel: &CancelNode,
        deadline: Option<Instant>,
    ) -> Result<(), Cancelled> {
        let ticket = {
            let mut state = lock(&self.0);
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.threads.push((ticket, current_thread()));
            ticket
        };
        let parked = pause(cancel, deadline, || {
            std::mem::take(&mut lock(&self.0).is_unparked)
        });
        lock(&self.0).threads.retain(|(it, _)| *it != ticket);
        parked
    }
}

/// Blocks this thread until the deadline has passed or the thread is unparked and `is_over` holds.
pub(crate) fn pause(
    cancel: &CancelNode,
    deadline: Option<Instant>,
    mut is_over: impl FnMut() -> bool,
) -> Result<(), Cancelled> {
    let waiter = Waiter::Thread(current_thread());
    let Ok(key) = cancel.add(Entry::Waiter(waiter)) else {
        return Err(Cancelled);
    };
    let is_cancelled = loop {
        if cancel.is_requested() {
            break true;
        }
        if is_over() || !park_until(deadline) {
            break false;
        }
    };
    cancel.remove(key);
    if is_cancelled { Err(Cancelled) } else { Ok(()) }
}
