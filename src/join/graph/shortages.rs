//! The waits that need spare threads.

use std::sync::Arc;

use super::super::workers::{Shortage, Workers};

/// The waits that need spare threads. They must be [served](Self::serve) before the thread parks.
#[must_use]
#[derive(Default)]
pub(crate) struct Shortages(pub(crate) Vec<PoolShortage>);

pub(crate) struct PoolShortage {
    pub(crate) workers: Arc<Workers>,
    pub(crate) waits: Vec<Shortage>,
    /// The spare threads that are stuck too.
    pub(crate) stuck: Vec<u64>,
}

impl Shortages {
    /// Wakes or starts spare threads.
    pub(crate) fn serve(self) {
        for pool in self.0 {
            pool.workers.serve(pool.waits, &pool.stuck);
        }
    }
}
