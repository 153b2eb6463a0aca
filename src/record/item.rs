use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::format;
use crate::jobs::{Item, ItemError, Output, ProcessRun, Step, StopSummary};
use crate::join::PanicReport;

/// Numbers the items of one job, from 0 in the order in which planning found them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(usize);

impl ItemId {
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place of the item in its job, from 0.
    pub const fn index(self) -> usize {
        self.0
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum ItemState {
    /// Found, not started yet.
    Waiting,
    Running,
    Returned(Output),
    /// It ended with an error of the job.
    Failed(ItemError),
    Panicked(Arc<Panic>),
    /// Its isolated worker died.
    Crashed(Arc<Crash>),
    /// It was cancelled, before or while it ran.
    Cancelled,
}

impl ItemState {
    /// The word on screen.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Returned(_) => "done",
            _ => self.label(),
        }
    }

    /// The label in files and on the command line.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Returned(_) => "returned",
            Self::Failed(_) => "failed",
            Self::Panicked(_) => "panicked",
            Self::Crashed(_) => "crashed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the item failed, panicked or crashed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Panicked(_) | Self::Crashed(_))
    }

    pub fn is_ended(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// What the record keeps of an item that was found.
#[derive(Clone, Debug)]
pub struct FoundItem {
    pub input: PathBuf,
    /// The expected amount of work in bytes; 0 if it is not known.
    pub bytes: u64,
    /// Whether planning found why it can't be processed.
    pub fails: bool,
}

impl From<&Item> for FoundItem {
    fn from(item: &Item) -> Self {
        Self {
            input: item.input.clone(),
            bytes: item.bytes,
            fails: matches!(item.step, Step::Fail(_)),
        }
    }
}

/// An item, with its history.
#[derive(Clone, Debug)]
pub struct ItemRecord {
    pub id: ItemId,
    pub input: PathBuf,
    pub state: ItemState,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 if unknown.
    pub total: u64,
    pub started_at: Option<Duration>,
    pub ended_at: Option<Duration>,
    /// Whether it is not processed, because planning found why it can't be.
    pub failed_in_plan: bool,
    /// The backtrace of its panic.
    pub backtrace: Backtrace,
    /// Its process, if it has or had one.
    pub process: Option<Box<ProcessRecord>>,
    /// The time that it ignored a cancel until its isolated worker was stopped.
    pub ignored_cancel: Option<Duration>,
}

impl ItemRecord {
    pub(super) fn new(id: ItemId, item: FoundItem) -> Self {
        Self {
            id,
            input: item.input,
            state: ItemState::Waiting,
            done: 0,
            total: item.bytes,
            started_at: None,
            ended_at: None,
            failed_in_plan: item.fails,
            backtrace: Backtrace::default(),
            process: None,
            ignored_cancel: None,
        }
    }

    /// The bytes that this item adds to the job's total: all of its own until it ends, then those
    /// done.
    pub(super) fn expected(&self) -> u64 {
        if self.state.is_ended() {
            self.done
        } else {
            self.total.max(self.done)
        }
    }

    /// How its process ended, if it had one.
    pub fn ran(&self) -> Option<&Arc<ProcessRun>> {
        match &self.process.as_ref()?.state {
            ItemProcessState::Ended(ran) => Some(ran),
            ItemProcessState::Running | ItemProcessState::Paused => None,
        }
    }

    /// How its process, or its isolated worker, was stopped; empty if it ended by itself.
    pub fn stopped_text(&self) -> String {
        if let Some(within) = self.ignored_cancel {
            let within = format::duration(within);
            return format!("cancelled: did not react within {within}, its worker was killed");
        }
        let stopped = self.ran().and_then(|ran| ran.stopped.as_ref());
        stopped.map(ToString::to_string).unwrap_or_default()
    }

    /// The time that it ran until it ended or until `now`; `None` before it starts.
    pub fn elapsed(&self, now: Duration) -> Option<Duration> {
        let started = self.started_at?;
        Some(self.ended_at.unwrap_or(now).saturating_sub(started))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProcessRecord {
    /// The process number. Once the process has ended, the system may reuse it.
    pub pid: u32,
    pub state: ItemProcessState,
    /// Whether the user asked it to end.
    pub stop_requested: bool,
    /// The result of stopping it and its descendants.
    pub stopped: Option<Arc<StopSummary>>,
}

/// The state of an item's process.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemProcessState {
    Running,
    /// It is paused by a signal such as `SIGSTOP`.
    Paused,
    Ended(Arc<ProcessRun>),
}

/// A captured panic, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// The message, or `non-string payload`.
    pub message: String,
    /// `file:line:column`, if known; a file of a library begins with its name and version.
    pub location: Option<String>,
    /// The name of the thread.
    pub thread: String,
    /// The name of the task.
    pub task: String,
    /// The number of the task.
    pub task_id: u64,
}

impl From<&PanicReport> for Panic {
    fn from(report: &PanicReport) -> Self {
        Self {
            message: report.message().to_owned(),
            location: report
                .location()
                .map(|location| format::source_place(&location.to_string())),
            thread: report.thread_name().to_owned(),
            task: report.task_name().to_owned(),
            task_id: report.task().get(),
        }
    }
}

/// The death of an isolated worker while it ran an item, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Crash {
    /// The end of its worker, such as `its worker was killed by signal 6 (SIGABRT)`.
    pub message: String,
    /// The exit code, if the worker exited by itself.
    pub code: Option<i32>,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    pub signal_name: Option<&'static str>,
    /// Whether the system wrote a core file.
    pub core_dumped: bool,
    /// The last lines that the worker printed on standard error while it ran the item.
    pub stderr: String,
}

/// The backtrace of a panic.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Backtrace {
    #[default]
    Unresolved,
    /// The frames, one a line.
    Resolved(Arc<str>),
}
