//! The threads that run the callbacks of processes, and the delayed calls.
//!
//! A callback may block: it may join or stop another process. So it runs neither on the reaper,
//! which would notice no end meanwhile, nor on the timer, nor after another callback that blocks. One
//! thread waits for callbacks all the time. If it is busy, another one is started, and ends when there are
//! no more callbacks.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};

use super::error::SpawnError;
use super::nested;
use super::started::start_thread;
use super::sync::ignore_poison;
use super::waiters::Callback;

/// The callbacks of one process in the order in which they were added, or calls that are due.
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
pub(crate) fn start() -> Result<(), SpawnError> {
    let mut queue = ignore_poison(QUEUE.lock());
    if queue.has_permanent_thread {
        return Ok(());
    }
    start_thread("callbacks", || serve(Queue::wait))?;
    queue.has_permanent_thread = true;
    Ok(())
}

/// Runs callbacks on another thread, one after another, soon. Does not block. If one of them waits, those
/// after it run on another thread meanwhile, since it may wait for what they do.
pub(crate) fn run(callbacks: Callbacks) {
    if callbacks.is_empty() {
        return;
    }
    let is_served = {
        let mut queue = ignore_poison(QUEUE.lock());
        queue.waiting.push_back(callbacks);
        queue.idle >= queue.waiting.len()
    };
    if is_served {
        DID_QUEUE.notify_one();
    } else {
        // If the system refuses the thread, the callbacks wait for one that is busy now.
        start_thread("more callbacks", || serve(Queue::take)).ok();
    }
}

fn serve(next: fn() -> Option<Callbacks>) {
    while let Some(callbacks) = next() {
        nested::run_or_hand_on(callbacks, hand_on);
    }
}

/// Like [`run`].
///
/// # Errors
/// Returns the callbacks if the system refuses a thread that is needed.
fn hand_on(callbacks: Callbacks) -> Result<(), Callbacks> {
    {
        let mut queue = ignore_poison(QUEUE.lock());
        if queue.idle > queue.waiting.len() {
            queue.waiting.push_back(callbacks);
            drop(queue);
            DID_QUEUE.notify_one();
            return Ok(());
        }
    }
    // A refused thread drops its closure.
    let callbacks = Arc::new(Mutex::new(callbacks));
    let started = start_thread("more callbacks", {
        let callbacks = callbacks.clone();
        move || {
            nested::run_or_hand_on(take(&callbacks), hand_on);
            serve(Queue::take);
        }
    });
    started.map_err(|_refused| take(&callbacks))
}

fn take(callbacks: &Mutex<Callbacks>) -> Callbacks {
    std::mem::take(&mut *ignore_poison(callbacks.lock()))
}

impl Queue {
    fn take() -> Option<Callbacks> {
        ignore_poison(QUEUE.lock()).waiting.pop_front()
    }

    /// Waits for callbacks, without an end.
    fn wait() -> Option<Callbacks> {
        let mut queue = ignore_poison(QUEUE.lock());
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
