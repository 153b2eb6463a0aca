//! The number of threads of a pool that wait for tasks of the same pool alone.
//!
//! If all its threads do, none of them can go on: the wait graph need not search for what they wait for.

use std::sync::Arc;

use super::sync::{AtomicUsize, Ordering};

/// Counts the waits of the threads of one pool that only tasks of the pool can end.
///
/// Waits are added under the lock of the graph, which orders them. A thread that ends a task takes the
/// waits away that this ends, before it can wait itself. So relaxed accesses suffice.
#[derive(Default)]
pub(crate) struct OwnWaits(Arc<AtomicUsize>);

impl OwnWaits {
    pub(crate) fn add(&self) -> OwnWait {
        self.0.fetch_add(1, Ordering::Relaxed);
        OwnWait(self.0.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One such wait. It counts until this is dropped.
pub(crate) struct OwnWait(Arc<AtomicUsize>);

impl Drop for OwnWait {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
