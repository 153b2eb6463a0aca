use std::fmt;
use std::sync::Arc;

use super::item::Panic;

/// Numbers the jobs of one run of the program, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

impl JobId {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Planning or working.
    Running,
    /// Every item returned.
    Returned,
    /// Every item ended; at least one failed, panicked or crashed.
    Failed,
    /// Planning or coordinating panicked.
    Panicked(Arc<Panic>),
    /// It was cancelled; finished items keep their results.
    Cancelled,
    /// It was cancelled because its time was up.
    TimedOut,
}

impl JobState {
    /// The word on screen and in sentences.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Returned => "done",
            Self::TimedOut => "timed out",
            _ => self.label(),
        }
    }

    /// The label in files and on the command line.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    pub fn is_ended(&self) -> bool {
        !matches!(self, Self::Running)
    }
}
