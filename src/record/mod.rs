//! What happened, as plain data.
//!
//! The [`Record`] is the only thing the window reads. It is built from [`Event`]s alone, each a
//! past fact with its time, so the same events can be replayed, exported and tested without a
//! window and without running anything.

mod event;
mod export;
mod frames;
mod incident;
mod item;
mod items;
mod job;
mod join;
mod rate;
pub mod statistics;
mod timeline;

use std::collections::BTreeMap;

pub use event::{Event, EventKind, PanicKey};
pub use export::{job_text, panic_text, write_json};
pub use frames::{FrameHistory, FrameSummary, SLOW_FRAME};
pub use incident::{IncidentRecord, Incidents};
pub use item::{Backtrace, Crash, ItemId, ItemRecord, ItemState, Panic};
pub use item::{ProcessRecord, ProcessState};
pub use items::Items;
pub use job::{Counts, JobId, JobRecord, JobState, Rate};
pub use join::{JoinEnd, JoinId, JoinRecord};
pub(crate) use rate::RateWindow;
pub use timeline::{Activity, Lane, LaneEnd, LaneId, LaneKind, Said, Span};
pub use timeline::{Timeline, TimelineEvent, TimelineKind};

/// Every job of this run of the program, oldest first.
///
/// ```
/// use meanwhile::jobs::{Item, JobSpec, Options, RunOn, Step, misbehave};
/// use meanwhile::record::{Event, EventKind, JobId, Record};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let spec = Arc::new(JobSpec {
///     options: Options::Misbehave(misbehave::Options::default()),
///     inputs: vec!["a".into()],
///     run_on: RunOn::Pool,
///     workers: 1,
///     priority: Default::default(),
/// });
/// let item = Item { input: "a".into(), bytes: 0, step: Step::Run };
/// let facts = [
///     EventKind::JobDidStart { spec },
///     EventKind::ItemDidAppear { item },
///     EventKind::PlanDidFinish,
/// ];
/// let mut record = Record::default();
/// for kind in facts {
///     record.apply(Event { job: JobId(1), at: Duration::ZERO, kind });
/// }
/// let job = record.job(JobId(1)).expect("it did start");
/// assert!(job.is_planned());
/// assert_eq!((job.counts().waiting, job.counts().total()), (1, 1));
/// ```
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

    /// Takes an ended job out and returns it; a job that runs is kept.
    ///
    /// To drop one with a million items takes several frames: a window does that elsewhere.
    pub fn forget(&mut self, id: JobId) -> Option<JobRecord> {
        self.jobs.get(&id).filter(|job| job.state().is_ended())?;
        self.revision += 1;
        self.jobs.remove(&id)
    }

    /// A number that changes whenever anything in the record does.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}
