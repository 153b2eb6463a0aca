//! Points in time in an atomic.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time from which stamps count. It is the first use of this module.
pub(crate) fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// A time that is set once, in nanoseconds since [`epoch`]; 0 while unset. It is set with release order
/// and read with acquire order: a thread that sees it also sees what was done before that time.
pub(crate) struct Stamp(AtomicU64);

impl Stamp {
    pub(crate) fn never() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn now() -> Self {
        let stamp = Self::never();
        stamp.set_now();
        stamp
    }

    pub(crate) fn set_now(&self) {
        // The epoch comes first, so that the difference is not negative on the first use.
        let epoch = epoch();
        let nanos = u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos.max(1), Ordering::Release);
    }

    pub(crate) fn get(&self) -> Option<Instant> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            nanos => Some(epoch() + Duration::from_nanos(nanos)),
        }
    }
}
