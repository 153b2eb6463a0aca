use std::collections::VecDeque;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(5);
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// The speed of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Bytes per second over the last few seconds.
    pub bytes_per_sec: f64,
    /// The time left at that rate; `None` while unknown.
    pub time_left: Option<Duration>,
}

/// The bytes done over the last 5 s. It keeps one sample per 100 ms at most, so that it stays small
/// however many items end in a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateWindow {
    samples: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    done: u64,
}

impl RateWindow {
    /// Adds the total of bytes done at a time.
    pub(crate) fn note(&mut self, at: Duration, done: u64) {
        if self
            .samples
            .back()
            .is_some_and(|last| at.saturating_sub(last.at) < SAMPLE_INTERVAL)
        {
            return;
        }
        self.samples.push_back(Sample { at, done });
        // The newest sample at or before the window's start is kept, as its first.
        while self
            .samples
            .get(1)
            .is_some_and(|next| at.saturating_sub(next.at) >= WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Bytes per second from the window's start until `now`, when `done` bytes are done in total.
    pub(crate) fn bytes_per_sec(&self, now: Duration, done: u64) -> f64 {
        let start = now.saturating_sub(WINDOW);
        let base = self
            .samples
            .iter()
            .rev()
            .find(|sample| sample.at <= start)
            .or(self.samples.front());
        base.map_or(0.0, |base| {
            per_sec(done.saturating_sub(base.done), now.saturating_sub(base.at))
        })
    }
}

/// Bytes per second; 0 if no time has passed.
pub(super) fn per_sec(bytes: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        return 0.0;
    }
    bytes as f64 / elapsed.as_secs_f64()
}

/// The time that `left` bytes take at that rate; `None` if they would never end.
pub(super) fn time_left(left: u64, bytes_per_sec: f64) -> Option<Duration> {
    if left == 0 {
        return Some(Duration::ZERO);
    }
    Duration::try_from_secs_f64(left as f64 / bytes_per_sec).ok()
}
