//! Retries a start that the system refused although no own work can free resources. Another program
//! may hold them for a moment.

use std::time::Duration;

pub(super) const MAX_ATTEMPTS: u32 = 5;

pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(100);
