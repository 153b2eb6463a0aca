//! Retries a start that the system refused although no own work can free resources. Other programs
//! may hold them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::process_limit::process_limit;
use super::{ItemError, Stopwatch};
use crate::format;

/// The shortest and the longest time until the next attempt.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
pub(crate) const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// The time after which it is said that a start waits for other programs.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// How long starts of processes and threads are tried.
static PATIENCE_MS: AtomicU64 = AtomicU64::new(30_000);

/// Sets for how long items wait for processes and threads of other programs of the user before they fail, in whole
/// milliseconds. It holds for all jobs of this program, as the limit does. Default: 30 seconds.
pub fn set_patience(time: Duration) {
    let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    PATIENCE_MS.store(time, Ordering::Relaxed);
}

/// What the system has too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// Files. Each program has a limit of its own, so others seldom help.
    Files,
    /// Processes and threads. All programs of a user have one limit.
    Processes,
}

impl Shortage {
    /// The time for which starts are tried again while nothing of this program runs that could end.
    fn patience(self) -> Duration {
        match self {
            Self::Files => Duration::from_millis(400),
            Self::Processes => Duration::from_millis(PATIENCE_MS.load(Ordering::Relaxed)),
        }
    }
}

/// The refused starts in a row while nothing else of this program ran. Once one was tried for as long as
/// it may be, the ones after it have one attempt each, until a start succeeds or none is made for a while.
#[derive(Clone, Copy, Default)]
pub(crate) struct Refusals {
    first: Option<Stopwatch>,
    last: Option<Stopwatch>,
}

/// A further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The time until then.
    pub(crate) after: Duration,
    /// Whether it takes so long that the user is to know what it waits for.
    pub(crate) is_long: bool,
}

impl Refusals {
    pub(crate) const NONE: Self = Self {
        first: None,
        last: None,
    };

    /// Notes another refused start. Returns `None` if it is tried no more.
    pub(crate) fn next(&mut self, shortage: Shortage) -> Option<Attempt> {
        let now = Stopwatch::start();
        // What was refused long ago says nothing about now.
        let is_recent = |last: Stopwatch| last.elapsed() <= 5 * MAX_INTERVAL;
        let first = self.first.filter(|_| self.last.is_some_and(is_recent));
        let first = *self.first.insert(first.unwrap_or(now));
        self.last = Some(now);
        let elapsed = first.elapsed();
        (elapsed < shortage.patience()).then(|| Attempt {
            after: (elapsed / 4).clamp(MIN_INTERVAL, MAX_INTERVAL),
            is_long: elapsed >= QUIET_TIME,
        })
    }
}

/// Says that items wait for other programs.
pub(crate) fn waiting_text() -> String {
    let patience = format::duration(Shortage::Processes.patience());
    let cause = match process_limit() {
        Some(limit) => format!("this user may have {limit} of them (`ulimit -u`)"),
        None => "the system refuses more of them".to_owned(),
    };
    format!(
        "Items wait for up to {patience} until other processes or threads end, because {cause}."
    )
}

/// Says that a start was tried for long enough.
pub(crate) fn given_up_text() -> String {
    let patience = format::duration(Shortage::Processes.patience());
    let cause = match process_limit() {
        Some(limit) => format!(
            "this user may have {limit} of them (`ulimit -u`); end some of the others, or raise the limit"
        ),
        None => "the system refuses more of them; end some running work".to_owned(),
    };
    format!(
        "no process or thread could be started for {patience}, because {cause}, and run this again"
    )
}

/// The error of an item that ended with this one. If that is a refusal of a process or a thread, it says for how
/// long the item was tried.
pub(crate) fn without_room(error: ItemError) -> ItemError {
    if error.shortage() != Some(Shortage::Processes) {
        return error;
    }
    ItemError {
        kind: error.kind,
        message: given_up_text(),
        details: Some(error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ago(time: Duration) -> Stopwatch {
        Stopwatch::started_before(time)
    }

    #[test]
    fn attempts_become_rarer_and_end() {
        let mut refusals = Refusals::NONE;
        let first = refusals.next(Shortage::Processes);
        let expected = Attempt {
            after: MIN_INTERVAL,
            is_long: false,
        };
        assert_eq!(first, Some(expected));
        refusals.first = Some(ago(Duration::from_secs(29)));
        let expected = Attempt {
            after: MAX_INTERVAL,
            is_long: true,
        };
        assert_eq!(refusals.next(Shortage::Processes), Some(expected));
        assert_eq!(refusals.next(Shortage::Files), None);
        refusals.first = Some(ago(Duration::from_secs(31)));
        assert_eq!(refusals.next(Shortage::Processes), None);
        assert_eq!(refusals.next(Shortage::Processes), None);
    }

    #[test]
    fn refusal_long_ago_says_nothing_about_now() {
        let mut refusals = Refusals {
            first: Some(ago(Duration::from_mins(2))),
            last: Some(ago(Duration::from_mins(1))),
        };
        assert!(refusals.next(Shortage::Processes).is_some());
    }
}
