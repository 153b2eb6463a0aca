//! Items and plans that the system refuses what they need, such as a file or a process, until items have
//! ended.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use super::retry::{Refusals, Shortage};
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
    /// The refusals while no other item ran; none since one was not refused.
    refusals: Refusals,
}

/// Whether an item of any job runs and does not wait for room.
pub(crate) fn is_empty() -> bool {
    ROOM.lock().running == 0
}

/// Runs an item, or a part of a plan, until the system does not refuse it what it needs, which
/// `shortage` tells of its result. Before each further attempt waits until another item has ended, or
/// for a time if none runs. After some time without any other item it returns the refusal. Calls `waits`
/// if it has been waiting for other programs for a while.
///
/// # Errors
/// The item was cancelled while it waited.
pub(crate) fn run<T>(
    context: &Context,
    mut run: impl FnMut() -> T,
    shortage: impl Fn(&T) -> Option<Shortage>,
    waits: impl Fn(),
) -> Result<T, Cancelled> {
    let mut running = Running::new();
    loop {
        let result = run();
        let Some(shortage) = shortage(&result) else {
            running.was_refused = false;
            return Ok(result);
        };
        let Some(waiting) = Waiting::begin(shortage, context) else {
            return Ok(result);
        };
        if waiting.is_long {
            waits();
        }
        context.park_timeout(waiting.time)?;
    }
}

/// An item that runs.
struct Running {
    /// Whether it ends with a refusal, or by a panic or a cancel.
    was_refused: bool,
}

impl Running {
    fn new() -> Self {
        ROOM.lock().running += 1;
        Self { was_refused: true }
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
    /// Whether it has long waited for other programs.
    is_long: bool,
}

impl Waiting {
    /// Returns `None` if no item runs that could end, and starts were tried for long enough.
    fn begin(shortage: Shortage, context: &Context) -> Option<Self> {
        let mut room = ROOM.lock();
        let (time, is_long) = if room.running == 1 {
            let attempt = room.refusals.next(shortage)?;
            (attempt.after, attempt.is_long)
        } else {
            (MAX_WAIT, false)
        };
        room.running -= 1;
        let key = room.next_key;
        room.next_key += 1;
        room.waiting.insert(key, context.unparker());
        Some(Self { key, time, is_long })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut room = ROOM.lock();
        room.running += 1;
        room.waiting.remove(&self.key);
    }
}
