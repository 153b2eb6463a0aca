use std::collections::VecDeque;
use std::ops::Range;

use super::texts::Texts;

/// The number of the last frames that are kept.
const MAX_FRAMES: usize = 65_536;
/// The number of different causes that are kept, and the bytes of each. A program asks for frames in some tens of places.
const MAX_CAUSES: usize = 1_000;
const MAX_CAUSE_BYTES: usize = 1_000;

/// When the frames of a window began, how long each took, and what asked for it.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    frames: VecDeque<Frame>,
    causes: Texts,
}

/// A frame of a window, with times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub at: u64,
    pub took: u64,
    /// What asked for it; `None` if that is not known.
    pub cause: Option<FrameCause>,
}

/// Names what asked for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameCause(u32);

impl Frames {
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Frame> {
        self.frames.iter()
    }

    /// What asked for a frame of these; `None` if that is not known.
    pub fn cause(&self, frame: &Frame) -> Option<&str> {
        Some(self.causes.get(frame.cause?.0))
    }

    /// Those that were drawn between two times, at least in part.
    pub fn between(&self, from: u64, until: u64) -> impl Iterator<Item = &Frame> {
        let place = |at| self.frames.partition_point(|frame| frame.at < at);
        let mut first = place(from);
        let before = first
            .checked_sub(1)
            .and_then(|before| self.frames.get(before));
        if before.is_some_and(|before| before.at.saturating_add(before.took) > from) {
            first -= 1;
        }
        let range: Range<usize> = first..place(until).max(first);
        self.frames.range(range)
    }

    /// Adds a frame that began after all others. Drops the oldest one if there is no room.
    pub(super) fn push(&mut self, frame: Frame) {
        if self.frames.len() == MAX_FRAMES {
            self.frames.pop_front();
        }
        self.frames.push_back(frame);
    }

    /// Adds a cause. Returns `None` if it is too long, or there is no room for one more.
    pub(super) fn add_cause(&mut self, text: &str) -> Option<FrameCause> {
        let has_room = self.causes.len() < MAX_CAUSES || self.causes.has(text);
        let is_kept = has_room && text.len() <= MAX_CAUSE_BYTES;
        is_kept.then(|| FrameCause(self.causes.add(text)))
    }
}
