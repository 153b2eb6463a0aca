//! Locks and cancellable waits.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::jobs::CANCEL_POLL_INTERVAL;
use crate::join::Context;

/// Locks data that no panic leaves half-changed, so a poisoned lock is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on `changed` while `condition` holds. Returns early, with the condition still true, when
/// the task of `context` is cancelled.
pub(super) fn wait_while<'a, T>(
    mut guard: MutexGuard<'a, T>,
    changed: &Condvar,
    context: &Context,
    condition: impl Fn(&T) -> bool,
) -> MutexGuard<'a, T> {
    while condition(&guard) && !context.is_cancelled() {
        let waited = changed.wait_timeout(guard, CANCEL_POLL_INTERVAL);
        guard = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    guard
}
