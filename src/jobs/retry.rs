//! Retries a start that the system refused although no own work can free resources. Another program
//! may hold them for a moment.

use std::time::Duration;

const MAX_ATTEMPTS: u32 = 5;

pub(crate) const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The refused starts in a row. Once all attempts for an item were refused, the items after it have
/// one attempt each, until a start succeeds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Refusals(u32);

impl Refusals {
    pub(crate) const NONE: Self = Self(0);

    /// Counts another refused start. Returns whether it is tried again, after [`RETRY_INTERVAL`].
    pub(crate) fn may_retry(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 < MAX_ATTEMPTS
    }
}
