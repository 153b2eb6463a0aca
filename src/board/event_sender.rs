use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use crate::jobs::Stopwatch;
use crate::record::{EventKind, JobEvent, JobId};

/// The clock of a board, and its wake-up.
#[derive(Clone)]
pub(super) struct BoardSignal(Arc<Inner>);

struct Inner {
    clock: Stopwatch,
    wake_is_pending: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl BoardSignal {
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            clock: Stopwatch::start(),
            wake_is_pending: AtomicBool::new(false),
            wake: Box::new(wake),
        }))
    }

    /// The time since the board was made, without that in which the program stood still.
    pub(super) fn now(&self) -> Duration {
        self.0.clock.elapsed()
    }

    /// An instant as time since the board was made.
    pub(super) fn time_of(&self, instant: Instant) -> Duration {
        self.0.clock.time_of(instant)
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

/// Sends the events of one job from the worker threads to the board, and wakes it.
///
/// Each job has a queue of its own, so that one job's events never delay those of another. The queue
/// has no capacity limit: a worker that blocked until the window drained the queue could never be
/// joined by the window. Its content is bounded instead: a few events an item, and one for each click
/// of the user.
#[derive(Clone)]
pub(super) struct EventSender {
    job: JobId,
    queue: Sender<JobEvent>,
    board: BoardSignal,
}

impl EventSender {
    /// A sender for a job, and the receiver from which the board drains the queue.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by its content: a few events an item, and one a click"
    )]
    pub(super) fn new(job: JobId, board: &BoardSignal) -> (Self, Receiver<JobEvent>) {
        let (queue, events) = crossbeam_channel::unbounded();
        let board = board.clone();
        (Self { job, queue, board }, events)
    }

    /// Queues an event for the next poll. Does not wake.
    pub(super) fn publish(&self, kind: EventKind) {
        let (job, at) = (self.job, self.board.now());
        // It fails only when the board is gone or the job was removed, and with it every reader.
        self.queue.send(JobEvent { job, at, kind }).ok();
    }

    /// Asks for a poll now; see [`BoardSignal::wake`].
    pub(super) fn wake(&self) {
        self.board.wake();
    }
}
