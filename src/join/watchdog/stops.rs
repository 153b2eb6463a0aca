//! Notices that the whole process stood still: after SIGSTOP, in a debugger, in a frozen control group, while
//! the machine slept.
//!
//! The watchdog's thread knows how long it meant to sleep. The system counts for how long it ran, and for how long
//! it could have and got no processor. In the rest of the time it was not allowed to run. Then no other thread was
//! either.

use std::time::Duration;

/// The system counts in steps, and a thread may be late by less for many reasons.
const MIN_STOP: Duration = Duration::from_millis(20);

/// The time of the watchdog's thread.
pub(super) struct OwnTime {
    #[cfg(target_os = "linux")]
    file: Option<std::fs::File>,
    /// The time of the last check, and the processor time that the thread had wanted until then.
    since: Duration,
    wanted_before: Option<Duration>,
    /// For how long it meant to sleep since the last check.
    slept: Duration,
}

impl OwnTime {
    /// It is that of the thread which calls this.
    pub(super) fn new(now: Duration) -> Self {
        let mut own = Self {
            #[cfg(target_os = "linux")]
            file: std::fs::File::open("/proc/thread-self/schedstat").ok(),
            since: now,
            wanted_before: None,
            slept: Duration::ZERO,
        };
        own.begin(now);
        own
    }

    /// Counts from now.
    pub(super) fn begin(&mut self, now: Duration) {
        self.since = now;
        self.slept = Duration::ZERO;
        self.wanted_before = self.wanted();
    }

    /// Notes that it has slept, as long as it meant to.
    pub(super) fn sleeps(&mut self, time: Duration) {
        self.slept += time;
    }

    /// Returns for how long the process stood still since the last check, if it did. Counts from now.
    pub(super) fn stopped(&mut self, now: Duration) -> Option<Duration> {
        let (since, slept, before) = (self.since, self.slept, self.wanted_before);
        self.begin(now);
        let awake = now.saturating_sub(since).saturating_sub(slept);
        let wanted = self.wanted_before.zip(before);
        stop(
            awake,
            wanted.map(|(now, before)| now.saturating_sub(before)),
        )
    }

    /// The time for which it ran and for which it could have, if the system counts it.
    #[cfg(target_os = "linux")]
    fn wanted(&self) -> Option<Duration> {
        use std::os::unix::fs::FileExt as _;

        let mut text = [0; 64];
        let length = self.file.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = str::from_utf8(&text[..length]).ok()?;
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        let (ran, ready) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        // How often it ran; a system that does not count has zeros.
        let runs = numbers.next()?.ok()?;
        (runs > 0).then(|| Duration::from_nanos(ran.saturating_add(ready)))
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "it reads a file on Linux")]
    fn wanted(&self) -> Option<Duration> {
        None
    }
}

/// Returns for how long a thread was stopped that was `awake` for so long, and ran or could have run for `wanted`.
/// Where that is not known, nothing is taken for a stop.
fn stop(awake: Duration, wanted: Option<Duration>) -> Option<Duration> {
    let stopped = awake.saturating_sub(wanted?);
    (stopped >= MIN_STOP).then_some(stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn late_without_wish_to_run_was_stopped() {
        // As after SIGSTOP, in a debugger, and after the machine slept.
        assert_eq!(stop(SECOND, Some(Duration::ZERO)), Some(SECOND));
        assert_eq!(stop(SECOND, Some(SECOND / 2)), Some(SECOND / 2));
    }

    #[test]
    fn late_for_want_of_a_processor_was_not_stopped() {
        assert_eq!(stop(SECOND, Some(SECOND)), None);
        assert_eq!(stop(SECOND, Some(SECOND * 99 / 100)), None);
        assert_eq!(stop(MIN_STOP / 2, Some(Duration::ZERO)), None);
    }

    #[test]
    fn late_on_a_silent_system_is_no_stop() {
        assert_eq!(stop(SECOND, None), None);
    }
}
