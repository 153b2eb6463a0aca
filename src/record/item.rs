use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::jobs::{Item, ItemError, Output};

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
    pub(super) fn new(id: ItemId, item: Item) -> Self {
        Self {
            id,
            input: item.input,
            state: ItemState::Waiting,
            done: 0,
            total: item.bytes,
            started_at: None,
            ended_at: None,
            backtrace: Backtrace::default(),
        }
    }

    /// The bytes that this item adds to the job's work: all of it before its end, what was done
    /// of it afterwards.
    pub(super) fn expected(&self) -> u64 {
        if self.state.is_ended() {
            self.done
        } else {
            self.total.max(self.done)
        }
    }

    /// How long it has run, or ran, at the time `now`; `None` before it started.
    pub fn elapsed(&self, now: Duration) -> Option<Duration> {
        let started = self.started_at?;
        Some(self.ended_at.unwrap_or(now).saturating_sub(started))
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
