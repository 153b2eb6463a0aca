//! The number of a launcher.

use std::sync::atomic::{AtomicU64, Ordering};

/// Tells launchers apart. Clones of a launcher have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LauncherId(u64);

impl LauncherId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // A counter orders nothing else.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
