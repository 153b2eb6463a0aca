//! The lane of a pool's thread, which runs many tasks.

use std::cell::RefCell;
use std::sync::Arc;

use super::guards::SpanGuard;
use super::lifecycle::ActiveGuard;
use super::shared::RunShared;
use super::trace::Trace;
use crate::record::{Activity, LaneKind, LaneOutcome};

thread_local! {
    static POOL_LANE: RefCell<Option<PoolLane>> = const { RefCell::new(None) };
}

/// The lane of this thread; closed at the end of the thread.
struct PoolLane {
    trace: Trace,
    /// The wait between two tasks.
    idle: Option<SpanGuard>,
    _active: ActiveGuard,
}

/// Runs a task with the trace of this thread's lane, which is opened for its first task.
pub(super) fn with_lane<T>(shared: &Arc<RunShared>, body: impl FnOnce(&Trace) -> T) -> T {
    let trace = POOL_LANE.with_borrow_mut(|lane| {
        let open = lane.take();
        let open = open.filter(|lane| Arc::ptr_eq(&lane.trace.shared, shared));
        let lane = lane.insert(open.unwrap_or_else(|| PoolLane::open(shared)));
        lane.idle = None;
        lane.trace.clone()
    });
    let _idle_after = IdleAfter;
    body(&trace)
}

impl PoolLane {
    fn open(shared: &Arc<RunShared>) -> Self {
        let name = std::thread::current().name().unwrap_or("thread").to_owned();
        Self {
            trace: Trace::open(shared, name, LaneKind::Task, None),
            idle: None,
            _active: ActiveGuard::new(&shared.lifecycle),
        }
    }
}

impl Drop for PoolLane {
    fn drop(&mut self) {
        self.idle = None;
        let end = if self.trace.shared.lifecycle.is_stopped() {
            LaneOutcome::Failed("stopped".to_owned())
        } else {
            LaneOutcome::Returned
        };
        self.trace.record_close(end);
    }
}

/// Begins a wait when dropped, at the end of a task.
struct IdleAfter;

impl Drop for IdleAfter {
    fn drop(&mut self) {
        POOL_LANE.with_borrow_mut(|lane| {
            if let Some(lane) = lane {
                let label = "waits for work".to_owned();
                lane.idle = Some(SpanGuard::begin(&lane.trace, 0, Activity::Waits, label));
            }
        });
    }
}
