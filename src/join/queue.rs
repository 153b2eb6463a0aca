//! The queue of a pool: its tasks that have not begun, and those that its threads run.
//!
//! A thread that finds no task first *searches*: it looks again for a short time, and then it sleeps.
//! Waking a thread takes longer than many tasks. So a new task wakes one only if fewer threads search
//! than tasks are queued. A thread that searches looks under the lock before it sleeps, so it finds
//! each task for which none was woken.
//!
//! A task may end while it is queued: by a cancel, or on another thread that waits for it. The threads of
//! the pool may be busy for long, so such tasks are removed once they are the greater part.

use std::collections::VecDeque;
use std::sync::Arc;

use super::header::Header;
use super::sync::{
    AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, ignore_poison, lock, yield_now,
};

/// How often a thread looks again before it sleeps. In between it lets other threads run.
const SEARCH_ROUNDS: usize = if cfg!(loom) { 0 } else { 32 };
/// An empty queue keeps no more memory than for this many tasks.
const SPARE_CAPACITY: usize = 1024;
/// A queue keeps at most this many tasks that have ended, or as many as others.
const MAX_ENDED: usize = 32;

pub(crate) struct Queue {
    state: Mutex<State>,
    /// The number of queued tasks. Written under the lock; threads that search read it without.
    queued: AtomicUsize,
    has_task: Condvar,
}

struct State {
    tasks: VecDeque<Arc<Header>>,
    /// The number of these tasks that have ended, or more: those that a thread has taken still count.
    ended: usize,
    /// By the index of the thread.
    running: Box<[Option<Arc<Header>>]>,
    /// The threads that search, with those that are being woken for it.
    searching: usize,
    /// The threads that sleep, without those that are being woken.
    sleeping: usize,
    being_woken: usize,
    is_closed: bool,
}

impl Queue {
    /// The queue of this many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            state: Mutex::new(State {
                tasks: VecDeque::new(),
                ended: 0,
                running: vec![None; threads].into(),
                searching: 0,
                sleeping: 0,
                being_woken: 0,
                is_closed: false,
            }),
            queued: AtomicUsize::new(0),
            has_task: Condvar::new(),
        }
    }

    pub(crate) fn push(&self, task: Arc<Header>) {
        let wakes = {
            let mut state = lock(&self.state);
            // A token may have cancelled it.
            if task.is_finished() {
                return;
            }
            state.tasks.push_back(task);
            self.count(&state);
            let wakes = state.sleeping > 0 && state.searching < state.tasks.len();
            if wakes {
                state.sleeping -= 1;
                state.being_woken += 1;
                state.searching += 1;
            }
            wakes
        };
        if wakes {
            self.has_task.notify_one();
        }
    }

    /// Counts a task that has ended before a thread of the pool has begun it.
    pub(crate) fn count_ended(&self) {
        let removed = {
            let mut state = lock(&self.state);
            state.ended += 1;
            let is_time = state.ended > MAX_ENDED.max(state.tasks.len() / 2);
            let removed = is_time.then(|| state.remove_ended());
            self.count(&state);
            removed
        };
        // Dropped after the lock is released.
        drop(removed);
    }

    /// Ends the threads when they have run all tasks.
    pub(crate) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.has_task.notify_all();
    }

    /// Returns the oldest task, which counts as running on the thread with this index until that calls
    /// again. Blocks until there is one. Returns `None` if the queue is closed and empty.
    pub(crate) fn next(&self, thread: usize) -> Option<Arc<Header>> {
        if let Some(task) = self.try_next(thread) {
            return Some(task);
        }
        loop {
            self.search();
            let mut state = lock(&self.state);
            state.searching -= 1;
            let task = self.begin(&mut state, thread);
            if task.is_some() || state.is_closed {
                return task;
            }
            state.sleeping += 1;
            while state.being_woken == 0 && !state.is_closed {
                state = ignore_poison(self.has_task.wait(state));
            }
            if state.being_woken > 0 {
                state.being_woken -= 1;
            } else {
                state.sleeping -= 1;
                state.searching += 1;
            }
        }
    }

    /// Returns the oldest task. If there is none, this thread must search.
    fn try_next(&self, thread: usize) -> Option<Arc<Header>> {
        let (ended, task) = {
            let mut state = lock(&self.state);
            let ended = state.running[thread].take();
            let task = self.begin(&mut state, thread);
            if task.is_none() {
                state.searching += 1;
            }
            (ended, task)
        };
        // Dropped after the lock is released.
        drop(ended);
        task
    }

    fn search(&self) {
        for _ in 0..SEARCH_ROUNDS {
            if self.queued.load(Ordering::Relaxed) > 0 {
                return;
            }
            yield_now();
        }
    }

    /// Takes the oldest task, and counts it as running on this thread.
    fn begin(&self, state: &mut State, thread: usize) -> Option<Arc<Header>> {
        let task = state.tasks.pop_front()?;
        self.count(state);
        if state.tasks.is_empty() && state.tasks.capacity() > SPARE_CAPACITY {
            state.tasks.shrink_to_fit();
        }
        state.running[thread] = Some(task.clone());
        Some(task)
    }

    fn count(&self, state: &State) {
        self.queued.store(state.tasks.len(), Ordering::Relaxed);
    }

    /// Keeps the tasks where they are until this is dropped.
    pub(crate) fn lock(&self) -> Listed<'_> {
        Listed(lock(&self.state))
    }
}

impl State {
    fn remove_ended(&mut self) -> VecDeque<Arc<Header>> {
        let tasks = std::mem::take(&mut self.tasks).into_iter();
        let (ended, left) = tasks.partition(|task| task.is_finished());
        self.tasks = left;
        self.ended = 0;
        ended
    }
}

/// The tasks of a pool at one moment.
pub(crate) struct Listed<'a>(MutexGuard<'a, State>);

impl Listed<'_> {
    /// The tasks that are queued or run. Some of them may have ended.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Header>> {
        self.0.running.iter().flatten().chain(&self.0.tasks)
    }
}

#[cfg(all(test, not(any(loom, other_unix))))]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::super::spare_tests::queued_task;
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Counts are left at zero by a thread that has slept until it was woken, and until the queue was closed.
    #[test]
    fn thread_that_slept_is_not_counted_after_it() {
        let queue = Queue::new(1);
        let sleeps = || lock(&queue.state).sleeping > 0;
        let (send, begun) = mpsc::channel();
        std::thread::scope(|scope| {
            let (queue, sleeps) = (&queue, &sleeps);
            let worker = scope.spawn(move || {
                while let Some(task) = queue.next(0) {
                    send.send(task.id()).expect("the test waits for it");
                }
            });
            let until = |holds: &dyn Fn() -> bool| {
                while !holds() && !worker.is_finished() {
                    yield_now();
                }
            };
            until(sleeps);
            let task = queued_task(1);
            queue.push(task.clone());
            assert_eq!(begun.recv_timeout(MINUTE), Ok(task.id()));
            until(sleeps);
            queue.close();
            worker.join().expect("the queue is closed");
        });
        let state = lock(&queue.state);
        let counts = (state.sleeping, state.searching, state.being_woken);
        assert_eq!(counts, (0, 0, 0));
    }
}
