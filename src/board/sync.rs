//! Cancellable waits.

use std::sync::{Condvar, MutexGuard};

use crate::jobs::CANCEL_POLL_INTERVAL;
use crate::join::Context;
use crate::join::sync::ignore_poison;

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
        guard = ignore_poison(waited).0;
    }
    guard
}
