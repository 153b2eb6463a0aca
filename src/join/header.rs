//! A task without its value: its state, its waiters, and its end.
//!
//! A [`Header`] does not depend on the type of the value, so neither do waiting, listing and
//! cancelling.
//!
//! A task ends in this order:
//! 1. The closure's value is stored in the handle's slot, or its panic here.
//! 2. One store to the state publishes the outcome. Polls see it from now on.
//! 3. A panic is reported if no handle is left.
//! 4. The task is listed no more.
//! 5. Waiting threads are woken.
//! 6. The registry drops its entry.
//! 7. [`Changes`](super::Changes) queues the task and wakes the window.
//! 8. Callbacks run.
//!
//! So every woken thread finds the outcome.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::callback_guard::CallbackGuard;
use super::calls::Calls;
use super::cancel_marks::CancelMarks;
use super::cancel_tree::CancelNode;
use super::changes::{ChangeMark, Changes, Observed, Subscription};
use super::clock::Time;
use super::code::{self, ClosureOutcome, Code};
use super::current;
use super::extras::{Extras, NO_KEY};
use super::handle_count::HandleCount;
use super::id::{TaskId, TaskIdentity};
use super::info::{Placement, Progress, ProgressUnit, TaskInfo, TaskState};
use super::nested;
use super::panic::{PanicReport, RunningTask, drop_contained, report_unless_seen};
use super::parking::Parking;
use super::place::Place;
use super::state::{StateCell, Times};
use super::sync::{AtomicBool, Ordering, current_thread, fence, park_until};
use super::waiters::{Callback, Ends, Waiter, Waiters};

pub(crate) type TaskCode = Arc<dyn Code<Header>>;
pub(crate) type Body = code::Body<Header>;

/// A queued task takes 112 bytes from the allocator of glibc for this, with the counts of its [`Arc`].
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
const _: () = assert!(size_of::<Header>() <= 88);

pub(crate) struct Header {
    id: TaskId,
    times: Times,
    place: Place,
    handles: HandleCount,
    state: StateCell,
    daemon: bool,
    /// Whether a registry or the queue of a pool lists the task.
    is_listed: AtomicBool,
    cancel_marks: CancelMarks,
    change_mark: ChangeMark,
    /// Whether a waiter or a callback was added. Most tasks of a pool end before anybody waits for them.
    has_waiters: AtomicBool,
    waiters: Waiters<Start>,
    extras: OnceLock<Box<Extras>>,
}

/// The start of a task.
enum Start {
    Waiting(TaskCode),
    /// Since this time the closure runs; without it the closure is dropped.
    Claimed(Option<Time>),
}

/// The settings of a task.
pub(crate) struct Spec {
    pub(crate) id: TaskId,
    /// `None` for the default.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) daemon: bool,
    pub(crate) placement: Placement,
    pub(crate) subscription: Subscription,
}

impl Header {
    /// A task with one handle, which the caller must make: [`Handle::first`](super::handle::Handle::first).
    pub(crate) fn new(spec: Spec, code: TaskCode) -> Self {
        let has_extras = spec.name.is_some() || !spec.subscription.is_empty();
        let extras = has_extras.then(|| Extras::new(spec.name, spec.subscription));
        Self {
            id: spec.id,
            times: Times::new(),
            place: Place::new(spec.placement),
            handles: HandleCount::of_first(),
            state: StateCell::new(),
            daemon: spec.daemon,
            is_listed: AtomicBool::new(false),
            cancel_marks: CancelMarks::default(),
            change_mark: ChangeMark::default(),
            has_waiters: AtomicBool::new(false),
            waiters: Waiters::new(Start::Waiting(code)),
            extras: extras.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    #[inline]
    fn extras(&self) -> &Extras {
        self.extras
            .get_or_init(|| Extras::new(None, Subscription::new(None)))
    }

    pub(crate) fn identity(&self) -> TaskIdentity {
        TaskIdentity {
            id: self.id,
            name: self.name().clone(),
        }
    }

    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// The default name is `task-N`, where N is the number. It is made on first use.
    pub(crate) fn name(&self) -> &Arc<str> {
        let name = &self.extras().name;
        name.get_or_init(|| format!("task-{}", self.id.get()).into())
    }

    pub(crate) fn is_daemon(&self) -> bool {
        self.daemon
    }

    pub(crate) fn placement(&self) -> Placement {
        self.place.placement()
    }

    /// Stored with release order and read with acquire order: who sees that the task is gone from the
    /// list also sees what it has added to it.
    pub(crate) fn is_listed(&self) -> bool {
        self.is_listed.load(Ordering::Acquire)
    }

    pub(crate) fn set_listed(&self, is_listed: bool) {
        self.is_listed.store(is_listed, Ordering::Release);
    }

    /// The task's key in the registry, if that lists it. Only for the thread that has claimed the task: it
    /// has stored the key, or has got the task from the one that did.
    pub(crate) fn registry_key(&self) -> Option<usize> {
        let key = self.extras.get()?.registry_key.load(Ordering::Relaxed);
        (key != NO_KEY).then_some(key)
    }

    pub(crate) fn set_registry_key(&self, key: usize) {
        self.extras().registry_key.store(key, Ordering::Relaxed);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state.is_finished()
    }

    pub(crate) fn state(&self) -> TaskState {
        self.state.get()
    }

    /// Whether the task is queued on this pool and has not begun.
    pub(crate) fn is_queued_on(&self, pool: u64) -> bool {
        self.placement() == Placement::Pool(pool) && self.state() == TaskState::Queued
    }

    pub(crate) fn panic(&self) -> Option<&Arc<PanicReport>> {
        self.extras.get()?.panic.get()
    }

    pub(crate) fn finished_at(&self) -> Option<Instant> {
        self.finished().map(Time::instant)
    }

    pub(crate) fn finished(&self) -> Option<Time> {
        self.times.finished()
    }

    pub(crate) fn spawned(&self) -> Time {
        self.times.spawned()
    }

    fn started(&self) -> Option<Time> {
        self.waiters.with_value(|start| match start {
            Start::Waiting(_) => None,
            Start::Claimed(at) => *at,
        })
    }

    pub(crate) fn info(&self) -> TaskInfo {
        // Each time is stored before the state that it belongs to. So a state that is read first decides
        // which of them are shown.
        let state = self.state();
        let started = self.started().filter(|_| state != TaskState::Queued);
        let finished_at = self.finished_at().filter(|_| state.is_finished());
        TaskInfo {
            id: self.id(),
            name: self.name().clone(),
            state,
            daemon: self.daemon,
            placement: self.placement(),
            spawned_at: self.spawned().instant(),
            started_at: started.map(Time::instant),
            finished_at,
            cancel_requested_at: self.cancel_requested_at(),
            progress: self.progress(),
        }
    }

    /// Returns `None` if the task has ended.
    pub(crate) fn live_info(&self) -> Option<TaskInfo> {
        Some(self.info()).filter(|info| !info.state.is_finished())
    }

    pub(crate) fn changes(&self) -> Option<Changes> {
        self.extras.get()?.subscription.changes()
    }

    pub(crate) fn progress(&self) -> Progress {
        let extras = self.extras.get();
        extras.map_or_else(Progress::default, |it| it.progress.get())
    }

    #[inline]
    pub(crate) fn set_progress(self: &Arc<Self>, done: u64, total: u64) {
        let extras = self.extras();
        extras.progress.set(done, total);
        if !extras.subscription.is_queued(&self.change_mark) {
            extras.subscription.notify(self);
        }
    }

    pub(crate) fn set_unit(self: &Arc<Self>, unit: ProgressUnit) {
        self.extras().progress.set_unit(unit);
        self.notify_change();
    }

    pub(crate) fn set_message(self: &Arc<Self>, text: Arc<str>) {
        self.extras().progress.set_message(text);
        self.notify_change();
    }

    fn notify_change(self: &Arc<Self>) {
        if let Some(extras) = self.extras.get() {
            extras.subscription.notify(self);
        }
    }

    pub(crate) fn cancel(&self) -> &CancelNode {
        &self.extras().cancel
    }

    #[inline]
    pub(crate) fn is_cancel_requested(&self) -> bool {
        let extras = self.extras.get();
        extras.is_some_and(|it| it.cancel.is_requested())
    }

    /// Returns when a cancel was requested before the end. The token of a task can be cancelled after
    /// the end too, which is no request to the task.
    pub(crate) fn cancel_requested_at(&self) -> Option<Instant> {
        let at = self.extras.get()?.cancel.requested_at()?;
        let is_in_time = self.finished_at().is_none_or(|end| at <= end);
        is_in_time.then_some(at)
    }

    pub(crate) fn parking(&self) -> &Arc<Parking> {
        self.extras().parking.get_or_init(Arc::default)
    }

    pub(crate) fn cancel_marks(&self) -> &CancelMarks {
        &self.cancel_marks
    }

    pub(crate) fn add_handle(&self) {
        self.handles.add();
    }

    /// Returns false if the task has ended and has no handle.
    pub(crate) fn add_handle_if_live(&self) -> bool {
        !self.is_finished() && self.handles.add_if_live()
    }

    /// Counts a dropped handle, or the end of the task. After the last of them no join can
    /// return the outcome, so an unseen panic is reported.
    pub(crate) fn remove_handle(&self) {
        if self.handles.remove()
            && let Some(report) = self.panic()
        {
            report_unless_seen(report);
        }
    }

    /// Ends a task that was [claimed](Self::claim) and not begun.
    pub(crate) fn discard(&self, body: Body) {
        current::while_discarding(self.id(), || drop_contained(body));
        self.publish(ClosureOutcome::Cancelled);
    }

    /// Runs the closure on this thread and publishes the outcome, unless the task has begun or was
    /// cancelled. Returns true if it ran. Then the caller must [`settle`](Self::settle) it.
    #[must_use]
    pub(crate) fn run(self: &Arc<Self>) -> bool {
        let Some(body) = self.claim(Some(Time::now())) else {
            return false;
        };
        self.run_claimed(body);
        true
    }

    /// Runs the closure of a task that was [claimed](Self::claim).
    pub(crate) fn run_claimed(self: &Arc<Self>, body: Body) {
        self.state.set_running();
        self.end_with(|| body.run(self));
    }

    /// Like [`run`](Self::run), with code that is kept elsewhere: such as in a scope, where it may
    /// borrow.
    #[must_use]
    pub(crate) fn run_code(&self, code: impl FnOnce() -> ClosureOutcome) -> bool {
        let Some(body) = self.begin() else {
            return false;
        };
        drop_contained(body);
        self.end_with(code);
        true
    }

    fn end_with(&self, code: impl FnOnce() -> ClosureOutcome) {
        let outcome = {
            let _current = current::enter(self.id());
            code()
        };
        self.publish(outcome);
    }

    /// Begins the task: returns its closure, unless it has begun or was cancelled. The caller must
    /// run it and [`publish`](Self::publish) its outcome.
    pub(crate) fn begin(&self) -> Option<Body> {
        let body = self.claim(Some(Time::now()))?;
        self.state.set_running();
        Some(body)
    }

    /// Takes the closure. Only the first caller gets it, and must run it, from the time `begun`, or drop it.
    pub(crate) fn claim(&self, begun: Option<Time>) -> Option<Body> {
        self.waiters.with_value(|start| {
            if let Start::Claimed(_) = start {
                return None;
            }
            match std::mem::replace(start, Start::Claimed(begun)) {
                Start::Waiting(code) => Some(Body::new(code)),
                Start::Claimed(_) => None,
            }
        })
    }

    pub(crate) fn publish(&self, outcome: ClosureOutcome) {
        match outcome {
            ClosureOutcome::Returned => self.state.set_returned(&self.times),
            ClosureOutcome::Cancelled => self.state.set_cancelled(&self.times),
            ClosureOutcome::Panicked(report) => {
                self.extras().panic.get_or_init(|| report);
                self.state.set_panicked(&self.times);
            }
        }
        // Reported before the registry removes the task, so that `shutdown` waits for it. In the
        // report this task is the current one, so a `shutdown` in there does not wait for itself.
        let _current = current::enter(self.id());
        self.remove_handle();
    }

    /// Wakes the threads that wait already, before the caller has [settled](Self::settle) the end.
    pub(crate) fn wake_first(&self) {
        if self.has_waiters.load(Ordering::Relaxed) {
            self.waiters.take_waiters().for_each(Waiter::wake);
        }
    }

    /// Wakes the waiting threads, then queues the change, then runs the callbacks. Returns whether there was
    /// none of these, nor could be: for a task that had no waiters and has no extras.
    pub(crate) fn settle(self: &Arc<Self>) -> bool {
        fence(Ordering::SeqCst);
        self.settle_after_fence()
    }

    /// Like [`settle`](Self::settle), after a fence of [`Ordering::SeqCst`] that came after the outcome was
    /// published.
    pub(crate) fn settle_after_fence(self: &Arc<Self>) -> bool {
        // Who adds a waiter stores this, and after a fence looks whether the task has ended. Of these two
        // threads one sees the store of the other.
        if !self.has_waiters.load(Ordering::Relaxed) {
            self.notify_change();
            return self.extras.get().is_none();
        }
        let (waiters, callbacks) = self.waiters.take();
        nested::run_all(callbacks, || {
            waiters.for_each(Waiter::wake);
            self.notify_change();
        });
        false
    }

    /// Runs `callback` when the task has ended, or now if it has ended already. Returns its
    /// ticket, unless it has run.
    pub(crate) fn on_finish(&self, callback: Callback) -> Option<u64> {
        let added = self.waiters.add_callback(callback, || self.note_waiter());
        added.map_err(nested::run).ok()
    }

    /// A callback that may hold handles to this task, so that [`calls`](Self::calls) counts it.
    pub(crate) fn counted(&self, callback: impl FnOnce() + Send + 'static) -> Callback {
        let calls = self.extras().calls.get_or_init(|| Calls::of(self.id));
        calls.count(callback)
    }

    /// The callbacks that may hold handles to this task and have not run; `None` if there were none.
    pub(crate) fn calls(&self) -> Option<&Arc<Calls>> {
        self.extras.get()?.calls.get()
    }

    /// Like [`on_finish`](Self::on_finish). The guard takes the callback back.
    pub(crate) fn on_finish_guarded(self: &Arc<Self>, callback: Callback) -> CallbackGuard {
        let Some(ticket) = self.on_finish(callback) else {
            return CallbackGuard::of_nothing();
        };
        let task = Arc::downgrade(self);
        CallbackGuard::new(move || {
            if let Some(task) = task.upgrade() {
                task.waiters.remove_callback(ticket);
            }
        })
    }

    /// Parks this thread until the task has ended, the deadline has passed or `is_broken` holds.
    pub(crate) fn park(&self, deadline: Option<Instant>, is_broken: impl Fn() -> bool) {
        let Some(ticket) = self.add_waiter(Waiter::Thread(current_thread())) else {
            return;
        };
        while !self.is_finished() && !is_broken() && park_until(deadline) {}
        // The end takes the waiters itself.
        if !self.is_finished() {
            self.remove_waiter(ticket);
        }
    }

    /// Has the end of this task listed in `ends`, now if it has ended already.
    pub(crate) fn report_end(&self, ends: &Arc<Ends>) {
        let waiter = Waiter::Ends(ends.clone(), self.id());
        if self.add_waiter(waiter).is_none() {
            ends.push(self.id());
        }
    }

    /// Has the end of this task wake a waiter. Returns the ticket for
    /// [`remove_waiter`](Self::remove_waiter), or `None` if the task has ended already.
    pub(crate) fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        self.waiters.add(waiter, || self.note_waiter())
    }

    /// Notes that a waiter is being added. Returns whether the task has ended: then nobody would take it.
    fn note_waiter(&self) -> bool {
        self.has_waiters.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.is_finished()
    }

    pub(crate) fn remove_waiter(&self, ticket: u64) {
        self.waiters.remove(ticket);
    }
}

impl RunningTask for Header {
    fn identity(&self) -> TaskIdentity {
        self.identity()
    }

    fn is_detached(&self) -> bool {
        self.handles.is_detached()
    }

    fn has_unwound_helper(&self) -> bool {
        self.cancel_marks.has_unwound_helper()
    }
}

impl Observed for Header {
    fn id(&self) -> TaskId {
        self.id
    }

    fn change_mark(&self) -> &ChangeMark {
        &self.change_mark
    }
}
