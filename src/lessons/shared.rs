//! The state that all traces of one process share.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::lesson::WorkerKind;
use super::lifecycle::Lifecycle;
use crate::join::process::Launcher;
use crate::record::{LaneId, TimelineKind};

/// The lane of the main thread.
pub(super) const MAIN: LaneId = LaneId::new(0);

/// The maximum number of events between two polls; more are dropped.
const MAX_PENDING: usize = 100_000;

/// An event of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) at: Duration,
    pub(super) lane: LaneId,
    /// The line in the lesson's source file, or 0.
    pub(super) line: u32,
    pub(super) body: EventBody,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum EventBody {
    Timeline(TimelineKind),
    Result(String, String),
    /// A row of the table.
    Row(Vec<String>),
    /// The process with this id has exited, and all its threads with it.
    DidExit(u32),
}

/// The settings of a run, the same in all its processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunSettings {
    pub(super) lesson: String,
    pub(super) worker_kind: WorkerKind,
    pub(super) speed: f64,
    pub(super) parameters: BTreeMap<String, f64>,
    /// The start of the run by [`steady_clock`].
    pub(super) began: Duration,
}

/// The state that all traces of one process share.
pub(super) struct RunShared {
    pub(super) settings: RunSettings,
    pub(super) folder: PathBuf,
    pub(super) launcher: Launcher,
    pub(super) lifecycle: Arc<Lifecycle>,
    sink: EventSink,
    next_lane: AtomicU64,
    dropped_events: AtomicU64,
}

pub(super) enum EventSink {
    /// The run polls these events. The callback wakes it.
    Queue(Mutex<Vec<Event>>, Box<dyn Fn() + Send + Sync>),
    /// A child process writes its events to a file that the run reads, and wakes the run with an empty
    /// message.
    File(Mutex<File>, UnixDatagram),
}

impl RunShared {
    /// `first_lane` must differ between the processes of a run.
    pub(super) fn new(
        settings: RunSettings,
        sink: EventSink,
        folder: PathBuf,
        launcher: Launcher,
        first_lane: LaneId,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings,
            folder,
            launcher,
            lifecycle: Arc::new(Lifecycle::new()),
            sink,
            next_lane: AtomicU64::new(first_lane.get()),
            dropped_events: AtomicU64::new(0),
        })
    }

    pub(super) fn new_lane(&self) -> LaneId {
        LaneId::new(self.next_lane.fetch_add(1, Ordering::Relaxed))
    }

    /// The time since the start of the run.
    pub(super) fn now(&self) -> Duration {
        steady_clock().saturating_sub(self.settings.began)
    }

    pub(super) fn send(&self, event: Event) {
        match &self.sink {
            EventSink::Queue(queue, wake) => {
                let mut queue = queue.lock();
                if queue.len() < MAX_PENDING {
                    queue.push(event);
                } else {
                    self.dropped_events.fetch_add(1, Ordering::Relaxed);
                }
                if queue.len() == 1 {
                    drop(queue);
                    wake();
                }
            }
            EventSink::File(file, wake) => {
                let mut line = serde_json::to_vec(&event).unwrap_or_default();
                line.push(b'\n');
                let mut file = file.lock();
                // On a full disk the transcript has a gap, and the lesson goes on.
                file.write_all(&line).ok();
                // If it has no room, the run is being woken already.
                wake.send(&[]).ok();
            }
        }
    }

    /// Takes the events that this process has queued since the last call.
    pub(super) fn take_events(&self) -> Vec<Event> {
        match &self.sink {
            EventSink::Queue(queue, _) => std::mem::take(&mut *queue.lock()),
            EventSink::File(..) => Vec::new(),
        }
    }

    pub(super) fn dropped_events(&self) -> u64 {
        self.dropped_events.load(Ordering::Relaxed)
    }
}

/// The first lane of a child process: no two processes use the same lanes.
pub(super) fn first_lane_of(process: u32) -> LaneId {
    LaneId::new((u64::from(process) << 32) + 1)
}

/// Whether that process has opened the lane itself.
pub(super) fn is_lane_of(lane: LaneId, process: u32) -> bool {
    lane.get() >> 32 == u64::from(process)
}

/// The system's monotonic clock, which all processes share.
pub(super) fn steady_clock() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(secs, nanos)
}
