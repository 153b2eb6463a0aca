//! The one thread that waits for the times of all delayed calls.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::callback_guard::CallbackGuard;
use super::callback_threads;
use super::error::SpawnError;
use super::panic::drop_contained;
use super::started::{Started, start_thread};
use super::sync::{Condvar, Mutex, ignore_poison, lock, wait_timeout};
use super::wait;
use super::waiters::Callback;

const NAME: &str = "timer";

/// Calls `callback` once after `delay`, and never earlier. Dropping the guard takes it back.
///
/// It is called on a thread that all delayed calls share with the callbacks of processes. While one of them
/// blocks, the others are called on another thread. If it panics, the panic is ignored. A delay too long for
/// the clock, such as [`Duration::MAX`], never ends.
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
/// assert_eq!(saved.recv()?, "ab");
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
}

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

    /// Blocks until calls are due. Returns them in the order of their times, for [`begin`](Self::begin).
    pub(crate) fn next_due(&self) -> Vec<Key> {
        let mut queue = lock(&self.queue);
        loop {
            let Some((&first, _)) = queue.calls.first_key_value() else {
                queue = ignore_poison(self.has_new_first.wait(queue));
                continue;
            };
            let now = Instant::now();
            let left = first.0.saturating_duration_since(now);
            if left.is_zero() {
                let later = queue.calls.split_off(&(now, u64::MAX));
                let due = std::mem::replace(&mut queue.calls, later);
                let keys = due.keys().copied().collect();
                queue.due.extend(due);
                return keys;
            }
            queue = wait_timeout(&self.has_new_first, queue, left).0;
        }
    }

    /// Takes a call that is due, unless it was removed.
    pub(crate) fn begin(&self, key: Key) -> Option<Callback> {
        lock(&self.queue).due.remove(&key)
    }

    /// Returns what runs a call that is due.
    fn call(&'static self, key: Key) -> Callback {
        Box::new(move || self.begin(key).into_iter().for_each(|call| call()))
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
                let due = timers.next_due().into_iter();
                callback_threads::run(due.map(|key| timers.call(key)).collect());
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
        assert_eq!(timers.next_due(), keys);
        assert!(keys.iter().all(|key| timers.begin(*key).is_some()));
    }
}
