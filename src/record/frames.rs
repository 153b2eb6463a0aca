use std::collections::VecDeque;
use std::time::Duration;

/// The latency above which a frame is slow: it missed at least one refresh of a 60 Hz screen.
///
/// It is one and a half intervals, because frames in step with the screen jitter around 16.7 ms.
pub const MIN_SLOW_LATENCY: Duration = Duration::from_millis(25);

const MAX_FRAMES: usize = 512;
const WORST_WINDOW: Duration = Duration::from_secs(5);
const REPAINT_WINDOW: Duration = Duration::from_secs(1);

/// When each of the last frames was drawn, and its latency: how late it was.
///
/// Latency counts from the time at which a frame was due, not from the previous frame, so that a
/// window that slept is not slow. For frames that follow each other at once both are the same.
#[derive(Clone, Debug, Default)]
pub struct FrameHistory {
    frames: VecDeque<Frame>,
    slow: u64,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    at: Duration,
    latency: Option<Duration>,
}

/// A summary of the frames of the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameSummary {
    /// The latency of the newest due frame; `None` before there was one.
    pub last: Option<Duration>,
    /// The highest latency of the last 5 s; `None` without a due frame.
    pub worst: Option<Duration>,
    /// The frames drawn in the last second, due or not.
    pub repaints: usize,
    /// The frames since the start whose latency was above [`MIN_SLOW_LATENCY`].
    pub slow: u64,
}

impl FrameHistory {
    /// Adds the frame that begins at `now`.
    ///
    /// `due` is the time for which the previous frame requested this one: its own start for one at
    /// once, later for one after a delay. `None` means that no frame was requested, because the
    /// window was idle until an input or a wake-up: the frame then has no latency.
    pub fn begin_frame(&mut self, now: Duration, due: Option<Duration>) {
        let latency = due.map(|due| now.saturating_sub(due));
        if latency.is_some_and(|latency| latency > MIN_SLOW_LATENCY) {
            self.slow += 1;
        }
        if self.frames.len() == MAX_FRAMES {
            self.frames.pop_front();
        }
        self.frames.push_back(Frame { at: now, latency });
    }

    /// The latencies of those of the last 512 frames that were due, oldest first.
    pub fn latencies(&self) -> impl DoubleEndedIterator<Item = Duration> {
        self.frames.iter().filter_map(|frame| frame.latency)
    }

    /// The summary at the time `now`.
    pub fn summary(&self, now: Duration) -> FrameSummary {
        let worst = self
            .since(now.saturating_sub(WORST_WINDOW))
            .filter_map(|frame| frame.latency)
            .max();
        FrameSummary {
            last: self.latencies().next_back(),
            worst,
            repaints: self.since(now.saturating_sub(REPAINT_WINDOW)).count(),
            slow: self.slow,
        }
    }

    fn since(&self, start: Duration) -> impl Iterator<Item = &Frame> {
        self.frames
            .iter()
            .rev()
            .take_while(move |frame| frame.at >= start)
    }
}
