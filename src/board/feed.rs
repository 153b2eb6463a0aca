use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use crate::record::{Event, EventKind, JobId};

/// The way of facts from the worker threads to the board.
///
/// Its queue has no capacity of its own, because a worker that waited for the window could never
/// be joined by the window. What bounds it is its content: a few facts an item, and one for each click
/// of a person.
#[derive(Clone)]
pub(super) struct Feed(Arc<Inner>);

struct Inner {
    origin: Instant,
    events: Sender<Event>,
    wake_is_pending: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Feed {
    /// A feed and the end from which the board drains it.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by what it carries: a few facts an item, and one a click"
    )]
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> (Self, Receiver<Event>) {
        let (events, drain) = crossbeam_channel::unbounded();
        let inner = Inner {
            origin: Instant::now(),
            events,
            wake_is_pending: AtomicBool::new(false),
            wake: Box::new(wake),
        };
        (Self(Arc::new(inner)), drain)
    }

    /// The time since the board was made.
    pub(super) fn now(&self) -> Duration {
        self.0.origin.elapsed()
    }

    /// An instant as time since the board was made.
    pub(super) fn time_of(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.0.origin)
    }

    /// Queues a fact for the next regular poll.
    pub(super) fn publish(&self, job: JobId, kind: EventKind) {
        let at = self.now();
        // Once the board is gone nobody is left to tell.
        let _gone = self.0.events.send(Event { job, at, kind });
    }

    /// Asks for a poll now. Until that poll comes, asking again costs one atomic operation.
    ///
    /// Whoever publishes does so before waking, so the poll finds it.
    pub(super) fn wake(&self) {
        if !self.0.wake_is_pending.swap(true, Ordering::AcqRel) {
            (self.0.wake)();
        }
    }

    /// Takes note of a poll that begins: what is published from now on wakes again.
    pub(super) fn begin_poll(&self) {
        self.0.wake_is_pending.swap(false, Ordering::AcqRel);
    }
}
