//! The times in which the whole program stands still, as after Ctrl-Z in a terminal.

use std::time::{Duration, Instant};

use parking_lot::RwLock;

static SUSPENSION: RwLock<Suspension> = RwLock::new(Suspension {
    before: Duration::ZERO,
    since: None,
});

struct Suspension {
    /// The time of those that are over.
    before: Duration,
    /// The begin of the one that is not over.
    since: Option<Instant>,
}

impl Suspension {
    fn total(&self, now: Instant) -> Duration {
        let current = self.since.map(|since| now.saturating_duration_since(since));
        self.before + current.unwrap_or_default()
    }
}

/// Calls `suspend`, during which the program stands still. Each [`Stopwatch`] stands still as well.
pub(crate) fn during(suspend: impl FnOnce()) {
    SUSPENSION.write().since = Some(Instant::now());
    suspend();
    let mut suspension = SUSPENSION.write();
    suspension.before = suspension.total(Instant::now());
    suspension.since = None;
}

/// Measures time, without that in which the program stood still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    started: Instant,
    suspended_before: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let started = Instant::now();
        Self {
            started,
            suspended_before: SUSPENSION.read().total(started),
        }
    }

    /// One that has measured this time already.
    #[cfg(test)]
    pub(crate) fn started_before(time: Duration) -> Self {
        let now = Self::start();
        Self {
            started: now
                .started
                .checked_sub(time)
                .expect("the machine runs longer"),
            ..now
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        // Read under the lock, so that no time is from before a suspension that it does not count.
        let suspension = SUSPENSION.read();
        let now = Instant::now();
        self.elapsed_at(now, suspension.total(now))
    }

    /// The time at which it will have measured `limit`, unless the program stands still before that.
    pub(crate) fn reaches(&self, limit: Duration) -> Instant {
        Instant::now() + limit.saturating_sub(self.elapsed())
    }

    /// The time until `instant`, which is not long past.
    pub(crate) fn time_of(&self, instant: Instant) -> Duration {
        self.elapsed_at(instant, SUSPENSION.read().total(instant))
    }

    fn elapsed_at(&self, instant: Instant, suspended: Duration) -> Duration {
        let suspended = suspended.saturating_sub(self.suspended_before);
        let elapsed = instant.saturating_duration_since(self.started);
        elapsed.saturating_sub(suspended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopwatch_stands_still_with_the_program() {
        let outer = Stopwatch::start();
        let (mut inner, mut pause) = (outer, Duration::ZERO);
        during(|| {
            let begin = Instant::now();
            let first = outer.elapsed();
            while begin.elapsed() < Duration::from_millis(20) {
                assert_eq!(outer.elapsed(), first);
            }
            inner = Stopwatch::start();
            pause = begin.elapsed();
        });
        assert!(outer.elapsed() + pause <= outer.started.elapsed());
        let limit = Duration::from_mins(1);
        assert!(outer.reaches(limit) >= outer.started + limit + pause);
        assert!(inner.elapsed() <= inner.started.elapsed());
        let before = inner.elapsed();
        while inner.elapsed() == before {}
    }
}
