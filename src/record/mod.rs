//! What happened, as plain data.
//!
//! The [`Record`] is the only thing the window reads. It is built from [`Event`]s alone, each a
//! past fact with its time, so the same events can be replayed, exported and tested without a
//! window and without running anything.

mod event;
mod export;
mod frames;
mod item;
mod job;
mod join;
mod rate;

use std::collections::BTreeMap;

pub use event::{Event, EventKind, PanicKey};
pub use export::{job_text, panic_text, write_json};
pub use frames::{FrameHistory, FrameSummary, SLOW_FRAME};
pub use item::{Backtrace, ItemId, ItemRecord, ItemState, Panic};
pub use job::{Counts, JobId, JobRecord, JobState, Rate};
pub use join::{JoinEnd, JoinId, JoinRecord};

/// Every job of this run of the program, oldest first.
#[derive(Debug, Default)]
pub struct Record {
    jobs: BTreeMap<JobId, JobRecord>,
    revision: u64,
}

impl Record {
    /// Adds what one event says. Events of a job that is no longer kept are ignored.
    pub fn apply(&mut self, event: Event) {
        self.revision += 1;
        if let EventKind::JobDidStart { spec } = event.kind {
            self.jobs
                .insert(event.job, JobRecord::new(event.job, spec, event.at));
        } else if let Some(job) = self.jobs.get_mut(&event.job) {
            job.apply(event.at, event.kind);
        }
    }

    /// The jobs, oldest first.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &JobRecord> {
        self.jobs.values()
    }

    /// One job, if it is kept.
    pub fn job(&self, id: JobId) -> Option<&JobRecord> {
        self.jobs.get(&id)
    }

    /// Drops an ended job and everything it came back with. A job that runs is kept.
    pub fn forget(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(|job| job.state().is_ended()) {
            self.jobs.remove(&id);
            self.revision += 1;
        }
    }

    /// A number that changes whenever anything in the record does.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}
