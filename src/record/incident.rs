use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// How many are kept; then the oldest go.
const KEPT: usize = 100;

/// A frame of the window that took too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub lasted: Duration,
    /// What was being done, if that is known.
    pub label: Option<String>,
}

/// The frames of the window that took too long, newest first.
///
/// ```
/// use meanwhile::record::{IncidentRecord, Incidents};
/// use std::time::{Duration, SystemTime};
///
/// let mut incidents = Incidents::default();
/// for secs in 0..200 {
///     incidents.push(IncidentRecord {
///         began: SystemTime::UNIX_EPOCH,
///         lasted: Duration::from_secs(secs),
///         label: None,
///     });
/// }
/// assert_eq!(incidents.iter().len(), 100);
/// assert_eq!(incidents.iter().next().unwrap().lasted, Duration::from_secs(199));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incidents(VecDeque<IncidentRecord>);

impl Incidents {
    /// Adds one.
    pub fn push(&mut self, incident: IncidentRecord) {
        self.0.push_front(incident);
        self.0.truncate(KEPT);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &IncidentRecord> {
        self.0.iter()
    }

    /// Without those that a damaged file could have brought beyond the limit.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        self.0.truncate(KEPT);
        self
    }
}
