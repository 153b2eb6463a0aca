//! The watchdog of the window itself: a freeze, a frame that takes too long, becomes an incident.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::Receiver;

use crate::join::watchdog::{FrameGuard, LabelGuard, Watchdog};
use crate::late_frame;
use crate::record::IncidentRecord;

/// Frames longer than this feel slow.
const MAX_FRAME_TIME: Duration = Duration::from_millis(100);

/// The report of a frame that has ended comes within this time.
const MAX_LATE_REPORT: Duration = Duration::from_secs(1);

/// The incidents that may wait for a frame: more than fit between two frames.
const MAX_WAITING: usize = 64;

/// An incident, with its begin by a clock that does not jump.
pub(crate) struct WatchedIncident {
    pub(crate) began: Instant,
    pub(crate) record: IncidentRecord,
}

pub(crate) struct Watch {
    /// `None` if the system refused the thread.
    watchdog: Option<Watchdog>,
    ended: Receiver<WatchedIncident>,
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
                let began = began(incident.began, incident.lasted);
                sender.try_send(WatchedIncident { began, record }).ok();
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
    pub(crate) fn poll(&self) -> impl Iterator<Item = WatchedIncident> {
        self.ended.try_iter()
    }
}

/// When a frame that has just ended began, by the monotonic clock.
fn began(wall: SystemTime, lasted: Duration) -> Instant {
    let now = Instant::now();
    let ago = SystemTime::now().duration_since(wall).unwrap_or_default();
    // If the clock of the system has jumped, it began as long ago as it lasted.
    let is_likely = (lasted..lasted + MAX_LATE_REPORT).contains(&ago);
    let ago = if is_likely { ago } else { lasted };
    now.checked_sub(ago).unwrap_or(now)
}
