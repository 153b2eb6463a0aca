//! The synchronization primitives of this library: those of std, or of loom under `--cfg loom`; and
//! the locking of mutexes for the whole crate.
//!
//! # Lock order
//!
//! A thread that holds a lock takes only locks further down in the same list. Foreign code runs without a
//! lock, but for the wake of a window in the second list. What is in no list is held alone. The module
//! `process` has a list of its own.
//!
//! Threads that are started once:
//! 1. [`Started::starting`](super::started::Started)
//! 2. the queue of `callback_threads`
//! 3. the start of the thread that starts others (`starter`)
//!
//! Progress of parts:
//! 1. the sum of an inner part, then those around it
//! 2. a list of changes
//!
//! Starts of a slot:
//! 1. the state of its run
//! 2. the queue of the timer
//!
//! Live tasks:
//! 1. `Registry::removal`
//! 2. the shards of the registry, in their order
//! 3. either the queues of the registry, then the front of each queue and its back; or the waiters of one task
//!
//! Waits:
//! 1. the graph
//! 2. the spare threads of a pool
//! 3. the members of a batch or of a group, or the ends in a group
//!
//! Cancels:
//! 1. the entries of a node, then those of its children
//! 2. the links to parents

use std::sync::{LockResult, PoisonError, TryLockError};
use std::time::{Duration, Instant};

#[cfg(loom)]
pub(crate) use super::loom_park::{Thread, current_thread, park};
#[cfg(loom)]
pub(crate) use loom::{
    sync::{
        Arc as CountedArc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    },
    thread::yield_now,
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Arc as CountedArc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    },
    thread::{Thread, current as current_thread, park, yield_now},
};

/// Defines a static that is made when it is first used. A model makes one for each of its runs, because
/// loom's primitives must not outlive a run.
#[cfg(not(loom))]
macro_rules! lazy {
    ($name:ident: $type:ty = $value:expr) => {
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $value);
    };
}
#[cfg(loom)]
macro_rules! lazy {
    ($name:ident: $type:ty = $value:expr) => {
        loom::lazy_static! { static ref $name: $type = $value; }
    };
}
pub(crate) use lazy;

/// Locks a mutex, even a poisoned one; see [`ignore_poison`].
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    ignore_poison(mutex.lock())
}

/// Locks a mutex, and returns whether that was possible without waiting.
pub(crate) fn lock_at_once<T>(mutex: &Mutex<T>) -> (MutexGuard<'_, T>, bool) {
    match mutex.try_lock() {
        Ok(guard) => (guard, true),
        Err(TryLockError::Poisoned(poisoned)) => (poisoned.into_inner(), true),
        Err(TryLockError::WouldBlock) => (lock(mutex), false),
    }
}

/// The guard of a lock or of a wait with a condition variable, even if the lock is poisoned. No
/// code of this crate that may panic leaves locked data half-changed.
pub(crate) fn ignore_poison<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

/// Looks for some microseconds whether a condition comes true: to park a thread and wake it again takes
/// longer than many tasks. Returns whether it holds.
///
/// With `yields`, other threads run in between, such as the one that makes it true. A thread that has
/// yielded runs some microseconds later once it is parked and woken.
#[cfg(not(loom))]
pub(crate) fn comes_soon(yields: bool, condition: impl Fn() -> bool) -> bool {
    const SPINS: u32 = 7;
    const YIELDS: u32 = 4;
    for round in 0..SPINS {
        if condition() {
            return true;
        }
        (0..1 << round).for_each(|_| std::hint::spin_loop());
    }
    for _ in 0..if yields { YIELDS } else { 0 } {
        if condition() {
            return true;
        }
        yield_now();
    }
    condition()
}

/// A model tries all orders anyway.
#[cfg(loom)]
pub(crate) fn comes_soon(_yields: bool, condition: impl Fn() -> bool) -> bool {
    condition()
}

/// Waits for a condition variable, at most for `timeout`. Returns whether it has timed out.
#[cfg(not(loom))]
pub(crate) fn wait_timeout<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> (MutexGuard<'a, T>, bool) {
    let (guard, result) = ignore_poison(condition.wait_timeout(guard, timeout));
    (guard, result.timed_out())
}

/// A model has no clock. There it times out at once.
#[cfg(loom)]
pub(crate) fn wait_timeout<'a, T>(
    _condition: &Condvar,
    guard: MutexGuard<'a, T>,
    _timeout: Duration,
) -> (MutexGuard<'a, T>, bool) {
    (guard, true)
}

/// Parks this thread until it is unparked or the deadline has passed. It may also wake spuriously.
///
/// Returns false if the deadline had passed before the call.
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
    park_for(left);
    true
}

/// Linux lets a sleep end late by the thread's timer slack, 50 µs by default, so that several
/// sleeps can end at once. Without it a timed wait is half as late.
#[cfg(all(target_os = "linux", feature = "timer-slack", not(any(loom, miri))))]
fn park_for(time: Duration) {
    use rustix::thread::{current_timer_slack, set_current_timer_slack};
    use std::num::NonZeroU64;

    let usual = current_timer_slack();
    // If the system refuses, the wait ends as late as usual.
    set_current_timer_slack(Some(NonZeroU64::MIN)).ok();
    std::thread::park_timeout(time);
    if let Ok(usual) = usual {
        set_current_timer_slack(NonZeroU64::new(usual)).ok();
    }
}

// Miri knows no timer slack.
#[cfg(not(any(all(target_os = "linux", feature = "timer-slack", not(miri)), loom)))]
use std::thread::park_timeout as park_for;

/// A model has no clock. There the deadline passes after another thread has run.
#[cfg(loom)]
pub(crate) fn park_until(deadline: Option<Instant>) -> bool {
    if deadline.is_none() {
        park();
        return true;
    }
    loom::thread::yield_now();
    false
}
