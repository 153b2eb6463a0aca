//! The end of a process, as threads wait for it and callbacks follow it.

use std::sync::OnceLock;
use std::time::Instant;

use super::super::sync::{current_thread, park_until};
use super::super::waiters::{Callback, Waiter, Waiters};

/// The end of a process. It is published once. Every thread that waits for it is woken, and every
/// callback runs once, after it was published.
pub(super) struct End<E> {
    /// Set before the waiters are taken. So a thread that finds no exit while it adds a waiter adds it
    /// before they are taken.
    exit: OnceLock<E>,
    waiters: Waiters,
}

impl<E: Copy> End<E> {
    pub(super) fn new() -> Self {
        Self {
            exit: OnceLock::new(),
            waiters: Waiters::new(()),
        }
    }

    /// Returns the exit once it is published. Takes one atomic load.
    #[inline]
    pub(super) fn exit(&self) -> Option<E> {
        self.exit.get().copied()
    }

    /// Publishes the exit and wakes the threads that wait. Returns the callbacks, which the caller
    /// must run.
    pub(super) fn publish(&self, exit: E) -> Vec<Callback> {
        self.exit.get_or_init(|| exit);
        let (waiters, callbacks) = self.waiters.take();
        waiters.for_each(Waiter::wake);
        callbacks
    }

    /// Adds a callback. Returns the ticket for [`remove_callback`](Self::remove_callback).
    ///
    /// # Errors
    /// Returns the callback if the exit was published before, for the caller to run.
    pub(super) fn add_callback(&self, callback: Callback) -> Result<u64, Callback> {
        self.waiters
            .add_callback(callback, || self.exit().is_some())
    }

    pub(super) fn remove_callback(&self, ticket: u64) {
        self.waiters.remove_callback(ticket);
    }

    /// Has the end wake a waiter. Returns the ticket for [`remove_waiter`](Self::remove_waiter), or
    /// `None` if the exit was published before.
    pub(super) fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        self.waiters.add(waiter, || self.exit().is_some())
    }

    pub(super) fn remove_waiter(&self, ticket: u64) {
        self.waiters.remove(ticket);
    }

    /// Blocks until the exit is published or the deadline has passed.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<E> {
        if let Some(ticket) = self.add_waiter(Waiter::Thread(current_thread())) {
            while self.exit().is_none() && park_until(deadline) {}
            self.remove_waiter(ticket);
        }
        self.exit()
    }
}
