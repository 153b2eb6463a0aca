use serde::{Deserialize, Serialize};

/// What a person chose for the runs of the Freeze Lab; remembered between runs.
///
/// ```
/// use meanwhile::pages::freeze_lab::LabChoices;
///
/// let choices = LabChoices { secs: f64::NAN, repeat: 0, ..LabChoices::default() };
/// assert_eq!(choices.sanitized(), LabChoices::default());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabChoices {
    /// What is worked on.
    pub kind: crate::lab::Kind,
    /// How long the work takes, in seconds.
    pub secs: f64,
    /// How often each half is run.
    pub repeat: usize,
}

impl Default for LabChoices {
    fn default() -> Self {
        Self {
            kind: crate::lab::Kind::default(),
            secs: 2.0,
            repeat: 1,
        }
    }
}

impl LabChoices {
    /// How long the work can take, in seconds.
    pub const SECS: std::ops::RangeInclusive<f64> = 0.1..=60.0;

    /// How often a half can be run.
    pub const REPEAT: std::ops::RangeInclusive<usize> = 1..=20;

    /// Brings values that came from a file back into what the window can show.
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
