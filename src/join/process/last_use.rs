//! The last use of the data of a child that has ended.

use super::super::sync::{AtomicU8, Ordering};

const HAS_ENDED: u8 = 1;
const IS_ABANDONED: u8 = 2;

/// Whether a child has ended, and whether its last handle is gone. Both are noted by different
/// threads. Whichever comes second is the last use, and drops the data of the child.
pub(super) struct LastUse(AtomicU8);

impl LastUse {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Notes the end. Returns whether no handle was left.
    pub(super) fn note_end(&self) -> bool {
        // Both notes change the same atomic in one step each, so one of them comes first and the
        // other one sees it, whatever the ordering. With a store and a load of two atomics, both
        // could miss the other. `AcqRel` lets the second one see all that the first one did before.
        self.0.fetch_or(HAS_ENDED, Ordering::AcqRel) & IS_ABANDONED != 0
    }

    /// Notes that no handle is left. Returns whether the child had ended.
    pub(super) fn note_abandoned(&self) -> bool {
        // As in `note_end`.
        self.0.fetch_or(IS_ABANDONED, Ordering::AcqRel) & HAS_ENDED != 0
    }

    /// Whether the child has ended and no handle is left. The thread that noted the second of the
    /// two gets true.
    pub(super) fn is_over(&self) -> bool {
        // Pairs with the `AcqRel` of the notes. A thread that misses the second note here does not
        // lose it: who noted it tells the reaper.
        self.0.load(Ordering::Acquire) == HAS_ENDED | IS_ABANDONED
    }
}
