//! The completion cell: one task's state, its outcome's publication, and who is to be woken.
//!
//! Everything about a task but its value stands in a [`Header`], so that waiting, listing and
//! cancelling need not know the value's type.
//!
//! The order at the end of a task is the heart of it. The value is stored first. Then one store to
//! `state` publishes it: from here on every poll sees the outcome, and a poll before that has cost
//! one load. Then those who wait are woken, and last the callbacks run. Whoever is woken, in
//! whatever way, therefore finds the outcome there.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::clock::{self, Stamp};
use super::context::{self, Context};
use super::graph::Wait;
use super::outcome::{Placement, Progress, TaskId, TaskInfo, TaskState};
use super::panic::{PanicReport, contain, drop_contained};
use super::sync::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Mutex, Ordering, Thread, lock, park_until,
};
use super::wake::Observer;

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const RETURNED: u8 = 2;
const PANICKED: u8 = 3;
const CANCELLED: u8 = 4;

/// What a closure leaves behind beside its value, which it has stored itself.
pub(crate) enum Ended {
    Returned,
    Panicked(Arc<PanicReport>),
    Cancelled,
}

/// A task's closure with the place for its value; dropped without a run, it drops both.
pub(crate) type Body = Box<dyn FnOnce(&Context) -> Ended + Send>;

/// A task without its value.
pub(crate) struct Header {
    id: TaskId,
    name: OnceLock<Arc<str>>,
    daemon: bool,
    placement: Placement,
    state: AtomicU8,
    registry_key: AtomicUsize,
    cancel_requested: AtomicBool,
    dirty: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    spawned_at: Stamp,
    started_at: Stamp,
    finished_at: Stamp,
    cancel_requested_at: Stamp,
    message: Mutex<Option<Arc<str>>>,
    body: Mutex<Option<Body>>,
    waiting: Mutex<WakeQueue>,
    panic: OnceLock<Arc<PanicReport>>,
    observer: Observer,
}

/// What a header is made of.
pub(crate) struct Spec {
    pub(crate) id: TaskId,
    /// `None` for the default.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) daemon: bool,
    pub(crate) placement: Placement,
    pub(crate) observer: Observer,
}

#[derive(Default)]
struct WakeQueue {
    next_ticket: u64,
    waiters: Vec<(u64, Waiter)>,
    callbacks: Vec<Box<dyn FnOnce() + Send>>,
}

enum Waiter {
    Thread(Thread),
    Member(Arc<Batch>, usize),
}

/// The members of one wait for several tasks that have ended, in the order in which they did.
pub(crate) struct Batch {
    thread: Thread,
    ended: Mutex<Vec<usize>>,
}

impl Batch {
    pub(crate) fn new(thread: Thread) -> Self {
        Self {
            thread,
            ended: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn take(&self) -> Vec<usize> {
        std::mem::take(&mut *lock(&self.ended))
    }

    fn push(&self, index: usize) {
        lock(&self.ended).push(index);
        self.thread.unpark();
    }
}

impl Header {
    pub(crate) fn new(spec: Spec, body: Body) -> Self {
        Self {
            id: spec.id,
            name: spec.name.map_or_else(OnceLock::new, OnceLock::from),
            daemon: spec.daemon,
            placement: spec.placement,
            state: AtomicU8::new(QUEUED),
            registry_key: AtomicUsize::new(0),
            cancel_requested: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            spawned_at: Stamp::now(),
            started_at: Stamp::never(),
            finished_at: Stamp::never(),
            cancel_requested_at: Stamp::never(),
            message: Mutex::new(None),
            body: Mutex::new(Some(body)),
            waiting: Mutex::new(WakeQueue::default()),
            panic: OnceLock::new(),
            observer: spec.observer,
        }
    }

    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// Most tasks of a pool are never asked, so the default is made when one is.
    pub(crate) fn name(&self) -> &Arc<str> {
        self.name
            .get_or_init(|| format!("task-{}", self.id.get()).into())
    }

    pub(crate) fn is_daemon(&self) -> bool {
        self.daemon
    }

    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }

    /// Where it stands in the registry that lists it.
    pub(crate) fn registry_key(&self) -> usize {
        self.registry_key.load(Ordering::Relaxed)
    }

    pub(crate) fn set_registry_key(&self, key: usize) {
        self.registry_key.store(key, Ordering::Relaxed);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state.load(Ordering::Acquire) >= RETURNED
    }

    pub(crate) fn state(&self) -> TaskState {
        match self.state.load(Ordering::Acquire) {
            QUEUED => TaskState::Queued,
            RUNNING => TaskState::Running,
            RETURNED => TaskState::Returned,
            PANICKED => TaskState::Panicked,
            _ => TaskState::Cancelled,
        }
    }

    pub(crate) fn panic(&self) -> Option<&Arc<PanicReport>> {
        self.panic.get()
    }

    pub(crate) fn finished_at(&self) -> Option<Instant> {
        self.finished_at.get()
    }

    pub(crate) fn info(&self) -> TaskInfo {
        TaskInfo {
            id: self.id,
            name: self.name().clone(),
            state: self.state(),
            daemon: self.daemon,
            placement: self.placement,
            spawned_at: self.spawned_at.get().unwrap_or_else(clock::epoch),
            started_at: self.started_at.get(),
            finished_at: self.finished_at.get(),
            cancel_requested_at: self.cancel_requested_at.get(),
            progress: self.progress(),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress {
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            message: lock(&self.message).clone(),
        }
    }

    #[inline]
    pub(crate) fn set_progress(self: &Arc<Self>, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        if !self.dirty.load(Ordering::Relaxed) {
            self.report_change();
        }
    }

    pub(crate) fn set_message(self: &Arc<Self>, text: Arc<str>) {
        *lock(&self.message) = Some(text);
        self.report_change();
    }

    /// Tells the observer, if there is one and it has not been told since it last looked.
    fn report_change(self: &Arc<Self>) {
        // Without an observer the flag stays up, so that progress never comes this way again.
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.observer.tell(self);
        }
    }

    /// The observer is about to look: later changes are new ones.
    pub(crate) fn clear_change(&self) {
        self.dirty.swap(false, Ordering::AcqRel);
    }

    pub(crate) fn is_cancel_requested(&self) -> bool {
        self.cancel_requested.load(Ordering::Acquire)
    }

    /// Asks for a cancel. True when the task had not begun: then it is over now, and the caller
    /// has to [`settle`](Self::settle) it.
    #[must_use]
    pub(crate) fn request_cancel(&self) -> bool {
        if self.is_finished() {
            return false;
        }
        if !self.cancel_requested.swap(true, Ordering::AcqRel) {
            self.cancel_requested_at.set_now();
        }
        self.discard()
    }

    /// Ends a task that has not begun. False when it has.
    #[must_use]
    pub(crate) fn discard(&self) -> bool {
        let Some(body) = self.claim() else {
            return false;
        };
        drop_contained(body);
        self.publish(Ended::Cancelled);
        true
    }

    /// Runs the closure on this thread and publishes how it ended, unless somebody else has begun
    /// it or it was cancelled. True when it ran: then the caller has to [`settle`](Self::settle) it.
    #[must_use]
    pub(crate) fn run(self: &Arc<Self>) -> bool {
        let Some(body) = self.claim() else {
            return false;
        };
        self.started_at.set_now();
        self.state.store(RUNNING, Ordering::Release);
        let ended = {
            let _current = context::enter(self.id);
            body(&Context::new(self.clone()))
        };
        self.publish(ended);
        true
    }

    /// Whoever gets the closure, the first to ask, runs it or drops it.
    fn claim(&self) -> Option<Body> {
        lock(&self.body).take()
    }

    fn publish(&self, ended: Ended) {
        let state = match ended {
            Ended::Returned => RETURNED,
            Ended::Cancelled => CANCELLED,
            Ended::Panicked(report) => {
                self.panic.get_or_init(|| report);
                PANICKED
            }
        };
        self.finished_at.set_now();
        self.state.store(state, Ordering::Release);
    }

    /// Wakes everybody who waits, then tells the observer, then runs the callbacks.
    pub(crate) fn settle(self: &Arc<Self>) {
        let queue = std::mem::take(&mut *lock(&self.waiting));
        for (_, waiter) in queue.waiters {
            waiter.wake();
        }
        self.report_change();
        for callback in queue.callbacks {
            contain(callback);
        }
    }

    /// Runs `callback` when the task has ended, or now if it has.
    pub(crate) fn on_finish(&self, callback: Box<dyn FnOnce() + Send>) {
        {
            let mut queue = lock(&self.waiting);
            if !self.is_finished() {
                queue.callbacks.push(callback);
                return;
            }
        }
        contain(callback);
    }

    /// Parks this thread until the task has ended, the deadline has passed or the wait was broken.
    pub(crate) fn park(&self, deadline: Option<Instant>, wait: &Wait<'_>) {
        let Some(ticket) = self.enqueue(Waiter::Thread(super::sync::current_thread())) else {
            return;
        };
        while !self.is_finished() && !wait.is_broken() && park_until(deadline) {}
        self.leave(ticket);
    }

    /// Has the end of this task reported to `batch` as `index`. `None` when it has ended already.
    pub(crate) fn join_batch(&self, batch: Arc<Batch>, index: usize) -> Option<u64> {
        self.enqueue(Waiter::Member(batch, index))
    }

    fn enqueue(&self, waiter: Waiter) -> Option<u64> {
        let mut queue = lock(&self.waiting);
        if self.is_finished() {
            return None;
        }
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiters.push((ticket, waiter));
        Some(ticket)
    }

    /// Ends a wait that [`join_batch`](Self::join_batch) began.
    pub(crate) fn leave(&self, ticket: u64) {
        let left = {
            let mut queue = lock(&self.waiting);
            let at = queue.waiters.iter().position(|(t, _)| *t == ticket);
            at.map(|at| queue.waiters.swap_remove(at))
        };
        drop(left);
    }
}

impl Waiter {
    fn wake(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            Self::Member(batch, index) => batch.push(index),
        }
    }
}
