//! The window watches itself: a frame that takes too long becomes an incident.

use std::borrow::Cow;

use crossbeam_channel::Receiver;

use crate::record::IncidentRecord;
use crate::watchdog::{FrameGuard, LabelGuard, Watchdog};

/// From here on a person takes the window for slow.
const LIMIT: std::time::Duration = std::time::Duration::from_millis(100);

/// How many incidents may wait for a frame: more than fit between two.
const WAITING: usize = 64;

pub(crate) struct Watch {
    /// `None` where the system refused its thread: then nobody watches.
    watchdog: Option<Watchdog>,
    ended: Receiver<IncidentRecord>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let (sender, ended) = crossbeam_channel::bounded(WAITING);
        let watchdog = Watchdog::new(LIMIT, move |incident| {
            if incident.has_ended {
                // Nobody is woken: where every frame is slow, that would never end. The window comes
                // to rest with a frame of its own, and takes it in then. Full: others tell of it.
                drop(sender.try_send(IncidentRecord {
                    began: incident.began,
                    lasted: incident.lasted,
                    label: incident.label,
                }));
            }
        });
        Self {
            watchdog: watchdog.ok(),
            ended,
        }
    }

    /// A part of a frame begins, and lasts until the guard is dropped.
    pub(crate) fn frame(&self) -> Option<FrameGuard> {
        self.watchdog.as_ref().map(Watchdog::frame)
    }

    /// Says what is being done, until the guard is dropped.
    pub(crate) fn guard(&self, label: impl Into<Cow<'static, str>>) -> Option<LabelGuard> {
        let watchdog = self.watchdog.as_ref()?;
        Some(watchdog.guard(label))
    }

    /// The incidents that have ended since this was asked last.
    pub(crate) fn poll(&self) -> impl Iterator<Item = IncidentRecord> {
        self.ended.try_iter()
    }
}
