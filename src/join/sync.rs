//! The primitives under this module: std's, or loom's where the models are checked.

use std::time::Instant;

#[cfg(loom)]
pub(crate) use loom::{
    sync::{
        Arc as CountedArc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{Thread, current as current_thread, park, yield_now},
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Arc as CountedArc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{Thread, current as current_thread, park, yield_now},
};

/// Locks a mutex whose holder never panics: no foreign code runs under a lock of this module.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Parks this thread until it is unparked or the deadline has passed, or for no reason at all.
///
/// Returns false when the deadline has passed; it may return true once more after that.
#[cfg(not(loom))]
pub(crate) fn park_until(deadline: Option<Instant>) -> bool {
    let Some(deadline) = deadline else {
        park();
        return true;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    std::thread::park_timeout(left);
    true
}

/// A model has no clock: a deadline passes at some point after another thread has had its turn.
#[cfg(loom)]
pub(crate) fn park_until(deadline: Option<Instant>) -> bool {
    if deadline.is_none() {
        park();
        return true;
    }
    loom::thread::yield_now();
    false
}
