//! The metric that tells the variants of a pattern apart, and the verdict drawn from it.

use serde::Serialize;

use super::figures::{Figures, TwinOutcome};
use super::unit::Unit;
use crate::format;

/// The one figure that a pattern is about. Less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The sum of the frame gaps above 100 ms.
    Frozen,
    /// The 95th percentile of the frame gaps.
    FrameGaps,
    /// From the end of the work to the frame that shows the result.
    TimeToResult,
    /// Frames per second in which no text changed.
    IdleRepaints,
    /// The time of a small step of the work.
    StepTime,
    /// From the request to close the window until it has closed.
    TimeToClose,
    /// 1 if the window died, else 0.
    Survival,
}

impl Metric {
    /// The value of one run, in [`unit`](Self::unit); `None` if the run did not measure it.
    pub fn value(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Frozen => Some(figures.frozen_ms),
            Self::FrameGaps => figures.frame_gap_ms.map(|gaps| gaps.p95),
            Self::TimeToResult => Some(figures.time_to_result_ms.unwrap_or(f64::INFINITY)),
            Self::IdleRepaints => Some(figures.idle_repaints_per_sec),
            Self::StepTime => figures.step_us,
            Self::TimeToClose => figures.time_to_close_ms,
            Self::Survival => Some(match figures.ending {
                TwinOutcome::Died(_) => 1.0,
                _ => 0.0,
            }),
        }
    }

    /// The unit of its values.
    pub fn unit(self) -> Unit {
        match self {
            Self::IdleRepaints => Unit::PerSec,
            Self::StepTime => Unit::Micros,
            Self::Survival => Unit::YesNo,
            _ => Unit::Millis,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Frozen => "frozen time",
            Self::FrameGaps => "frame gaps, 95th percentile",
            Self::TimeToResult => "time to result",
            Self::IdleRepaints => "repaints without a change",
            Self::StepTime => "time per step of the work",
            Self::TimeToClose => "time to close",
            Self::Survival => "whether the window survives",
        }
    }

    /// A value for a table, such as `2.00 s`.
    pub fn short_text(self, value: f64) -> String {
        match self {
            Self::TimeToResult if value.is_infinite() => "never shown".to_owned(),
            Self::Survival if value > 0.0 => "died".to_owned(),
            Self::Survival => "survives".to_owned(),
            _ => self.unit().text(value),
        }
    }

    /// A value as part of a sentence, such as `2.00 s frozen`.
    pub fn text(self, value: f64) -> String {
        let short = self.short_text(value);
        match self {
            Self::Frozen if value <= 0.0 => "never frozen".to_owned(),
            Self::Frozen => format!("{short} frozen"),
            Self::FrameGaps => format!("frame gaps of {short}"),
            Self::TimeToResult if value.is_infinite() => format!("result {short}"),
            Self::TimeToResult => format!("result after {short}"),
            Self::IdleRepaints => format::plural_per_sec(value, "idle repaint", "idle repaints"),
            Self::StepTime => format!("{short} per step of the work"),
            Self::TimeToClose => format!("closed after {short}"),
            Self::Survival => format!("window {short}"),
        }
    }

    /// The minimum of the bad variant to count as reproduced: a value, and a multiple of the fixed
    /// variant's.
    pub(super) fn bad_min(self) -> (f64, f64) {
        match self {
            Self::Frozen => (100.0, 3.0),
            Self::FrameGaps => (1000.0 / 60.0, 1.5),
            Self::TimeToResult => (200.0, 3.0),
            Self::IdleRepaints => (5.0, 3.0),
            Self::StepTime => (0.0, 1.5),
            Self::TimeToClose => (200.0, 2.0),
            Self::Survival => (1.0, 0.0),
        }
    }
}

/// The two variants of a pattern compared by its metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The value of the bad variant.
    pub bad: f64,
    /// The value of the fixed variant.
    pub fixed: f64,
    /// The bad value divided by the fixed one; `None` if the fixed one is 0 or either is without end.
    pub ratio: Option<f64>,
    /// Whether the bad variant misbehaves on this machine.
    pub reproduced: bool,
}

impl Verdict {
    /// The comparison of two values, if nothing was missing.
    pub(super) fn of(metric: Metric, bad: f64, fixed: f64) -> Self {
        let (min, min_ratio) = metric.bad_min();
        let ratio = (fixed > 0.0).then_some(bad / fixed);
        Self {
            bad,
            fixed,
            ratio: ratio.filter(|ratio| ratio.is_finite()),
            reproduced: fixed.is_finite() && bad >= min && bad >= min_ratio * fixed,
        }
    }

    /// The same of a bad variant that could not do its mistake here.
    pub(super) fn without_need(self) -> Self {
        Self {
            reproduced: false,
            ..self
        }
    }

    /// One line, such as `2.00 s frozen; fixed: never frozen`.
    pub fn text(&self, metric: Metric) -> String {
        let (bad, fixed) = (metric.text(self.bad), metric.text(self.fixed));
        if self.reproduced {
            format!("{bad}; fixed: {fixed}")
        } else {
            format!("not reproduced here: {bad}; fixed: {fixed}")
        }
    }
}
