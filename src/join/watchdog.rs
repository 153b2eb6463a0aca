//! A watchdog for the UI thread: it detects a freeze, a frame that takes too long, while it lasts.
//!
//! The UI thread marks the start and the end of each frame, which costs a few atomic operations,
//! and labels slow operations, which costs a lock. The watchdog's own thread calls back as soon as
//! a frame exceeds the limit, and again with its whole duration when it has ended. While no frame
//! is drawn, the thread sleeps, so an idle window stays idle.
//!
//! ```
//! use meanwhile_join::watchdog::Watchdog;
//! use std::time::Duration;
//!
//! let (reports, incidents) = std::sync::mpsc::channel();
//! let watchdog = Watchdog::new(Duration::from_millis(20), move |incident| {
//!     drop(reports.send(incident)); // a log, a list on screen
//! })?;
//!
//! // In an egui program: at the start of `App::logic` and of `App::ui`.
//! let frame = watchdog.frame();
//! let saving = watchdog.guard("saving settings");
//! std::thread::sleep(Duration::from_millis(60)); // a slow disk
//! drop(saving);
//! drop(frame);
//!
//! let ongoing = incidents.recv()?;
//! assert!(!ongoing.has_ended);
//! assert_eq!(ongoing.label.as_deref(), Some("saving settings"));
//! let ended = incidents.recv()?;
//! assert!(ended.has_ended && ended.lasted >= Duration::from_millis(60));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime};

use super::SpawnError;
use super::sync::{Mutex, lock};

/// The number of ended incidents that wait for the callback. If it is too slow, the oldest are
/// dropped.
const MAX_QUEUED: usize = 1_000;

/// A frame that took too long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incident {
    /// The number of the incident, from 1. Both of its reports have the same number.
    pub number: u64,
    /// The time at which the frame started, by the system's clock.
    pub began: SystemTime,
    /// The duration of the frame so far, or in total if it has ended.
    pub lasted: Duration,
    /// The label of the newest [`guard`](Watchdog::guard) that was held when the frame exceeded the
    /// limit, or else of the first operation in the frame that took longer than the limit. `None`
    /// if there is no such label.
    pub label: Option<String>,
    /// Whether the frame has ended.
    pub has_ended: bool,
}

/// A reporter of frames that take too long. Clones share one thread, which ends when the last of
/// them and the last guard are dropped.
#[derive(Clone)]
pub struct Watchdog(Arc<Owner>);

/// The value that all handles share. Its drop ends the watching thread.
struct Owner {
    shared: Arc<WatchdogShared>,
    thread: Thread,
}

struct WatchdogShared {
    origin: Instant,
    limit: Duration,
    /// Counts the starts and ends of frames, so it is odd while one is drawn. Only the thread that draws
    /// changes it, so the relaxed loads of that thread see its own last change.
    turns: AtomicU64,
    /// The start of the frame, in nanoseconds since `origin`. Published by the count in `turns`.
    began: AtomicU64,
    /// Whether the thread sleeps until the next frame starts.
    ///
    /// A frame first counts its turn and then reads this; the thread first sets this and then reads
    /// the turns. Sequential consistency guarantees that at least one of them sees the other.
    is_asleep: AtomicBool,
    /// Set once every handle has been dropped, before the thread is unparked. It looks here before each
    /// park, so it is not left asleep; with the unpark, weaker orders would do.
    is_over: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The labels of the guards that are held, oldest first.
    labels: Vec<Label>,
    /// The key of the newest label.
    last_key: u64,
    /// The label of an operation in this frame that has ended and took longer than the limit.
    slow_label: Option<Cow<'static, str>>,
    /// The frame that was reported while it lasted: its turn, and the number of its incident.
    reported: Option<(u64, u64)>,
    last_number: u64,
    ended: VecDeque<Incident>,
}

struct Label {
    key: u64,
    text: Cow<'static, str>,
    since: Instant,
}

impl Watchdog {
    /// Starts the watchdog's thread, and returns a handle. It reports frames longer than `limit`.
    ///
    /// `on_incident` is called on that thread, once while such a frame lasts and once when it has
    /// ended. A frame that ends just after the limit may be reported only when it has ended. If
    /// `on_incident` panics, the thread ends and reports no more frames.
    ///
    /// A window starts to feel slow at 100 ms (J. Nielsen, *Usability Engineering*, 1993).
    ///
    /// # Errors
    /// Fails if the system refuses the thread.
    pub fn new(
        limit: Duration,
        on_incident: impl Fn(Incident) + Send + 'static,
    ) -> Result<Self, SpawnError> {
        let shared = Arc::new(WatchdogShared {
            origin: Instant::now(),
            limit,
            turns: AtomicU64::new(0),
            began: AtomicU64::new(0),
            is_asleep: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let name = "watchdog".to_owned();
        let watched = shared.clone();
        let spawned = thread::Builder::new()
            .name(name.clone())
            .spawn(move || watch(&watched, on_incident));
        match spawned {
            Ok(handle) => Ok(Self(Arc::new(Owner {
                shared,
                thread: handle.thread().clone(),
            }))),
            Err(cause) => Err(SpawnError::new(name, cause)),
        }
    }

    /// Starts a frame, which ends when the returned guard is dropped. Has no effect within another
    /// frame.
    pub fn frame(&self) -> FrameGuard {
        let shared = &self.0.shared;
        let is_outermost = !is_odd(shared.turns.load(Ordering::Relaxed));
        if is_outermost {
            shared.began.store(shared.now(), Ordering::Relaxed);
            shared.turns.fetch_add(1, Ordering::SeqCst);
            if shared.is_asleep.swap(false, Ordering::SeqCst) {
                self.0.thread.unpark();
            }
        }
        FrameGuard {
            watchdog: self.clone(),
            is_outermost,
        }
    }

    /// Labels the current operation until the returned guard is dropped. The newest label that is
    /// held counts. Guards may be dropped in any order and on any thread. Each removes its own
    /// label.
    ///
    /// ```
    /// # use meanwhile_join::watchdog::Watchdog;
    /// # use std::time::Duration;
    /// # let (reports, incidents) = std::sync::mpsc::channel();
    /// # let report = move |incident| drop(reports.send(incident));
    /// # let watchdog = Watchdog::new(Duration::from_millis(20), report)?;
    /// let frame = watchdog.frame();
    /// let loading = watchdog.guard("loading");
    /// let saving = watchdog.guard("saving");
    /// drop(loading); // "saving" still counts
    /// assert_eq!(incidents.recv()?.label.as_deref(), Some("saving"));
    /// drop((saving, frame));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn guard(&self, label: impl Into<Cow<'static, str>>) -> LabelGuard {
        let text = label.into();
        let since = Instant::now();
        let mut state = lock(&self.0.shared.state);
        state.last_key += 1;
        let key = state.last_key;
        state.labels.push(Label { key, text, since });
        drop(state);
        LabelGuard {
            watchdog: self.clone(),
            key,
        }
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("limit", &self.0.shared.limit)
            .finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// The guard of a frame, which ends when this is dropped. [`Watchdog::frame`] returns it.
#[derive(Debug)]
#[must_use = "the frame ends when this is dropped"]
pub struct FrameGuard {
    watchdog: Watchdog,
    is_outermost: bool,
}

impl Drop for FrameGuard {
    fn drop(&mut self) {
        if !self.is_outermost {
            return;
        }
        let shared = &self.watchdog.0.shared;
        let lasted = shared.elapsed();
        if lasted < shared.limit {
            shared.turns.fetch_add(1, Ordering::SeqCst);
            return;
        }
        // Under the lock, so that the thread can't report the frame as ongoing after its end.
        let mut state = lock(&shared.state);
        let turn = shared.turns.fetch_add(1, Ordering::SeqCst);
        state.end(turn, lasted);
        drop(state);
        self.watchdog.0.thread.unpark();
    }
}

/// The guard of a label, which is removed when this is dropped. [`Watchdog::guard`] returns it.
#[derive(Debug)]
#[must_use = "the label holds until this is dropped"]
pub struct LabelGuard {
    watchdog: Watchdog,
    key: u64,
}

impl Drop for LabelGuard {
    fn drop(&mut self) {
        let shared = &self.watchdog.0.shared;
        let mut state = lock(&shared.state);
        // From the end, because mostly the newest is dropped.
        let held = state.labels.iter().rposition(|label| label.key == self.key);
        if let Some(label) = held.map(|at| state.labels.remove(at))
            && label.since.elapsed() >= shared.limit
            && is_odd(shared.turns.load(Ordering::Relaxed))
        {
            state.slow_label.get_or_insert(label.text);
        }
    }
}

impl WatchdogShared {
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The time since the frame began.
    fn elapsed(&self) -> Duration {
        let began = self.began.load(Ordering::Relaxed);
        Duration::from_nanos(self.now().saturating_sub(began))
    }

    /// Takes the incidents to report now.
    fn take_incidents(&self) -> Vec<Incident> {
        let mut state = lock(&self.state);
        let turn = self.turns.load(Ordering::SeqCst);
        let lasted = self.elapsed();
        let mut incidents: Vec<_> = state.ended.drain(..).collect();
        if is_odd(turn) && lasted >= self.limit {
            incidents.extend(state.report_ongoing(turn, lasted));
        }
        incidents
    }

    /// Returns the time to sleep before the next check, or `None` to sleep until woken. `seen` is
    /// the turn at the last check. The thread checks periodically while the window draws, and not
    /// while it is idle.
    fn time_to_sleep(&self, seen: &mut u64) -> Option<Duration> {
        let turn = self.turns.load(Ordering::SeqCst);
        let last = std::mem::replace(seen, turn);
        if is_odd(turn) {
            // The end of a frame that was reported wakes the thread.
            let is_reported = lock(&self.state).has_reported(turn);
            return (!is_reported).then(|| self.limit.saturating_sub(self.elapsed()));
        }
        if last != turn {
            return Some(self.limit);
        }
        self.is_asleep.store(true, Ordering::SeqCst);
        // A frame that started before it could see the flag has not woken the thread.
        let has_started = self.turns.load(Ordering::SeqCst) != turn;
        if has_started {
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        has_started.then_some(self.limit)
    }
}

impl State {
    fn has_reported(&self, turn: u64) -> bool {
        self.reported.is_some_and(|(reported, _)| reported == turn)
    }

    /// Reports the frame of this turn, which lasts too long, unless it was reported already.
    fn report_ongoing(&mut self, turn: u64, lasted: Duration) -> Option<Incident> {
        if self.has_reported(turn) {
            return None;
        }
        self.last_number += 1;
        self.reported = Some((turn, self.last_number));
        let label = self.labels.last().map(|label| label.text.clone());
        // Records the current operation as the cause; later ones are ignored.
        self.slow_label.clone_from(&label);
        Some(incident(self.last_number, lasted, label, false))
    }

    /// Queues the end of the frame of this turn, which took too long.
    fn end(&mut self, turn: u64, lasted: Duration) {
        let number = match self.reported.take() {
            Some((reported, number)) if reported == turn => number,
            _ => {
                self.last_number += 1;
                self.last_number
            }
        };
        let label = self.slow_label.take();
        if self.ended.len() == MAX_QUEUED {
            self.ended.pop_front();
        }
        self.ended.push_back(incident(number, lasted, label, true));
    }
}

fn incident(
    number: u64,
    lasted: Duration,
    label: Option<Cow<'static, str>>,
    has_ended: bool,
) -> Incident {
    let now = SystemTime::now();
    Incident {
        number,
        began: now.checked_sub(lasted).unwrap_or(now),
        lasted,
        label: label.map(Cow::into_owned),
        has_ended,
    }
}

/// Whether a frame is drawn at this count of turns.
fn is_odd(turns: u64) -> bool {
    turns % 2 == 1
}

/// Runs on the watchdog's thread. Incidents from before its end are still reported.
fn watch(shared: &WatchdogShared, on_incident: impl Fn(Incident)) {
    let mut seen = 0;
    loop {
        let is_over = shared.is_over.load(Ordering::SeqCst);
        shared.take_incidents().into_iter().for_each(&on_incident);
        if is_over {
            return;
        }
        match shared.time_to_sleep(&mut seen) {
            Some(time) => thread::park_timeout(time),
            None => thread::park(),
        }
    }
}
