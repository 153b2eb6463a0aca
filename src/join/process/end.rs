//! The end of a process, as threads wait for it and callbacks follow it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::super::sync::{Condvar, Mutex, ignore_poison, lock, wait_timeout};

pub(super) type Callback = Box<dyn FnOnce() + Send>;

/// The end of a process. It is published once. Every thread that waits for it is woken, and every
/// callback runs once, after it was published.
pub(super) struct End<E> {
    /// Set while `callbacks` is locked. So a thread that finds no exit under that lock adds its
    /// callback, or waits, before the exit is published.
    exit: OnceLock<E>,
    callbacks: Mutex<Vec<Callback>>,
    /// Notified after the exit was set. Waits for it hold the lock of `callbacks`.
    published: Condvar,
}

impl<E: Copy> End<E> {
    pub(super) fn new() -> Self {
        Self {
            exit: OnceLock::new(),
            callbacks: Mutex::new(Vec::new()),
            published: Condvar::new(),
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
        let callbacks = {
            let mut callbacks = lock(&self.callbacks);
            self.exit.get_or_init(|| exit);
            std::mem::take(&mut *callbacks)
        };
        self.published.notify_all();
        callbacks
    }

    /// Adds a callback. Returns it if the exit was published before, for the caller to run.
    pub(super) fn add_callback(&self, callback: Callback) -> Option<Callback> {
        let mut callbacks = lock(&self.callbacks);
        if self.exit().is_some() {
            return Some(callback);
        }
        callbacks.push(callback);
        None
    }

    /// Blocks until the exit is published or the deadline has passed.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<E> {
        let mut callbacks = lock(&self.callbacks);
        loop {
            if let Some(exit) = self.exit() {
                return Some(exit);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            callbacks = match left {
                None => ignore_poison(self.published.wait(callbacks)),
                Some(Duration::ZERO) => return None,
                Some(left) => wait_timeout(&self.published, callbacks, left).0,
            };
        }
    }
}
