use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::event::{EventKind, JoinEnd, JoinId, PanicKey};
use crate::jobs::{ItemError, JobSpec, Output};

/// Numbers the jobs of one run of the program, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Numbers the items of one job, from 0 in the order in which planning found them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub usize);

/// Where an item stands.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemState {
    /// Found, not yet taken by a worker.
    Waiting,
    /// A worker has it.
    Running,
    /// It came back with an output.
    Returned(Output),
    /// It ended with the job's own error.
    Failed(ItemError),
    /// It panicked; the report is there.
    Panicked(Arc<Panic>),
    /// It was cancelled, before or while it ran.
    Cancelled,
}

impl ItemState {
    /// The word for it, the same on screen, in files and on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Returned(_) => "returned",
            Self::Failed(_) => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to the item.
    pub fn is_ended(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Planning or working.
    Running,
    /// Every item returned.
    Returned,
    /// It went through, and at least one item failed or panicked.
    Failed,
    /// The job's own planning panicked.
    Panicked(Arc<Panic>),
    /// It was cancelled; what was done is kept.
    Cancelled,
    /// The wait for it ran out and it was cancelled because of that.
    TimedOut,
}

impl JobState {
    /// The word for it, the same on screen, in files and on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether nothing more will happen to the job.
    pub fn is_ended(&self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// A captured panic, as plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct Panic {
    /// The message, or `non-string payload`.
    pub message: String,
    /// `file:line:column`, where it is known.
    pub location: Option<String>,
    /// The name of the thread.
    pub thread: String,
    /// The name of the task.
    pub task: String,
    /// The number of the task.
    pub task_id: u64,
}

/// What is known of a panic's backtrace.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Backtrace {
    /// Nobody has asked yet.
    #[default]
    Unresolved,
    /// The frames, one a line.
    Resolved(Arc<str>),
}

/// One item and how it went.
#[derive(Clone, Debug)]
pub struct ItemRecord {
    /// Its number.
    pub id: ItemId,
    /// Its path.
    pub input: PathBuf,
    /// Where it stands.
    pub state: ItemState,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 where that is not known.
    pub total: u64,
    /// When a worker took it.
    pub started_at: Option<Duration>,
    /// When it ended.
    pub ended_at: Option<Duration>,
    /// The backtrace of its panic.
    pub backtrace: Backtrace,
}

impl ItemRecord {
    /// How long it has run, or ran, at the time `now`; `None` before it started.
    pub fn elapsed(&self, now: Duration) -> Option<Duration> {
        let started = self.started_at?;
        Some(self.ended_at.unwrap_or(now).saturating_sub(started))
    }
}

/// One wait for a job.
#[derive(Clone, Debug)]
pub struct JoinRecord {
    /// Its number.
    pub id: JoinId,
    /// How long it waits at most; `None`: without a deadline.
    pub timeout: Option<Duration>,
    /// Whether it blocked the window.
    pub blocking: bool,
    /// When it began.
    pub started_at: Duration,
    /// When and how it ended.
    pub ended: Option<(Duration, JoinEnd)>,
}

impl JoinRecord {
    /// How long it has waited, or waited, at the time `now`.
    pub fn waited(&self, now: Duration) -> Duration {
        let end = self.ended.map_or(now, |(at, _)| at);
        end.saturating_sub(self.started_at)
    }

    /// How long is left until the deadline; `None` without one or when it ended.
    pub fn remaining(&self, now: Duration) -> Option<Duration> {
        match self.ended {
            None => Some((self.started_at + self.timeout?).saturating_sub(now)),
            Some(_) => None,
        }
    }
}

/// How many items stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found, not yet taken.
    pub waiting: usize,
    /// Being worked on.
    pub running: usize,
    /// Came back with an output.
    pub returned: usize,
    /// Ended with an error.
    pub failed: usize,
    /// Panicked.
    pub panicked: usize,
    /// Cancelled.
    pub cancelled: usize,
}

impl Counts {
    /// All items found so far.
    pub fn total(&self) -> usize {
        self.waiting + self.running + self.ended()
    }

    /// The items to which nothing more will happen.
    pub fn ended(&self) -> usize {
        self.returned + self.failed + self.panicked + self.cancelled
    }

    fn of(&mut self, state: &ItemState) -> &mut usize {
        match state {
            ItemState::Waiting => &mut self.waiting,
            ItemState::Running => &mut self.running,
            ItemState::Returned(_) => &mut self.returned,
            ItemState::Failed(_) => &mut self.failed,
            ItemState::Panicked(_) => &mut self.panicked,
            ItemState::Cancelled => &mut self.cancelled,
        }
    }
}

/// How fast a job goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Bytes per second over the last few seconds.
    pub bytes_per_sec: f64,
    /// What is left at that rate; `None` while that can't be said.
    pub time_left: Option<Duration>,
}

/// One job and how it went.
#[derive(Debug)]
pub struct JobRecord {
    id: JobId,
    spec: Arc<JobSpec>,
    state: JobState,
    items: Vec<Arc<ItemRecord>>,
    counts: Counts,
    planned: bool,
    done_bytes: u64,
    total_bytes: u64,
    started_at: Duration,
    ended_at: Option<Duration>,
    last_progress_at: Duration,
    cancel_asked_at: Option<Duration>,
    joins: Vec<JoinRecord>,
    backtrace: Backtrace,
    revision: u64,
}
