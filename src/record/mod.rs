//! The history of all jobs, as plain data.
//!
//! The [`Record`] is all that the window reads. It is built from [`JobEvent`]s alone, each with its
//! time. So events can be replayed, exported and tested without a window, and without running
//! anything.

mod counts;
mod event;
mod export;
mod frame_costs;
mod frames;
mod freezes;
mod incident;
mod item;
mod item_counts;
mod items;
mod job;
mod job_state;
mod job_trace;
mod join;
mod rate;
pub mod statistics;
mod timeline;
mod timeline_trace;
mod waits;

use std::collections::BTreeMap;

pub use counts::Counts;
pub use event::{EventKind, JobEvent, PanicKey, ThreadNumber};
pub use export::{job_text, panic_text, write_json};
pub use frame_costs::{FrameCost, FrameCosts};
pub use frames::{FrameHistory, FrameSummary, MIN_SLOW_LATENCY};
pub use incident::{IncidentRecord, Incidents};
pub use item::{Backtrace, Crash, FoundItem, ItemId, ItemRecord, ItemState, Panic};
pub use item::{ItemProcessState, ProcessRecord};
pub use items::Items;
pub use job::JobRecord;
pub use job_state::{JobId, JobState};
pub use job_trace::{ItemProgress, JobTrace, nanos};
pub use join::{JoinId, JoinOutcome, JoinRecord, WaitCause};
pub use rate::Rate;
pub(crate) use rate::RateWindow;
pub use timeline::{Activity, Lane, LaneId, LaneKind, LaneOutcome, Message, Span};
pub use timeline::{Timeline, TimelineEvent, TimelineKind};
pub use waits::{Doing, Since, Until, WaitEdge, WaitNode, WaitNodeId, Waits};

/// Every job of this run of the program, oldest first.
#[derive(Debug, Default)]
pub struct Record {
    jobs: BTreeMap<JobId, JobRecord>,
    revision: u64,
}

impl Record {
    /// Applies one event. Ignores events of a job that was removed.
    pub fn apply(&mut self, event: JobEvent) {
        self.revision += 1;
        if let EventKind::JobDidStart { spec } = event.kind {
            self.jobs
                .insert(event.job, JobRecord::new(event.job, spec, event.at));
        } else if let Some(job) = self.jobs.get_mut(&event.job) {
            job.apply(event.at, event.kind);
        }
    }

    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &JobRecord> {
        self.jobs.values()
    }

    /// A job, if it is kept.
    pub fn job(&self, id: JobId) -> Option<&JobRecord> {
        self.jobs.get(&id)
    }

    /// Removes a job that has ended and returns it. A job that runs is kept.
    ///
    /// Dropping a job with a million items takes longer than a frame; drop it on another thread.
    pub fn remove(&mut self, id: JobId) -> Option<JobRecord> {
        self.jobs.get(&id).filter(|job| job.state().is_ended())?;
        self.revision += 1;
        self.jobs.remove(&id)
    }

    /// A number that changes with every change of the record.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}
