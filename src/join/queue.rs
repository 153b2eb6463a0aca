//! The queue of a pool: its tasks that have not begun, and those that its threads run.
//!
//! New tasks *arrive* behind one lock, and the threads of the pool take tasks behind another one. When they
//! have taken all, they take over those that have arrived. So who spawns seldom waits for who takes.
//!
//! A thread that finds no task first *searches*: it looks again for a short time, and then it sleeps.
//! Waking a thread takes longer than many tasks. So a new task wakes one only if fewer threads search
//! than tasks are queued. A thread that searches looks under the locks before it sleeps, so it finds
//! each task for which none was woken.
//!
//! A task may end while it is queued: by a cancel, or on another thread that waits for it. The threads of
//! the pool may be busy for long, so such tasks are removed once they are the greater part.

use std::collections::VecDeque;
use std::sync::Arc;

use super::header::Header;
use super::sync::{
    AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, ignore_poison, lock, lock_at_once, yield_now,
};

/// How often a thread looks again before it sleeps. In between it lets other threads run.
const SEARCH_ROUNDS: usize = if cfg!(loom) { 0 } else { 32 };
/// An empty queue keeps no more memory than for this many tasks, twice.
const SPARE_CAPACITY: usize = 1024;
/// A queue keeps at most this many tasks that have ended, or as many as others.
const MAX_ENDED: usize = 32;

/// Both ends may be locked at once, the front first.
pub(crate) struct Queue {
    front: End<Front>,
    back: End<Back>,
    /// Waits with the lock of the back.
    has_task: Condvar,
}

/// A task that a thread of the pool has taken.
pub(crate) struct Next {
    pub(crate) task: Arc<Header>,
    /// Whether the thread has got it without waiting for anything.
    pub(crate) at_once: bool,
}

/// One end of a queue, in a cache line of its own.
#[repr(align(64))]
struct End<T> {
    state: Mutex<T>,
    /// The number of its tasks. Written under the lock; threads that search read it without. An old number is
    /// no harm, so its loads and stores are relaxed: a thread looks under the lock before it sleeps.
    queued: AtomicUsize,
}

/// The older tasks.
struct Front {
    tasks: VecDeque<Arc<Header>>,
    /// By the index of the thread.
    running: Box<[Option<Arc<Header>>]>,
}

/// The tasks that have arrived since the threads of the pool last took them over.
struct Back {
    tasks: VecDeque<Arc<Header>>,
    /// The number of tasks at both ends that have ended, or more: those that a thread has taken still count.
    ended: usize,
    /// The threads that search, with those that are being woken for it.
    searching: usize,
    /// The threads that sleep, without those that are being woken.
    sleeping: usize,
    being_woken: usize,
    is_closed: bool,
}

impl<T> End<T> {
    fn new(state: T) -> Self {
        Self {
            state: Mutex::new(state),
            queued: AtomicUsize::new(0),
        }
    }

    fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    fn count(&self, tasks: &VecDeque<Arc<Header>>) {
        self.queued.store(tasks.len(), Ordering::Relaxed);
    }
}

impl Queue {
    /// The queue of this many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            front: End::new(Front {
                tasks: VecDeque::new(),
                running: vec![None; threads].into(),
            }),
            back: End::new(Back {
                tasks: VecDeque::new(),
                ended: 0,
                searching: 0,
                sleeping: 0,
                being_woken: 0,
                is_closed: false,
            }),
            has_task: Condvar::new(),
        }
    }

    pub(crate) fn push(&self, task: Arc<Header>) {
        let wakes = {
            let mut back = lock(&self.back.state);
            // A token may have cancelled it.
            if task.is_finished() {
                return;
            }
            back.tasks.push_back(task);
            self.back.count(&back.tasks);
            let wakes = back.sleeping > 0 && back.searching < self.queued();
            if wakes {
                back.sleeping -= 1;
                back.being_woken += 1;
                back.searching += 1;
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
            let mut front = lock(&self.front.state);
            let mut back = lock(&self.back.state);
            back.ended += 1;
            let queued = front.tasks.len() + back.tasks.len();
            let is_time = back.ended > MAX_ENDED.max(queued / 2);
            is_time.then(|| {
                back.ended = 0;
                let removed = [
                    remove_ended(&mut front.tasks),
                    remove_ended(&mut back.tasks),
                ];
                self.front.count(&front.tasks);
                self.back.count(&back.tasks);
                removed
            })
        };
        // Dropped after the locks are released.
        drop(removed);
    }

    /// Ends the threads when they have run all tasks.
    pub(crate) fn close(&self) {
        lock(&self.back.state).is_closed = true;
        self.has_task.notify_all();
    }

    /// Returns the oldest task, which counts as running on the thread with this index until that calls
    /// again. Blocks until there is one. Returns `None` if the queue is closed and empty.
    pub(crate) fn next(&self, thread: usize) -> Option<Next> {
        if let Some(next) = self.try_next(thread) {
            return Some(next);
        }
        loop {
            self.search();
            let mut front = lock(&self.front.state);
            let mut back = lock(&self.back.state);
            back.searching -= 1;
            if front.tasks.is_empty() {
                self.take_over(&mut front, &mut back);
            }
            let task = self.begin(&mut front, thread);
            if task.is_some() || back.is_closed {
                let at_once = false;
                return task.map(|task| Next { task, at_once });
            }
            drop(front);
            back.sleeping += 1;
            while back.being_woken == 0 && !back.is_closed {
                back = ignore_poison(self.has_task.wait(back));
            }
            if back.being_woken > 0 {
                back.being_woken -= 1;
            } else {
                back.sleeping -= 1;
                back.searching += 1;
            }
        }
    }

    /// Returns the oldest task. If there is none, this thread must search.
    fn try_next(&self, thread: usize) -> Option<Next> {
        let (ended, task, at_once) = {
            let (mut front, mut at_once) = lock_at_once(&self.front.state);
            let ended = front.running[thread].take();
            if front.tasks.is_empty() {
                let (mut back, is_free) = lock_at_once(&self.back.state);
                at_once &= is_free;
                self.take_over(&mut front, &mut back);
                if front.tasks.is_empty() {
                    back.searching += 1;
                }
            }
            (ended, self.begin(&mut front, thread), at_once)
        };
        // Dropped after the lock is released.
        drop(ended);
        task.map(|task| Next { task, at_once })
    }

    fn search(&self) {
        for _ in 0..SEARCH_ROUNDS {
            if self.queued() > 0 {
                return;
            }
            yield_now();
        }
    }

    fn queued(&self) -> usize {
        self.front.queued() + self.back.queued()
    }

    /// Moves the tasks of the back to the front, which has none.
    fn take_over(&self, front: &mut Front, back: &mut Back) {
        if front.tasks.capacity() > SPARE_CAPACITY {
            front.tasks = VecDeque::new();
        }
        std::mem::swap(&mut front.tasks, &mut back.tasks);
        self.front.count(&front.tasks);
        self.back.count(&back.tasks);
    }

    /// Takes the oldest task, and counts it as running on this thread.
    fn begin(&self, front: &mut Front, thread: usize) -> Option<Arc<Header>> {
        let task = front.tasks.pop_front()?;
        self.front.count(&front.tasks);
        front.running[thread] = Some(task.clone());
        Some(task)
    }

    /// Keeps the tasks where they are until this is dropped.
    pub(crate) fn lock(&self) -> Listed<'_> {
        let front = lock(&self.front.state);
        Listed {
            front,
            back: lock(&self.back.state),
        }
    }
}

fn remove_ended(tasks: &mut VecDeque<Arc<Header>>) -> VecDeque<Arc<Header>> {
    let (ended, left) = std::mem::take(tasks)
        .into_iter()
        .partition(|task| task.is_finished());
    *tasks = left;
    ended
}

/// The tasks of a pool at one moment.
pub(crate) struct Listed<'a> {
    front: MutexGuard<'a, Front>,
    back: MutexGuard<'a, Back>,
}

impl Listed<'_> {
    /// The tasks that are queued or run. Some of them may have ended.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Header>> {
        let running = self.front.running.iter().flatten();
        running.chain(&self.front.tasks).chain(&self.back.tasks)
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
        let sleeps = || lock(&queue.back.state).sleeping > 0;
        let (send, begun) = mpsc::channel();
        std::thread::scope(|scope| {
            let (queue, sleeps) = (&queue, &sleeps);
            let worker = scope.spawn(move || {
                while let Some(Next { task, .. }) = queue.next(0) {
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
        let state = lock(&queue.back.state);
        let counts = (state.sleeping, state.searching, state.being_woken);
        assert_eq!(counts, (0, 0, 0));
    }
}
