use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The number of incidents that are kept.
const MAX_INCIDENTS: usize = 100;

/// A frame of the window that took too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    pub began: SystemTime,
    pub lasted: Duration,
    /// The activity of the window, if known.
    pub label: Option<String>,
    /// Why it took too long, if known.
    #[serde(default)]
    pub because: Option<String>,
}

impl IncidentRecord {
    /// All that is known of its cause, in words.
    pub fn cause(&self) -> String {
        match (&self.label, &self.because) {
            (Some(label), Some(because)) if !because.contains(label) => {
                format!("{label}: {because}")
            }
            (_, Some(because)) => because.clone(),
            (Some(label), None) => label.clone(),
            (None, None) => "the cause is not known".to_owned(),
        }
    }
}

/// The frames of the window that took too long, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incidents(VecDeque<IncidentRecord>);

impl Incidents {
    /// Adds an incident, and drops the oldest beyond 100.
    pub fn push(&mut self, incident: IncidentRecord) {
        self.0.push_front(incident);
        self.0.truncate(MAX_INCIDENTS);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All, newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &IncidentRecord> {
        self.0.iter()
    }

    /// Drops incidents beyond the limit, which a damaged file may have.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        self.0.truncate(MAX_INCIDENTS);
        self
    }
}
