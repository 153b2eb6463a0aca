use std::time::Duration;

use crate::record::FrameCost;

/// Measures the processor time of the thread that draws.
#[derive(Default)]
pub(super) struct FrameClock {
    /// When the current frame began; `None` where the system does not tell the time.
    began: Option<Duration>,
    /// When its last pass was drawn; `None` if it has not been, as while the window is hidden.
    drawn: Option<Duration>,
}

impl FrameClock {
    /// A frame begins. Returns the cost of the one before it.
    pub(super) fn begin(&mut self) -> Option<FrameCost> {
        let now = thread_time();
        let began = std::mem::replace(&mut self.began, now)?;
        let drawn = self.drawn.take()?;
        Some(FrameCost {
            code: drawn.saturating_sub(began),
            with_painting: now?.saturating_sub(began),
        })
    }

    /// A pass of the frame was drawn.
    pub(super) fn end_pass(&mut self) {
        self.drawn = thread_time();
    }
}

/// The processor time of this thread; `None` where the system does not tell it.
#[cfg(unix)]
fn thread_time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).ok()
}

#[cfg(not(unix))]
fn thread_time() -> Option<Duration> {
    None
}
