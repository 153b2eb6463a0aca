use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::jobs::command::{CommandRun, StopSummary};
use crate::jobs::{Item, ItemError, Output};
use crate::join::PanicReport;

/// Numbers the items of one job, from 0 in the order in which planning found them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub usize);

/// Where an item stands.
///
/// ```
/// use meanwhile::jobs::Output;
/// use meanwhile::record::ItemState;
///
/// let state = ItemState::Returned(Output::Text { text: "42 lines".to_owned() });
/// assert!(state.is_ended() && !ItemState::Running.is_ended());
/// assert_eq!(state.word(), "returned");
/// ```
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
    /// It took the isolated worker along that ran it.
    Crashed(Arc<Crash>),
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
            Self::Crashed(_) => "crashed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the item ended without an output although nobody asked it to.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Panicked(_) | Self::Crashed(_))
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
    /// Its process, where it runs or ran as one.
    pub process: Option<Box<ProcessRecord>>,
    /// How long it had to react to a cancel, where it did not and lost its isolated worker.
    pub ignored_cancel: Option<Duration>,
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
            process: None,
            ignored_cancel: None,
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

    /// How its process ran, where it has one and that has ended.
    pub fn ran(&self) -> Option<&Arc<CommandRun>> {
        match &self.process.as_ref()?.state {
            ProcessState::Ended(ran) => Some(ran),
            ProcessState::Running | ProcessState::Paused => None,
        }
    }

    /// What became of its processes, or of its isolated worker, where they were stopped before they
    /// ended by themselves; empty otherwise.
    pub fn stopped_text(&self) -> String {
        if let Some(within) = self.ignored_cancel {
            let secs = within.as_secs_f64();
            return format!("cancelled: did not react within {secs:.1} s, its worker was killed");
        }
        let stopped = self.ran().and_then(|ran| ran.stopped.as_ref());
        stopped.map(ToString::to_string).unwrap_or_default()
    }

    /// How long it has run, or ran, at the time `now`; `None` before it started.
    pub fn elapsed(&self, now: Duration) -> Option<Duration> {
        let started = self.started_at?;
        Some(self.ended_at.unwrap_or(now).saturating_sub(started))
    }
}

/// The process of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessRecord {
    /// The number that the system gave it; another's, perhaps, once it has ended.
    pub pid: u32,
    /// Where it stands.
    pub state: ProcessState,
    /// Whether a person asked it to end.
    pub was_asked: bool,
    /// What became of its tree when a person last stopped that.
    pub stopped: Option<Arc<StopSummary>>,
}

/// Where the process of an item stands.
#[derive(Clone, Debug, PartialEq)]
pub enum ProcessState {
    /// It runs.
    Running,
    /// A signal such as `SIGSTOP` holds it.
    Paused,
    /// It ended like that.
    Ended(Arc<CommandRun>),
}

/// A captured panic, as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl From<&PanicReport> for Panic {
    fn from(report: &PanicReport) -> Self {
        Self {
            message: report.message().to_owned(),
            location: report.location().map(ToString::to_string),
            thread: report.thread_name().to_owned(),
            task: report.task_name().to_owned(),
            task_id: report.task().get(),
        }
    }
}

/// What is left of an isolated worker that an item took along, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crash {
    /// What happened, such as `its worker was killed by signal 6 (SIGABRT)`.
    pub message: String,
    /// The exit code; `None` where the worker did not exit by itself.
    pub code: Option<i32>,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// The name of that signal, where it has one.
    pub signal_name: Option<&'static str>,
    /// Whether the system wrote a core file.
    pub core_dumped: bool,
    /// The last lines that the worker printed on standard error while it had the item.
    pub stderr: String,
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
