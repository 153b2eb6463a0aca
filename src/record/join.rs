use std::sync::Arc;
use std::time::Duration;

use super::ItemId;

/// Numbers the joins of one job, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JoinId(usize);

impl JoinId {
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place of the join in its job, from 0.
    pub const fn index(self) -> usize {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinOutcome {
    Joined,
    /// The timeout passed first; the job goes on.
    TimedOut,
    /// The user stopped waiting.
    Detached,
}

/// A join of a job: one wait for its end.
#[derive(Clone, Debug)]
pub struct JoinRecord {
    pub id: JoinId,
    /// The longest it waits; `None` without a limit.
    pub timeout: Option<Duration>,
    /// Whether it blocked the UI thread.
    pub blocking: bool,
    pub started_at: Duration,
    /// When and how it ended.
    pub ended: Option<(Duration, JoinOutcome)>,
    /// What some of the processes of the job waited for when it timed out.
    pub causes: Vec<WaitCause>,
}

/// What the process of an item waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitCause {
    pub item: ItemId,
    /// In plain words, up to the cause.
    pub sentence: Arc<str>,
}

impl JoinRecord {
    /// The time that it waited until it ended or until `now`.
    pub fn waited(&self, now: Duration) -> Duration {
        let end = self.ended.map_or(now, |(at, _)| at);
        end.saturating_sub(self.started_at)
    }

    /// The time left until the deadline; `None` without one, or once it has ended. A timeout beyond
    /// the range of the clock has no deadline.
    pub fn remaining(&self, now: Duration) -> Option<Duration> {
        match self.ended {
            None => {
                let deadline = self.started_at.checked_add(self.timeout?)?;
                Some(deadline.saturating_sub(now))
            }
            Some(_) => None,
        }
    }
}
