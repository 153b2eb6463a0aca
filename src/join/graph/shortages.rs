//! The waits that need spare threads.

use std::sync::Arc;

use super::super::innermost::InnermostTask;
use super::super::workers::{Service, Shortage, StuckSpares, Workers};

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

/// What has become of shortages.
#[derive(Default)]
pub(super) struct Served {
    /// Whether this thread has run tasks. Waits that began meanwhile counted on it.
    pub(super) has_run: bool,
    /// The pools whose queued tasks no thread can run.
    pub(super) refused: Vec<u64>,
}

impl Shortages {
    /// Wakes or starts spare threads. If the system refuses one, this thread runs what is queued, if it can.
    /// Before that it passes to `before` where it notes what it runs.
    pub(super) fn serve(self, before: impl Fn(InnermostTask)) -> Served {
        // All are added first: what this thread runs for one pool may wait for a task of another.
        let short = self.0.into_iter().filter_map(|pool| {
            let are_stuck = pool.workers.add_shortages(pool.waits, &pool.stuck);
            are_stuck.then_some(pool.workers)
        });
        let short: Vec<_> = short.collect();
        let mut served = Served::default();
        for workers in short {
            match workers.serve(&before) {
                Service::Settled => {}
                Service::RanHere => served.has_run = true,
                Service::Refused => served.refused.push(workers.pool()),
            }
        }
        served
    }
}
