use std::sync::Arc;
use std::time::Duration;

use super::item::{ItemId, ItemState};
use super::job::{JobId, JobState};
use super::join::{JoinEnd, JoinId};
use crate::jobs::command::{CommandRun, StopSummary};
use crate::jobs::{Item, JobSpec};

/// A fact about one job.
///
/// ```
/// use meanwhile::record::{Event, EventKind, JobId};
/// use std::time::Duration;
///
/// let asked = Event {
///     job: JobId(1),
///     at: Duration::from_millis(1_500),
///     kind: EventKind::CancelDidAsk,
/// };
/// assert_eq!(format!("{} {:?} {:?}", asked.job, asked.at, asked.kind), "#1 1.5s CancelDidAsk");
/// ```
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
    /// The item runs as a process of its own.
    ItemDidRunProcess {
        /// Which item.
        item: ItemId,
        /// The number that the system gave the process.
        pid: u32,
    },
    /// The process of the item was stopped by a signal such as `SIGSTOP`, or let go on.
    ItemDidPauseProcess {
        /// Which item.
        item: ItemId,
        /// Whether it stands still now.
        paused: bool,
    },
    /// A person asked the process of the item to end, alone or with its tree. It may take its time.
    ItemDidAskProcess {
        /// Which item.
        item: ItemId,
    },
    /// Everything that the process of the item had started was asked to end, because a person
    /// wanted it.
    ItemDidStopTree {
        /// Which item.
        item: ItemId,
        /// What became of it.
        stopped: Arc<StopSummary>,
    },
    /// The process of the item ended.
    ItemDidEndProcess {
        /// Which item.
        item: ItemId,
        /// How, and what it printed.
        ran: Arc<CommandRun>,
    },
    /// The item did not react to a cancel, so the isolated worker that ran it was stopped.
    ItemDidIgnoreCancel {
        /// Which item.
        item: ItemId,
        /// How long it was given.
        within: Duration,
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
