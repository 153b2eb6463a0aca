use std::sync::Arc;
use std::time::Duration;

use super::item::{FoundItem, ItemId, ItemState};
use super::job_state::{JobId, JobState};
use super::join::{JoinId, JoinOutcome, WaitCause};
use crate::jobs::{JobSpec, ProcessRun, StopSummary};

#[derive(Clone, Debug)]
pub struct JobEvent {
    pub job: JobId,
    /// The time since the board was made; monotonic.
    pub at: Duration,
    pub kind: EventKind,
}

/// The kind of an event, with its details.
#[derive(Clone, Debug)]
pub enum EventKind {
    JobDidStart {
        /// The job, its options and inputs.
        spec: Arc<JobSpec>,
    },
    /// Planning found an item; ids count up from 0 without a gap.
    ItemDidAppear {
        item: FoundItem,
    },
    /// Planning said a sentence that is no item.
    PlanDidNote {
        note: Arc<str>,
    },
    /// Planning is complete: no more items will appear.
    PlanDidFinish,
    /// The item began to run.
    ItemDidStart {
        item: ItemId,
        /// The thread that runs it, or waits for its process.
        thread: ThreadNumber,
    },
    ItemDidProgress {
        item: ItemId,
        /// Bytes done.
        done: u64,
        /// Bytes in all; 0 if unknown.
        total: u64,
    },
    /// The item runs as a process of its own.
    ItemDidRunProcess {
        item: ItemId,
        pid: u32,
    },
    /// The process of the item was paused by a signal such as `SIGSTOP`, or resumed.
    ItemDidPauseProcess {
        item: ItemId,
        /// Whether it is paused now.
        paused: bool,
    },
    /// The user asked the process of the item to end, alone or with its descendants.
    ProcessStopWasRequested {
        item: ItemId,
    },
    /// The process of the item was stopped with its descendants, at the user's request.
    ItemDidStopTree {
        item: ItemId,
        /// The result of stopping it and its descendants.
        stopped: Arc<StopSummary>,
    },
    ItemDidEndProcess {
        item: ItemId,
        ran: Arc<ProcessRun>,
    },
    /// The item ignored a cancel, so its isolated worker was stopped.
    ItemDidIgnoreCancel {
        item: ItemId,
        /// The time that it had to react.
        within: Duration,
    },
    ItemDidFinish {
        item: ItemId,
        /// Never `Waiting` or `Running`.
        state: ItemState,
    },
    /// The job was asked to cancel.
    CancelWasRequested,
    /// The job ended; no further item event follows.
    JobDidFinish {
        /// Never `Running`.
        state: JobState,
    },
    /// A join of the job began.
    JoinDidStart {
        join: JoinId,
        /// `None` without a limit.
        timeout: Option<Duration>,
        /// Whether it blocks the UI thread.
        blocking: bool,
    },
    JoinDidEnd {
        join: JoinId,
        outcome: JoinOutcome,
    },
    /// It was looked at what the processes of a job wait for whose join has timed out.
    JoinWasExplained {
        join: JoinId,
        causes: Vec<WaitCause>,
    },
    /// A requested backtrace is resolved.
    BacktraceDidResolve {
        panic: PanicKey,
        /// The frames, one a line.
        text: Arc<str>,
    },
}

/// Names a panic within a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PanicKey {
    /// The panic of planning or coordinating.
    Job,
    Item(ItemId),
}

/// Numbers the threads on which items run. On Linux it is the number of the system, which a later thread may have
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadNumber(u64);

impl ThreadNumber {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}
