//! The figures of one run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::gap::THRESHOLDS;
use super::sparkline::Sparkline;
use crate::record::statistics::Spread;

/// The figures of one run, from the click on `Start` to the frame that shows the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// From the beginning of a frame to that of the next, hidden frames left out. `None` if there
    /// were not two frames.
    pub frame_gap_ms: Option<Spread>,
    /// From the beginning of a frame until it is drawn.
    pub frame_ms: Option<Spread>,
    /// The time that the probe's inputs waited for a frame; `None` without a probe.
    pub input_latency_ms: Option<Spread>,
    /// The sum of the gaps above [`MIN_FREEZE`](super::gap::MIN_FREEZE).
    pub frozen_ms: f64,
    /// The number of gaps above each of [`THRESHOLDS`].
    pub gaps_above: [usize; THRESHOLDS.len()],
    /// From the end of the work to the frame that shows its result; `None` if no frame did.
    pub time_to_result_ms: Option<f64>,
    /// The time of a small step of the work, in microseconds; `None` if the work has none.
    pub step_us: Option<f64>,
    /// Whether the result was shown only once the mouse moved.
    pub needed_input: bool,
    /// From the request to close the window until it closed, or until the twin was killed.
    pub time_to_close_ms: Option<f64>,
    /// Processor time of the UI thread.
    pub ui_cpu_ms: f64,
    /// Processor time of the whole twin.
    pub process_cpu_ms: f64,
    /// Processor time by thread name, the busiest first.
    pub threads: Vec<ThreadCpu>,
    /// From the click on `Start` to the end of the measurement.
    pub watched_ms: f64,
    /// Frames drawn in that time, per second.
    pub repaints_per_sec: f64,
    /// Frames with the same text as the frame before, per second.
    pub idle_repaints_per_sec: f64,
    pub clicks: Clicks,
    /// Why the window misbehaved by the metric of its pattern, if it did and the cause is known.
    #[serde(default)]
    pub because: Option<String>,
    /// The frame gaps over time.
    #[serde(rename = "frame_line")]
    pub sparkline: Sparkline,
    /// Whether a frame began while the window was hidden, as far as the desktop tells that.
    #[serde(skip)]
    pub was_hidden: bool,
    #[serde(skip)]
    pub ending: TwinOutcome,
}

/// Processor time of the threads of one name, from the click on `Start` on. Threads that ended before
/// the work are not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadCpu {
    pub name: String,
    /// The number of threads with this name.
    pub threads: usize,
    /// The sum of their times.
    pub cpu_ms: f64,
}

/// The clicks on the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clicks {
    pub made: usize,
    /// Shown within [`MAX_CLICK_LATENCY`](super::gap::MAX_CLICK_LATENCY).
    pub in_time: usize,
    pub late: usize,
    pub lost: usize,
}

/// The end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwinOutcome {
    /// The scenario ran to its end.
    #[default]
    Finished,
    /// The window ran out of time and was killed.
    #[serde(rename = "ended")]
    Killed,
    /// The twin exited early. The text has its exit and its last output.
    Died(String),
    /// The user stopped the run.
    Stopped,
    /// `Start` was never clicked, because the window drew nothing.
    Unseen,
}

impl fmt::Display for TwinOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "finished",
            Self::Killed => "did not finish in time and was killed",
            Self::Died(report) => report,
            Self::Stopped => "stopped",
            Self::Unseen => "its window drew nothing, as one does that is out of sight",
        })
    }
}
