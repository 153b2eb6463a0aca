//! The watchdog of the window itself: a freeze, a frame that takes too long, becomes an incident.

use std::borrow::Cow;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::join::watchdog::{FrameGuard, LabelGuard, Watchdog};
use crate::late_frame;
use crate::record::IncidentRecord;

/// Frames longer than this feel slow.
const MAX_FRAME_TIME: Duration = Duration::from_millis(100);

/// The incidents that may wait for a frame: more than fit between two frames.
const MAX_WAITING: usize = 64;

pub(crate) struct Watch {
    /// `None` if the system refused the thread.
    watchdog: Option<Watchdog>,
    ended: Receiver<IncidentRecord>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let (sender, ended) = crossbeam_channel::bounded(MAX_WAITING);
        let watchdog = late_frame::watchdog(MAX_FRAME_TIME, move |incident| {
            if incident.has_ended {
                // Does not wake the window, or a window with only slow frames would never rest. It
                // reads incidents in its next frame. A full queue may drop one.
                let record = IncidentRecord {
                    began: incident.began,
                    lasted: incident.lasted,
                    because: incident.because(),
                    label: incident.label,
                };
                sender.try_send(record).ok();
            }
        });
        Self {
            watchdog: watchdog.ok(),
            ended,
        }
    }

    /// Marks a section of a frame, until the guard is dropped.
    pub(crate) fn frame(&self) -> Option<FrameGuard> {
        self.watchdog.as_ref().map(Watchdog::frame)
    }

    /// Labels the current work, until the guard is dropped.
    pub(crate) fn guard(&self, label: impl Into<Cow<'static, str>>) -> Option<LabelGuard> {
        let watchdog = self.watchdog.as_ref()?;
        Some(watchdog.guard(label))
    }

    /// The incidents that have ended since the last call.
    pub(crate) fn poll(&self) -> impl Iterator<Item = IncidentRecord> {
        self.ended.try_iter()
    }
}
