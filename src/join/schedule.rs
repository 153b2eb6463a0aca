//! Times at a fixed distance.

use std::time::{Duration, Instant};

use super::context::Context;

/// The shortest distance of two ticks, so that a wrong one does not use a whole core.
const MIN_PERIOD: Duration = Duration::from_millis(1);

/// The times of a fixed schedule. It does not shift, however late a tick was.
#[derive(Debug)]
pub(crate) struct Schedule {
    first: Instant,
    period: Duration,
    /// The number of the latest tick, from 0.
    latest: u64,
}

/// A tick of [`Context::every`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of ticks that were left out before this one, because the loop was busy.
    pub missed: u64,
}

/// The ticks of a task. Returned by [`Context::every`].
#[derive(Debug)]
pub struct Every<'a> {
    context: &'a Context,
    schedule: Option<Schedule>,
    period: Duration,
}

impl Schedule {
    /// The schedule whose first tick is at this time.
    pub(crate) fn new(first: Instant, period: Duration) -> Self {
        Self {
            first,
            period: period.max(MIN_PERIOD),
            latest: 0,
        }
    }

    /// Goes on to the first tick after `now`. Returns its time, or `None` if that is too late for the
    /// clock, and the number of ticks that are left out.
    pub(crate) fn next_after(&mut self, now: Instant) -> (Option<Instant>, u64) {
        let passed = now.saturating_duration_since(self.first);
        let passed = passed.as_nanos() / self.period.as_nanos();
        let number = u64::try_from(passed).map_or(u64::MAX, |it| it.saturating_add(1));
        let missed = number.saturating_sub(self.latest.saturating_add(1));
        self.latest = number;
        (self.time_of(number), missed)
    }

    fn time_of(&self, number: u64) -> Option<Instant> {
        let nanos = self.period.as_nanos().checked_mul(number.into())?;
        let nanos = u64::try_from(nanos).ok()?;
        self.first.checked_add(Duration::from_nanos(nanos))
    }
}

impl Context {
    /// Returns a loop that runs now and then every `period`, until a cancel is requested, which ends it at
    /// once.
    ///
    /// The schedule is fixed: its times are the first one and whole periods after it. If the loop is busy
    /// at such a time, that tick is left out, and the next one counts it. A period below a millisecond
    /// counts as one. Time in which the computer sleeps may not count.
    ///
    /// A panic ends the task as usual, and so the loop. Between the ticks the thread of the task sleeps; a
    /// worker of a pool is not free meanwhile.
    ///
    /// ```
    /// use meanwhile_join as join;
    /// use std::time::Duration;
    ///
    /// let (send, sizes) = std::sync::mpsc::channel();
    /// let watch = join::spawn("watch", move |context| {
    ///     for _tick in context.every(Duration::from_millis(10)) {
    ///         let file = std::fs::metadata("Cargo.toml").expect("the file is there");
    ///         send.send(file.len()).expect("the main thread receives");
    ///     }
    /// })?;
    /// assert_eq!(sizes.iter().take(3).count(), 3);
    /// watch.cancel();
    /// # assert_eq!(sizes.iter().count(), 0);
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn every(&self, period: Duration) -> Every<'_> {
        Every {
            context: self,
            schedule: None,
            period,
        }
    }
}

impl Iterator for Every<'_> {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let Some(schedule) = &mut self.schedule else {
            self.schedule = Some(Schedule::new(Instant::now(), self.period));
            return self.context.check().ok().map(|()| Tick { missed: 0 });
        };
        let (at, missed) = schedule.next_after(Instant::now());
        self.context.sleep_until(at).ok()?;
        Some(Tick { missed })
    }
}
