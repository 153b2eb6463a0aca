use serde::{Deserialize, Serialize};

/// The settings of runs, saved when the window closes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabChoices {
    pub kind: crate::lab::WorkKind,
    /// The duration of the work, in seconds.
    pub secs: f64,
    /// The number of runs of each variant.
    pub repeat: usize,
}

impl Default for LabChoices {
    fn default() -> Self {
        Self {
            kind: crate::lab::WorkKind::default(),
            secs: 2.0,
            repeat: 1,
        }
    }
}

impl LabChoices {
    pub const SECS: std::ops::RangeInclusive<f64> = 0.1..=60.0;

    pub const REPEAT: std::ops::RangeInclusive<usize> = 1..=20;

    /// Brings values from a file into their ranges.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        if !Self::SECS.contains(&self.secs) {
            self.secs = Self::default().secs;
        }
        self.repeat = self
            .repeat
            .clamp(*Self::REPEAT.start(), *Self::REPEAT.end());
        self
    }
}
