//! The one thread that waits for the times of all delayed calls.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::callback_guard::CallbackGuard;
use super::callback_threads;
use super::error::SpawnError;
use super::panic::{contain, drop_contained};
use super::started::{Started, start_thread};
use super::sync::{Condvar, Mutex, ignore_poison, lock, wait_timeout};
use super::wait;
use super::waiters::Callback;

const NAME: &str = "timer";

/// Calls `callback` once after `delay`, and never earlier. Dropping the guard takes it back.
///
/// It is called on a thread that all delayed calls share with the callbacks of processes. If one of them blocks,
/// the others that are due are called on another thread, 20 ms late for each that blocks. If it panics, the
/// panic is ignored. A delay too long for the clock, such as [`Duration::MAX`], never ends.
///
/// A guard in the place of the one before makes a debounce: the call comes when there was no new one
/// for that long.
///
/// ```
/// use meanwhile_join::{self as join, CallbackGuard, SpawnError};
/// use std::sync::mpsc::{Sender, channel};
/// use std::time::Duration;
///
/// struct Editor { text: String, saving: Option<CallbackGuard>, files: Sender<String> }
///
/// impl Editor {
///     fn edit(&mut self, text: &str) -> Result<(), SpawnError> {
///         self.text.push_str(text);
///         let (text, files) = (self.text.clone(), self.files.clone());
///         let save = move || files.send(text).expect("the test waits"); // or start a task
///         self.saving = Some(join::after(Duration::from_millis(50), save)?);
///         Ok(())
///     }
/// }
///
/// let (files, saved) = channel();
/// let mut editor = Editor { text: String::new(), saving: None, files };
/// editor.edit("a")?;
/// editor.edit("b")?;
/// while saved.recv()? != "ab" {} // the first call has come if more than 50 ms were between the edits
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fails if the system refuses the threads `timer` and `callbacks`, which the first call starts. Then nothing
/// is called.
pub fn after(
    delay: Duration,
    callback: impl FnOnce() + Send + 'static,
) -> Result<CallbackGuard, SpawnError> {
    Ok(global()?.add(wait::deadline(Some(delay)), Box::new(callback)))
}

/// The delayed calls, by their times.
pub(crate) struct Timers {
    queue: Mutex<Queue>,
    /// Wakes the thread when the first call of the queue is another one.
    has_new_first: Condvar,
}

#[derive(Default)]
struct Queue {
    next_number: u64,
    calls: BTreeMap<Key, Callback>,
    /// The calls that are due and have not begun.
    due: BTreeMap<Key, Callback>,
    /// The number of the newest batch, which has all calls that are due and have not begun.
    batches: u64,
    /// Since when the newest batch runs.
    running_since: Option<Instant>,
    /// Whether a call of the newest batch has begun.
    has_begun: bool,
}

/// So long a batch waits for the one before, so that calls come in their order.
const PATIENCE: Duration = Duration::from_millis(20);

/// The number tells calls at the same time apart.
type Key = (Instant, u64);

impl Timers {
    pub(crate) fn new() -> Self {
        Self {
            queue: Mutex::default(),
            has_new_first: Condvar::new(),
        }
    }

    /// Has `callback` called at this time; with `None` never. The guard takes it back.
    pub(crate) fn add(&'static self, at: Option<Instant>, callback: Callback) -> CallbackGuard {
        let Some(at) = at else {
            return CallbackGuard::of_nothing();
        };
        let key = self.insert(at, callback);
        CallbackGuard::new(move || self.remove(key))
    }

    pub(crate) fn insert(&self, at: Instant, callback: Callback) -> Key {
        let mut queue = lock(&self.queue);
        queue.next_number += 1;
        let key = (at, queue.next_number);
        queue.calls.insert(key, callback);
        if queue.calls.keys().next() == Some(&key) {
            self.has_new_first.notify_one();
        }
        key
    }

    /// Removes a call, unless it has begun.
    pub(crate) fn remove(&self, key: Key) {
        let removed = {
            let mut queue = lock(&self.queue);
            queue.calls.remove(&key).or_else(|| queue.due.remove(&key))
        };
        // Dropped after the lock is released.
        drop_contained(removed);
    }

    /// Blocks until calls are due, and those before them have ended or take long. They are a new batch. Returns
    /// its number. What the batch before has not begun is now in this one:
    /// a call that blocks holds up none of those that were due with it.
    pub(crate) fn next_due(&self) -> u64 {
        let mut queue = lock(&self.queue);
        loop {
            let due = queue.due.keys().next();
            let Some(&(first, _)) = due.or_else(|| queue.calls.keys().next()) else {
                queue = ignore_poison(self.has_new_first.wait(queue));
                continue;
            };
            let now = Instant::now();
            let after_others = queue.running_since.map(|since| since + PATIENCE);
            let at = after_others.map_or(first, |at| at.max(first));
            if at <= now && !queue.due.is_empty() && !queue.has_begun {
                // No thread has come to the batch, so none of its calls blocks.
                queue.running_since = Some(now);
            } else if at <= now {
                let later = queue.calls.split_off(&(now, u64::MAX));
                let due = std::mem::replace(&mut queue.calls, later);
                queue.due.extend(due);
                queue.batches += 1;
                queue.running_since = Some(now);
                queue.has_begun = false;
                return queue.batches;
            } else {
                queue = wait_timeout(&self.has_new_first, queue, at - now).0;
            }
        }
    }

    /// Has the next calls not wait for this batch any more.
    pub(crate) fn end(&self, batch: u64) {
        let mut queue = lock(&self.queue);
        if queue.batches == batch {
            queue.running_since = None;
            self.has_new_first.notify_one();
        }
    }

    /// Takes the next call of this batch in the order of their times, unless those that are left are in a newer
    /// batch.
    pub(crate) fn begin(&self, batch: u64) -> Option<Callback> {
        let mut queue = lock(&self.queue);
        if queue.batches != batch {
            return None;
        }
        queue.has_begun = true;
        Some(queue.due.pop_first()?.1)
    }

    /// Blocks until calls are due, and has them run, soon, on another thread.
    fn run_next(&'static self) {
        let batch = self.next_due();
        callback_threads::run(vec![Box::new(move || self.run(batch))]);
    }

    /// Runs a batch one after another. A wait in one of them runs none of the others: it may end at a time, and
    /// they may block.
    fn run(&self, batch: u64) {
        while let Some(call) = self.begin(batch) {
            contain(call);
        }
        self.end(batch);
    }
}

/// Returns the timers of this process. The first call starts their threads, which never end.
///
/// # Errors
/// The system refused a thread.
pub(crate) fn global() -> Result<&'static Timers, SpawnError> {
    static TIMERS: OnceLock<Timers> = OnceLock::new();
    static THREAD: Started<()> = Started::new();
    let timers = TIMERS.get_or_init(Timers::new);
    THREAD.get_or_start(|| {
        callback_threads::start()?;
        start_thread(NAME, || {
            loop {
                timers.run_next();
            }
        })
    })?;
    Ok(timers)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn calls_at_the_same_time_are_both_taken() {
        let timers = Timers::new();
        let now = Instant::now();
        let keys = [0, 1].map(|_| timers.insert(now, Box::new(|| ())));
        assert_ne!(keys[0], keys[1]);
        let batch = timers.next_due();
        assert!(keys.iter().all(|_| timers.begin(batch).is_some()));
        assert!(timers.begin(batch).is_none());
    }

    #[test]
    fn batch_that_has_not_begun_gets_no_second_thread() {
        let timers = Timers::new();
        for _ in 0..2 {
            timers.insert(Instant::now(), Box::new(|| ()));
        }
        assert_eq!(timers.next_due(), 1);
        std::thread::scope(|scope| {
            let next = scope.spawn(|| timers.next_due());
            std::thread::park_timeout(PATIENCE * 3);
            assert!(!next.is_finished());
            assert!(timers.begin(1).is_some());
            assert_eq!(next.join().expect("it does not panic"), 2);
        });
        assert!(timers.begin(1).is_none());
        assert!(timers.begin(2).is_some());
        assert!(timers.begin(2).is_none());
    }
}
