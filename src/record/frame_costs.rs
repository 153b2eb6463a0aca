use std::collections::VecDeque;
use std::time::Duration;

use super::statistics::Spread;

/// As many frames as a screen of 60 Hz shows in half an hour.
const MAX_FRAMES: usize = 30 * 60 * 60;

/// How much processor time a frame took on the thread that draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCost {
    /// For taking in what happened and for drawing: the code of the program and of egui.
    pub code: Duration,
    /// The same with painting, and with the input until the next frame.
    pub with_painting: Duration,
}

/// The costs of the last frames, those of half an hour.
#[derive(Clone, Debug, Default)]
pub struct FrameCosts {
    /// In microseconds, the oldest first.
    frames: VecDeque<[u32; 2]>,
}

impl FrameCosts {
    pub fn push(&mut self, cost: FrameCost) {
        if self.frames.len() == MAX_FRAMES {
            self.frames.pop_front();
        }
        let times = [cost.code, cost.with_painting];
        let micros = times.map(|time| u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
        self.frames.push_back(micros);
    }

    /// The number of frames.
    pub fn count(&self) -> usize {
        self.frames.len()
    }

    /// The distributions of [`FrameCost::code`] and [`FrameCost::with_painting`]; `None` without a frame. It sorts all
    /// of them, which takes longer than a frame.
    pub fn spreads(&self) -> Option<[Spread; 2]> {
        let spread = |which: usize| {
            let micros = self.frames.iter().map(|frame| frame[which]);
            Spread::of(micros.map(|micros| Duration::from_micros(micros.into())))
        };
        Some([spread(0)?, spread(1)?])
    }
}
