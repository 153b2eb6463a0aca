use std::collections::VecDeque;
use std::ops::Range;

/// The number of the last frames that are kept.
const MAX_FRAMES: usize = 65_536;

/// When the frames of a window began, and how long each took, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Frames(VecDeque<Frame>);

/// A frame of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub at: u64,
    pub took: u64,
}

impl Frames {
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Frame> {
        self.0.iter()
    }

    /// Those that were drawn between two times, at least in part.
    pub fn between(&self, from: u64, until: u64) -> impl Iterator<Item = &Frame> {
        let place = |at| self.0.partition_point(|frame| frame.at < at);
        let mut first = place(from);
        let before = first.checked_sub(1).and_then(|before| self.0.get(before));
        if before.is_some_and(|before| before.at.saturating_add(before.took) > from) {
            first -= 1;
        }
        let range: Range<usize> = first..place(until).max(first);
        self.0.range(range)
    }

    /// Adds a frame that began after all others. Drops the oldest one if there is no room.
    pub(super) fn push(&mut self, frame: Frame) {
        if self.0.len() == MAX_FRAMES {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }
}
