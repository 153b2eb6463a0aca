//! The stopper: the one thread that ends trees of processes.
//!
//! A stop reads the whole process table several times. Stops that come together share that, and the
//! threads that ask for them do not wait unless they want the report.

use std::io;
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::Instant;

use super::super::SpawnError;
use super::super::priority::{Priority, spawn_thread};
use super::super::sync::{ignore_poison, lock};
use super::reserve;
use super::stop::{Order, Stopper};
use super::system::Notifier;

struct Queue {
    orders: Vec<Order>,
    /// Whether the thread has trees that have not ended.
    is_busy: bool,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    orders: Vec::new(),
    is_busy: false,
});

/// Notified when all trees have ended.
static IS_IDLE: Condvar = Condvar::new();

static NOTIFIER: OnceLock<Notifier> = OnceLock::new();

/// Starts the thread, unless it runs, and opens the descriptors that it needs at the limit of files.
pub(super) fn start() -> Result<(), SpawnError> {
    notifier().map(drop)
}

fn notifier() -> Result<&'static Notifier, SpawnError> {
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(notifier) = NOTIFIER.get() {
        return Ok(notifier);
    }
    let _only_one = lock(&STARTING);
    if let Some(notifier) = NOTIFIER.get() {
        return Ok(notifier);
    }
    let name = "process stopper".to_owned();
    let refusal = |cause: io::Error| SpawnError::new(name.clone(), cause);
    let notifier = Notifier::new().map_err(refusal)?;
    let thread = std::thread::Builder::new().name(name.clone());
    spawn_thread(thread, Priority::Normal, run).map_err(refusal)?;
    reserve::fill();
    Ok(NOTIFIER.get_or_init(|| notifier))
}

/// Has trees ended. Does not block. If the system refuses the thread, the orders are dropped.
pub(super) fn stop(orders: Vec<Order>) {
    if let Ok(notifier) = notifier() {
        lock(&QUEUE).orders.extend(orders);
        notifier.notify();
    }
}

/// Blocks until no tree is being ended or the deadline has passed.
pub(crate) fn wait_until_idle(deadline: Option<Instant>) {
    let mut queue = lock(&QUEUE);
    while queue.is_busy || !queue.orders.is_empty() {
        queue = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
            None => ignore_poison(IS_IDLE.wait(queue)),
            Some(left) if left.is_zero() => return,
            Some(left) => ignore_poison(IS_IDLE.wait_timeout(queue, left)).0,
        };
    }
}

fn run() {
    let notifier = NOTIFIER.wait();
    let mut stopper = Stopper::new();
    loop {
        stopper.add(take_orders());
        stopper.scan();
        if stopper.is_empty() {
            note_idle();
        }
        stopper.wait(notifier);
    }
}

fn take_orders() -> Vec<Order> {
    let mut queue = lock(&QUEUE);
    queue.is_busy = true;
    std::mem::take(&mut queue.orders)
}

fn note_idle() {
    lock(&QUEUE).is_busy = false;
    IS_IDLE.notify_all();
}
