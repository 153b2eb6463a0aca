//! Points in time in an atomic.

use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time from which stamps count. It is the first use of this module.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// A time from the [`epoch`] on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(NonZeroU64);

impl Time {
    pub(crate) fn now() -> Self {
        // The epoch comes first, so that the difference is not negative on the first use.
        let epoch = epoch();
        let nanos = u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    pub(crate) fn instant(self) -> Instant {
        epoch() + Duration::from_nanos(self.0.get())
    }
}

/// A time that is set once, in nanoseconds since [`epoch`]; 0 while unset. It is set with release order
/// and read with acquire order: a thread that sees it also sees what was done before that time.
pub(crate) struct Stamp(AtomicU64);

impl Stamp {
    pub(crate) fn never() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn set_now(&self) {
        self.0.store(Time::now().0.get(), Ordering::Release);
    }

    pub(crate) fn time(&self) -> Option<Time> {
        NonZeroU64::new(self.0.load(Ordering::Acquire)).map(Time)
    }

    pub(crate) fn get(&self) -> Option<Instant> {
        self.time().map(Time::instant)
    }
}
