//! The processes of items that a signal has stopped, so that an item which stands still is explained.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::record::{EventKind, ItemId, JobEvent};

/// The time after which it is said: long enough for one that is stopped and continued on purpose.
const MIN_TIME: Duration = Duration::from_secs(1);

/// The items whose process is stopped, and since when. One that was named is forgotten.
#[derive(Default)]
pub(super) struct Paused(BTreeMap<ItemId, Duration>);

impl Paused {
    pub(super) fn note(&mut self, event: &JobEvent) {
        match event.kind {
            EventKind::ItemDidPauseProcess { item, paused: true } => {
                self.0.insert(item, event.at);
            }
            EventKind::ItemDidPauseProcess { item, .. } | EventKind::ItemDidFinish { item, .. } => {
                self.0.remove(&item);
            }
            _ => {}
        }
    }

    /// Those that have been stopped for long enough to be named, once each.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<ItemId> {
        let is_due = |_: &ItemId, since: &mut Duration| now.saturating_sub(*since) >= MIN_TIME;
        self.0
            .extract_if(.., is_due)
            .map(|(item, _)| item)
            .collect()
    }
}
