//! The threads and callbacks that a task or process wakes when it ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use crossbeam_channel::Sender;

use super::id::TaskId;
use super::own_waits::{OwnWait, OwnWaits};
use super::panic::{contain, drop_contained};
use super::sync::{Mutex, Thread, current_thread, lock};

pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// The waiters of one task or process.
///
/// Adding checks under the lock that it has not ended. The end is published before
/// [`take`](Self::take) locks, so a waiter is either taken or sees the end: no wake-up is lost.
///
/// Without a waiter there is no queue: most tasks of a pool end before anybody waits for them. The
/// same lock guards a value of the owner, which saves a lock.
pub(crate) struct Waiters<V = ()>(Mutex<Guarded<V>>);

struct Guarded<V> {
    queue: Option<Box<Queue>>,
    value: V,
}

#[derive(Default)]
struct Queue {
    next_ticket: u64,
    waiters: WaiterList,
    /// In the order in which they were added.
    callbacks: BTreeMap<u64, Callback>,
}

impl Queue {
    fn next_ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }
}

/// Waiters in the order in which they were added. Adding one takes constant time, and removing one the
/// logarithm of their number.
#[derive(Default)]
struct WaiterList {
    /// By rising tickets. `None` if the waiter was removed; at most half of them were.
    waiters: Vec<(u64, Option<Waiter>)>,
    removed: usize,
}

impl WaiterList {
    fn push(&mut self, ticket: u64, waiter: Waiter) {
        self.waiters.push((ticket, Some(waiter)));
    }

    fn remove(&mut self, ticket: u64) -> Option<Waiter> {
        let at = self
            .waiters
            .binary_search_by_key(&ticket, |(ticket, _)| *ticket);
        let removed = self.waiters[at.ok()?].1.take()?;
        self.removed += 1;
        if self.removed * 2 > self.waiters.len() {
            self.waiters.retain(|(_, waiter)| waiter.is_some());
            self.removed = 0;
        }
        Some(removed)
    }

    fn into_iter(self) -> impl Iterator<Item = Waiter> {
        self.waiters.into_iter().filter_map(|(_, waiter)| waiter)
    }
}

/// One thread that waits: for this task alone, or for a batch of which it is a member. Or a list of
/// the ends of tasks, or a future.
pub(crate) enum Waiter {
    Thread(Thread),
    Member(Arc<Batch>, usize),
    Ends(Arc<Ends>, TaskId),
    Future(Waker),
}

impl Waiter {
    pub(crate) fn wake(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            Self::Member(batch, index) => batch.push(index),
            Self::Ends(ends, task) => ends.push(task),
            Self::Future(waker) => contain(|| waker.wake()),
        }
    }
}

impl<V> Waiters<V> {
    pub(crate) fn new(value: V) -> Self {
        Self(Mutex::new(Guarded { queue: None, value }))
    }

    /// Calls `f` with the value of the owner, under the lock.
    pub(crate) fn with_value<R>(&self, f: impl FnOnce(&mut V) -> R) -> R {
        f(&mut lock(&self.0).value)
    }

    /// Adds a waiter. Returns the ticket for [`remove`](Self::remove), or `None` if the task has
    /// ended.
    pub(crate) fn add(&self, waiter: Waiter, is_finished: impl FnOnce() -> bool) -> Option<u64> {
        let mut guarded = lock(&self.0);
        if is_finished() {
            return None;
        }
        let queue = guarded.queue.get_or_insert_default();
        let ticket = queue.next_ticket();
        queue.waiters.push(ticket, waiter);
        Some(ticket)
    }

    /// Adds a callback. Returns the ticket for [`remove_callback`](Self::remove_callback).
    ///
    /// # Errors
    /// Returns the callback if the task has ended.
    pub(crate) fn add_callback(
        &self,
        callback: Callback,
        is_finished: impl FnOnce() -> bool,
    ) -> Result<u64, Callback> {
        let mut guarded = lock(&self.0);
        if is_finished() {
            return Err(callback);
        }
        let queue = guarded.queue.get_or_insert_default();
        let ticket = queue.next_ticket();
        queue.callbacks.insert(ticket, callback);
        Ok(ticket)
    }

    /// Removes a callback, unless it was taken.
    pub(crate) fn remove_callback(&self, ticket: u64) {
        let removed = {
            let mut guarded = lock(&self.0);
            let queue = guarded.queue.as_mut();
            queue.and_then(|it| it.callbacks.remove(&ticket))
        };
        // Dropped after the lock is released.
        drop_contained(removed);
    }

    pub(crate) fn remove(&self, ticket: u64) {
        let removed = {
            let mut guarded = lock(&self.0);
            let queue = guarded.queue.as_mut();
            queue.and_then(|it| it.waiters.remove(ticket))
        };
        // Dropped after the lock is released.
        drop(removed);
    }

    /// Takes the waiters alone.
    pub(crate) fn take_waiters(&self) -> impl Iterator<Item = Waiter> + use<V> {
        let mut guarded = lock(&self.0);
        let queue = guarded.queue.as_mut();
        let waiters = queue.map(|queue| std::mem::take(&mut queue.waiters));
        drop(guarded);
        waiters.into_iter().flat_map(WaiterList::into_iter)
    }

    pub(crate) fn take(&self) -> (impl Iterator<Item = Waiter>, Vec<Callback>) {
        let queue = lock(&self.0).queue.take().map(|queue| *queue);
        let queue = queue.unwrap_or_default();
        (
            queue.waiters.into_iter(),
            queue.callbacks.into_values().collect(),
        )
    }
}

/// Something that becomes ready once, or stays so until what made it so is taken: the end of a task or
/// process, or new lines.
pub(crate) trait Awaited: Send + Sync {
    /// The process that a wait for this waits for, if it is one.
    fn process_id(&self) -> Option<u32> {
        None
    }

    fn is_ready(&self) -> bool;

    /// Has a waiter woken when this is ready. Returns the ticket for
    /// [`remove_waiter`](Self::remove_waiter), or `None` if it is ready already.
    fn add_waiter(&self, waiter: Waiter) -> Option<u64>;

    fn remove_waiter(&self, ticket: u64);
}

/// How a thread that waits is woken.
pub(crate) enum Wake {
    Unpark(Thread),
    /// It waits for this channel, among others.
    Send(Sender<()>),
}

impl Wake {
    fn wake(&self) {
        match self {
            Self::Unpark(thread) => thread.unpark(),
            // If it is full, the thread is being woken already.
            Self::Send(sender) => drop(sender.try_send(())),
        }
    }
}

/// A wait of one thread for several tasks: those that have ended, in the order of their ends, and
/// the number of the others.
pub(crate) struct Batch {
    wake: Wake,
    members: Mutex<Members>,
}

struct Members {
    ended: Vec<usize>,
    unfinished: usize,
    /// The thread is woken when no more than this many are unfinished.
    wake_at: usize,
    /// Until then, if the thread belongs to a pool and all members do too.
    own_wait: Option<OwnWait>,
}

impl Batch {
    /// A wait for this many tasks.
    pub(crate) fn new(wake: Wake, unfinished: usize) -> Self {
        Self {
            wake,
            members: Mutex::new(Members {
                ended: Vec::new(),
                unfinished,
                wake_at: usize::MAX,
                own_wait: None,
            }),
        }
    }

    /// Counts members as ended that can't report it, because they had ended before.
    pub(crate) fn had_ended(&self, count: usize) {
        lock(&self.members).unfinished -= count;
    }

    /// Has the thread woken when at most `unfinished` members are left. Returns whether that holds
    /// now.
    pub(crate) fn wake_at(&self, unfinished: usize) -> bool {
        let mut members = lock(&self.members);
        members.wake_at = unfinished;
        members.unfinished <= unfinished
    }

    pub(crate) fn unfinished(&self) -> usize {
        lock(&self.members).unfinished
    }

    /// Returns whether one has ended since they were last taken.
    pub(crate) fn has_any_ended(&self) -> bool {
        !lock(&self.members).ended.is_empty()
    }

    /// Returns whether so many have ended that the thread is woken.
    pub(crate) fn is_satisfied(&self) -> bool {
        let members = lock(&self.members);
        members.unfinished <= members.wake_at
    }

    /// Counts this wait among those of a pool until the thread is woken. Returns false if it is already.
    pub(crate) fn begin_own_wait(&self, own_waits: &OwnWaits) -> bool {
        let mut members = lock(&self.members);
        let waits = members.unfinished > members.wake_at;
        members.own_wait = waits.then(|| own_waits.add());
        waits
    }

    pub(crate) fn end_own_wait(&self) {
        lock(&self.members).own_wait = None;
    }

    pub(crate) fn take(&self) -> Vec<usize> {
        std::mem::take(&mut lock(&self.members).ended)
    }

    fn push(&self, index: usize) {
        let is_time = {
            let mut members = lock(&self.members);
            members.ended.push(index);
            // A select may have a task itself and in a group, which both report its end.
            members.unfinished = members.unfinished.saturating_sub(1);
            let is_time = members.unfinished <= members.wake_at;
            if is_time {
                members.own_wait = None;
            }
            is_time
        };
        if is_time {
            self.wake.wake();
        }
    }
}

/// The tasks that have ended, in the order of their ends. Unlike in a [`Batch`], tasks may be added
/// during its life, and one thread after the other may wait.
#[derive(Default)]
pub(crate) struct Ends(Mutex<EndList>);

#[derive(Default)]
struct EndList {
    ended: VecDeque<TaskId>,
    /// Woken by the next end.
    waiting: Option<Thread>,
    /// Other waits that the next end wakes, by their tickets.
    waiters: BTreeMap<u64, Waiter>,
    next_ticket: u64,
}

impl Ends {
    pub(crate) fn push(&self, task: TaskId) {
        let (waiting, waiters) = {
            let mut list = lock(&self.0);
            list.ended.push_back(task);
            (list.waiting.take(), std::mem::take(&mut list.waiters))
        };
        if let Some(thread) = waiting {
            thread.unpark();
        }
        waiters.into_values().for_each(Waiter::wake);
    }

    /// Has the next end wake a waiter. Returns its ticket, or `None` if there is an end already.
    pub(crate) fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        let mut list = lock(&self.0);
        if !list.ended.is_empty() {
            return None;
        }
        list.next_ticket += 1;
        let ticket = list.next_ticket;
        list.waiters.insert(ticket, waiter);
        Some(ticket)
    }

    pub(crate) fn remove_waiter(&self, ticket: u64) {
        let removed = lock(&self.0).waiters.remove(&ticket);
        // Dropped after the lock is released.
        drop(removed);
    }

    pub(crate) fn pop(&self) -> Option<TaskId> {
        lock(&self.0).ended.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.0).ended.is_empty()
    }

    /// Has this thread woken by the next end. Returns whether there is one already.
    pub(crate) fn wake_at_next(&self) -> bool {
        let mut list = lock(&self.0);
        list.waiting = Some(current_thread());
        !list.ended.is_empty()
    }
}
