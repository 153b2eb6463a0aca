//! The waits that need spare threads.

use std::sync::Arc;

use super::super::workers::{InnermostTask, Shortage, StuckSpares, Workers};

/// The waits that need spare threads. They must be [served](Self::serve) before the thread parks.
#[must_use]
#[derive(Default)]
pub(crate) struct Shortages(pub(crate) Vec<PoolShortage>);

pub(crate) struct PoolShortage {
    pub(crate) workers: Arc<Workers>,
    pub(crate) waits: Vec<Shortage>,
    /// The spare threads that are stuck too.
    pub(crate) stuck: StuckSpares,
}

impl Shortages {
    /// Wakes or starts spare threads. If the system refuses one, this thread runs what is queued, after it
    /// has passed to `before` where it notes what it runs. Returns false if it can't do that either.
    pub(super) fn serve(self, before: impl Fn(InnermostTask)) -> bool {
        let mut are_served = true;
        for pool in self.0 {
            are_served &= pool.workers.serve(pool.waits, &pool.stuck, &before);
        }
        are_served
    }
}
