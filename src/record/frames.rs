use std::collections::VecDeque;
use std::time::Duration;

/// A frame that came later than this after it was due missed at least one refresh of a 60 Hz
/// screen. It is one and a half intervals, because frames in step with the screen jitter by a
/// millisecond around 16.7 ms.
pub const SLOW_FRAME: Duration = Duration::from_millis(25);

const KEPT_FRAMES: usize = 512;
const WORST_WINDOW: Duration = Duration::from_secs(5);
const REPAINT_WINDOW: Duration = Duration::from_secs(1);

/// When the window drew its frames, and how long each was owed to the person.
///
/// A window that sleeps is not slow: a frame counts from the moment it was due, not from the frame
/// before it. While frames follow each other at once both are the same; after idling, only what
/// came after the wake-up counts.
///
/// ```
/// use meanwhile::record::FrameHistory;
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let mut frames = FrameHistory::default();
/// frames.begin_frame(ms(0), None); // the window opens
/// frames.begin_frame(ms(16), Some(ms(0))); // in time
/// frames.begin_frame(ms(56), Some(ms(16))); // 40 ms after it was due
/// let summary = frames.summary(ms(56));
/// assert_eq!((summary.worst, summary.slow, summary.repaints), (Some(ms(40)), 1, 3));
/// ```
#[derive(Clone, Debug, Default)]
pub struct FrameHistory {
    frames: VecDeque<Frame>,
    slow: u64,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    at: Duration,
    owed: Option<Duration>,
}

/// The frames of the last seconds in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameSummary {
    /// How long the newest due frame was owed; `None` before there was one.
    pub last: Option<Duration>,
    /// The longest that a frame of the last 5 s was owed; `None` where none was.
    pub worst: Option<Duration>,
    /// The frames drawn in the last second, due or not.
    pub repaints: usize,
    /// The frames since the start that were owed for longer than [`SLOW_FRAME`].
    pub slow: u64,
}

impl FrameHistory {
    /// Adds the frame that begins at `now`.
    ///
    /// `due` is the time for which this frame was asked: the beginning of the frame before where
    /// that asked for another one at once, later where it asked for one after a delay. `None`
    /// means that no frame was asked for (the window was idle until an input or a wake-up came):
    /// the frame is a repaint, and nothing is said about its speed.
    pub fn begin_frame(&mut self, now: Duration, due: Option<Duration>) {
        let owed = due.map(|due| now.saturating_sub(due));
        if owed.is_some_and(|owed| owed > SLOW_FRAME) {
            self.slow += 1;
        }
        if self.frames.len() == KEPT_FRAMES {
            self.frames.pop_front();
        }
        self.frames.push_back(Frame { at: now, owed });
    }

    /// How long each of the last 512 frames was owed, oldest first; frames that were not due are
    /// left out.
    pub fn owed(&self) -> impl DoubleEndedIterator<Item = Duration> {
        self.frames.iter().filter_map(|frame| frame.owed)
    }

    /// The numbers for the status bar at the time `now`.
    pub fn summary(&self, now: Duration) -> FrameSummary {
        let worst = self
            .since(now.saturating_sub(WORST_WINDOW))
            .filter_map(|frame| frame.owed)
            .max();
        FrameSummary {
            last: self.owed().next_back(),
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
