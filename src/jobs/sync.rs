//! Locks that are never waited for.

use std::sync::{Mutex, MutexGuard, TryLockError};

/// Locks a mutex unless another thread holds it. Like [`lock`](crate::join::sync::lock) it ignores that
/// a thread panicked while it held the lock; otherwise the lock would look held for ever.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
