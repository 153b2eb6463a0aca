//! Frame gaps, and the lengths from which the user notices them.

use std::time::Duration;

/// A freeze is a frame gap above this. J. Nielsen, Usability Engineering (1993), chapter 5: up to
/// 0.1 s a system seems to react at once.
pub const MIN_FREEZE: Duration = Duration::from_millis(100);

/// A click shown later than this is late: "good" in the web's measure *Interaction to Next Paint*
/// (INP).
pub const MAX_CLICK_LATENCY: Duration = Duration::from_millis(200);

/// The horizontal lines in every plot: a frame at 60 Hz, the RAIL model's chunk of work, Nielsen's
/// "instant", INP's "good", Nielsen's flow of thought, and the time after which desktops call a window
/// hung.
pub const THRESHOLDS: [Duration; 6] = [
    Duration::from_micros(16_667),
    Duration::from_millis(50),
    MIN_FREEZE,
    MAX_CLICK_LATENCY,
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// From the beginning of a frame to that of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The beginning of the frame.
    pub began: Duration,
    /// The beginning of the next frame; the time of the newest fact if there is none yet.
    pub ended: Duration,
    pub kind: GapKind,
}

impl Gap {
    pub fn length(&self) -> Duration {
        self.ended.saturating_sub(self.began)
    }
}

/// The meaning of a gap to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    Responsive,
    /// The window gets input and draws nothing for longer than [`MIN_FREEZE`].
    Frozen,
    /// The window gets no input and needs no frame.
    Idle,
    Hidden,
}
