//! The threads that run the callbacks of processes.
//!
//! A callback may block: it may join or stop another process. So it runs neither on the reaper,
//! which would notice no end meanwhile, nor after another callback that blocks. One thread waits
//! for callbacks all the time. If it is busy, another one is started, and ends when there are no
//! more callbacks.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use super::super::SpawnError;
use super::super::panic::contain;
use super::super::started::start_thread;
use super::super::sync::{ignore_poison, lock};
use super::super::waiters::Callback;

/// The callbacks of one process, in the order in which they were added.
type Callbacks = Vec<Callback>;

struct Queue {
    waiting: VecDeque<Callbacks>,
    /// The threads that wait for callbacks.
    idle: usize,
    has_permanent_thread: bool,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    waiting: VecDeque::new(),
    idle: 0,
    has_permanent_thread: false,
});

/// Notified when callbacks are queued.
static DID_QUEUE: Condvar = Condvar::new();

/// Starts the thread that waits for callbacks, unless it runs.
pub(super) fn start() -> Result<(), SpawnError> {
    let mut queue = lock(&QUEUE);
    if queue.has_permanent_thread {
        return Ok(());
    }
    start_thread("process callbacks", || serve(Queue::wait))?;
    queue.has_permanent_thread = true;
    Ok(())
}

/// Runs callbacks on another thread, soon. Does not block.
pub(super) fn run(callbacks: Callbacks) {
    if callbacks.is_empty() {
        return;
    }
    let is_served = {
        let mut queue = lock(&QUEUE);
        queue.waiting.push_back(callbacks);
        queue.idle >= queue.waiting.len()
    };
    if is_served {
        DID_QUEUE.notify_one();
    } else {
        // If the system refuses the thread, the callbacks wait for one that is busy now.
        start_thread("more process callbacks", || serve(Queue::take)).ok();
    }
}

fn serve(next: fn() -> Option<Callbacks>) {
    while let Some(callbacks) = next() {
        for callback in callbacks {
            contain(callback);
        }
    }
}

impl Queue {
    fn take() -> Option<Callbacks> {
        lock(&QUEUE).waiting.pop_front()
    }

    /// Waits for callbacks, without an end.
    fn wait() -> Option<Callbacks> {
        let mut queue = lock(&QUEUE);
        loop {
            if let Some(callbacks) = queue.waiting.pop_front() {
                return Some(callbacks);
            }
            queue.idle += 1;
            queue = ignore_poison(DID_QUEUE.wait(queue));
            queue.idle -= 1;
        }
    }
}
