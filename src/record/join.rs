use std::time::Duration;

/// Numbers the waits for one job, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JoinId(pub usize);

/// How a wait for a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinEnd {
    /// The job had ended.
    Joined,
    /// The time was up; the job still ran.
    TimedOut,
    /// The person stopped waiting.
    Detached,
}

/// One wait for a job.
///
/// ```
/// use meanwhile::record::{JoinEnd, JoinId, JoinRecord};
/// use std::time::Duration;
///
/// let secs = Duration::from_secs;
/// let mut join = JoinRecord {
///     id: JoinId(0),
///     timeout: Some(secs(5)),
///     blocking: false,
///     started_at: secs(10),
///     ended: None,
/// };
/// assert_eq!((join.waited(secs(12)), join.remaining(secs(12))), (secs(2), Some(secs(3))));
/// join.ended = Some((secs(13), JoinEnd::Joined));
/// assert_eq!((join.waited(secs(60)), join.remaining(secs(60))), (secs(3), None));
/// ```
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
