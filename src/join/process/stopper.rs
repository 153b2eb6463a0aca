//! The stopper: the one thread that ends trees of processes.
//!
//! A stop reads the whole process table several times. Stops that come together share that, and the
//! threads that ask for them do not wait unless they want the report.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::super::SpawnError;
use super::super::started::{Started, start_thread};
use super::super::sync::{ignore_poison, lock};
use super::launcher_id::LauncherId;
use super::reserve;
use super::stop::{Order, Stopper};
use super::system::Notifier;

struct Queue {
    orders: Vec<Order>,
    /// The launchers of the trees that the thread ends.
    ongoing: Vec<Option<LauncherId>>,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    orders: Vec::new(),
    ongoing: Vec::new(),
});

/// Notified when trees have ended.
static HAS_ENDED: Condvar = Condvar::new();

/// The name of the thread.
const NAME: &str = "process stopper";

/// Starts the thread, unless it runs, and opens the descriptors that it needs at the limit of files.
pub(super) fn start() -> Result<(), SpawnError> {
    notifier().map(drop)
}

fn notifier() -> Result<&'static Arc<Notifier>, SpawnError> {
    static NOTIFIER: Started<Arc<Notifier>> = Started::new();
    NOTIFIER.get_or_start(|| {
        let notifier = Notifier::new().map_err(|cause| SpawnError::new(NAME, cause))?;
        let notifier = Arc::new(notifier);
        let notified = notifier.clone();
        start_thread(NAME, move || run(&notified))?;
        reserve::fill();
        Ok(notifier)
    })
}

/// Has trees ended. Does not block. If the system refuses the thread, the orders are dropped.
pub(super) fn stop(orders: Vec<Order>) {
    if let Ok(notifier) = notifier() {
        lock(&QUEUE).orders.extend(orders);
        notifier.notify();
    }
}

/// Blocks until no tree of one launcher, or of the whole program, is being ended or the deadline has
/// passed.
pub(crate) fn wait_until_idle(launcher: Option<LauncherId>, deadline: Option<Instant>) {
    let is_awaited = |of: Option<LauncherId>| launcher.is_none() || of == launcher;
    let mut queue = lock(&QUEUE);
    while queue.ongoing.iter().any(|of| is_awaited(*of))
        || queue.orders.iter().any(|order| is_awaited(order.launcher))
    {
        queue = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
            None => ignore_poison(HAS_ENDED.wait(queue)),
            Some(left) if left.is_zero() => return,
            Some(left) => ignore_poison(HAS_ENDED.wait_timeout(queue, left)).0,
        };
    }
}

fn run(notifier: &Notifier) {
    let mut stopper = Stopper::new();
    loop {
        stopper.add(take_orders());
        stopper.scan();
        note_ongoing(stopper.launchers());
        stopper.wait(notifier);
    }
}

fn take_orders() -> Vec<Order> {
    let mut queue = lock(&QUEUE);
    let orders = std::mem::take(&mut queue.orders);
    let launchers = orders.iter().map(|order| order.launcher);
    queue.ongoing.extend(launchers);
    orders
}

fn note_ongoing(launchers: Vec<Option<LauncherId>>) {
    lock(&QUEUE).ongoing = launchers;
    HAS_ENDED.notify_all();
}
