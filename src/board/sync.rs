//! Cancellable waits.

use parking_lot::{Condvar, MutexGuard};

use crate::jobs::CANCEL_POLL_INTERVAL;
use crate::join::Context;

/// Waits on `changed` while `condition` holds. Returns early, with the condition still true, when
/// the task of `context` is cancelled.
pub(super) fn wait_while<T>(
    guard: &mut MutexGuard<'_, T>,
    changed: &Condvar,
    context: &Context,
    condition: impl Fn(&T) -> bool,
) {
    while condition(guard) && !context.is_cancelled() {
        changed.wait_for(guard, CANCEL_POLL_INTERVAL);
    }
}
