use std::sync::Arc;
use std::time::Duration;

use super::item::{ItemId, ItemState};
use super::job::{JobId, JobState};
use super::join::{JoinEnd, JoinId};
use crate::jobs::{Item, JobSpec};

/// A fact about one job.
#[derive(Clone, Debug)]
pub struct Event {
    /// The job.
    pub job: JobId,
    /// When, since the board was made; monotonic.
    pub at: Duration,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a job.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// The job was started.
    JobDidStart {
        /// What was started.
        spec: Arc<JobSpec>,
    },
    /// Planning found an item; ids count up from 0 without a gap.
    ItemDidAppear {
        /// The item.
        item: Item,
    },
    /// Planning is complete: no more items will appear.
    PlanDidFinish,
    /// A worker took the item.
    ItemDidStart {
        /// Which item.
        item: ItemId,
    },
    /// The item went on.
    ItemDidProgress {
        /// Which item.
        item: ItemId,
        /// Bytes done.
        done: u64,
        /// Bytes in all; 0 where that is not known.
        total: u64,
    },
    /// The item ended.
    ItemDidFinish {
        /// Which item.
        item: ItemId,
        /// How it ended; never `Waiting` or `Running`.
        state: ItemState,
    },
    /// Someone asked the job to cancel.
    CancelDidAsk,
    /// The job ended; no further item event follows.
    JobDidFinish {
        /// How it ended; never `Running`.
        state: JobState,
    },
    /// Someone began to wait for the job.
    JoinDidStart {
        /// Which wait.
        join: JoinId,
        /// How long they wait at most.
        timeout: Option<Duration>,
        /// Whether the window itself is blocked by it.
        blocking: bool,
    },
    /// The wait ended.
    JoinDidEnd {
        /// Which wait.
        join: JoinId,
        /// How it ended.
        end: JoinEnd,
    },
    /// A backtrace that was asked for is there.
    BacktraceDidResolve {
        /// Whose.
        panic: PanicKey,
        /// The resolved frames, one a line.
        text: Arc<str>,
    },
}

/// Whose panic: an item's, or the one of the job's own coordinating task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PanicKey {
    /// The panic of planning or bookkeeping.
    Job,
    /// The panic of one item.
    Item(ItemId),
}
