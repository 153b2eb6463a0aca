//! How a start is retried that the system refuses while nothing runs whose end would make room.
//! Another program may hold what is short, for a moment only.

use std::time::Duration;

pub(super) const MAX_ATTEMPTS: u32 = 5;

pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(100);
