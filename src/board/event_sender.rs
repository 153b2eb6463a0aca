use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use crate::record::{EventKind, JobEvent, JobId};

/// Sends events from the worker threads to the board, and wakes it.
///
/// Its queue has no capacity limit: a worker that blocked until the window drained the queue could
/// never be joined by the window. Its content is bounded instead: a few events an item, and one for
/// each click of the user.
#[derive(Clone)]
pub(super) struct EventSender(Arc<Inner>);

struct Inner {
    origin: Instant,
    events: Sender<JobEvent>,
    wake_is_pending: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl EventSender {
    /// A sender, and the receiver from which the board drains its queue.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by its content: a few events an item, and one a click"
    )]
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> (Self, Receiver<JobEvent>) {
        let (events, queue) = crossbeam_channel::unbounded();
        let inner = Inner {
            origin: Instant::now(),
            events,
            wake_is_pending: AtomicBool::new(false),
            wake: Box::new(wake),
        };
        (Self(Arc::new(inner)), queue)
    }

    /// The time since the board was made.
    pub(super) fn now(&self) -> Duration {
        self.0.origin.elapsed()
    }

    /// An instant as time since the board was made.
    pub(super) fn time_of(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.0.origin)
    }

    /// Queues an event for the next poll. Does not wake.
    pub(super) fn publish(&self, job: JobId, kind: EventKind) {
        let at = self.now();
        // It fails only when the board is gone, and with it every reader.
        self.0.events.send(JobEvent { job, at, kind }).ok();
    }

    /// Asks for a poll now. Until that poll begins, asking again costs one atomic operation.
    ///
    /// Publish first, then wake: so the poll finds the event. The swap here and the one in
    /// [`begin_poll`](Self::begin_poll) are ordered: a poll either sees an event that was published
    /// before a wake, or that wake calls again.
    pub(super) fn wake(&self) {
        if !self.0.wake_is_pending.swap(true, Ordering::AcqRel) {
            (self.0.wake)();
        }
    }

    /// Notes that a poll begins: later events wake again.
    pub(super) fn begin_poll(&self) {
        self.0.wake_is_pending.swap(false, Ordering::AcqRel);
    }
}
