//! Items and plans that the system refuses what they need, such as a file or a process, until items have
//! ended.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use super::retry::{RETRY_INTERVAL, Refusals};
use crate::join::{Cancelled, Context, Unparker};

/// The time after which an item is tried again though none has ended: what it needs may have been
/// held by something else.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The items of all jobs, because they share the limits of the program.
static ROOM: Mutex<Room> = Mutex::new(Room {
    running: 0,
    waiting: BTreeMap::new(),
    next_key: 0,
    refusals: Refusals::NONE,
});

struct Room {
    /// The items that run and do not wait for room.
    running: usize,
    /// Those that wait until an item ends, the first of them first.
    waiting: BTreeMap<u64, Unparker>,
    next_key: u64,
    /// The refusals of the last item that failed for that reason; none since one was not refused.
    refusals: Refusals,
}

/// Whether an item of any job runs and does not wait for room.
pub(crate) fn is_empty() -> bool {
    ROOM.lock().running == 0
}

/// Runs an item, or a part of a plan, until `is_refused` says that the system did not refuse its result what it needed.
/// Before each further attempt waits until another item has ended, or for a time if none runs. After
/// some attempts without any other item it returns the refusal.
///
/// # Errors
/// The item was cancelled while it waited.
pub(crate) fn run<T>(
    context: &Context,
    mut run: impl FnMut() -> T,
    is_refused: impl Fn(&T) -> bool,
) -> Result<T, Cancelled> {
    let (mut running, mut refusals) = Running::new();
    loop {
        let result = run();
        if !is_refused(&result) {
            running.was_refused = false;
            return Ok(result);
        }
        let Some(waiting) = Waiting::begin(&mut refusals, context) else {
            return Ok(result);
        };
        context.park_timeout(waiting.time)?;
    }
}

/// An item that runs.
struct Running {
    /// Whether it ends with a refusal, or by a panic or a cancel.
    was_refused: bool,
}

impl Running {
    /// One more, and the refusals of the last item that failed for that reason.
    fn new() -> (Self, Refusals) {
        let mut room = ROOM.lock();
        room.running += 1;
        (Self { was_refused: true }, room.refusals)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut room = ROOM.lock();
        room.running -= 1;
        if !self.was_refused {
            room.refusals = Refusals::NONE;
        }
        if let Some((_, first)) = room.waiting.pop_first() {
            first.unpark();
        }
    }
}

/// An item that waits until another one ends.
struct Waiting {
    key: u64,
    time: Duration,
}

impl Waiting {
    /// Returns `None` if no item runs that could end, and this one was tried often enough.
    fn begin(refusals: &mut Refusals, context: &Context) -> Option<Self> {
        let mut room = ROOM.lock();
        let is_alone = room.running == 1;
        if is_alone && !refusals.may_retry() {
            room.refusals = *refusals;
            return None;
        }
        room.running -= 1;
        let key = room.next_key;
        room.next_key += 1;
        room.waiting.insert(key, context.unparker());
        Some(Self {
            key,
            time: if is_alone { RETRY_INTERVAL } else { MAX_WAIT },
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut room = ROOM.lock();
        room.running += 1;
        room.waiting.remove(&self.key);
    }
}
