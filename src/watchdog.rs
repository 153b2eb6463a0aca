//! A watchdog for the thread that draws: it notices a frame that takes too long, while it does.
//!
//! The UI thread says when a frame begins and ends, and what it is about to do; that costs a few
//! atomic operations. A thread of its own watches, and calls back as soon as a frame has taken
//! longer than it may, and again with its whole time when it has ended. While no frame is drawn it
//! sleeps: an idle window stays idle.
//!
//! ```
//! use meanwhile::watchdog::Watchdog;
//! use std::time::Duration;
//!
//! let (reports, incidents) = std::sync::mpsc::channel();
//! let watchdog = Watchdog::new(Duration::from_millis(20), move |incident| {
//!     drop(reports.send(incident)); // a log, a list on screen
//! })?;
//!
//! // In an egui program: at the beginning of `App::logic` and of `App::ui`.
//! let frame = watchdog.frame();
//! let saving = watchdog.guard("saving settings");
//! std::thread::sleep(Duration::from_millis(60)); // a disk that takes its time
//! drop(saving);
//! drop(frame);
//!
//! let noticed = incidents.recv()?;
//! assert!(!noticed.has_ended); // called back while it lasted
//! assert_eq!(noticed.label.as_deref(), Some("saving settings"));
//! let ended = incidents.recv()?;
//! assert!(ended.has_ended && ended.lasted >= Duration::from_millis(60));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime};

use crate::join::SpawnError;

/// How many ends of incidents wait for the callback at most; it is far slower than the incidents
/// then, and the oldest go.
const WAITING: usize = 1_000;

/// A frame that took too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Counts up from 1: the reports of one incident carry the same number.
    pub number: u64,
    /// When the frame began.
    pub began: SystemTime,
    /// How long it took, or has taken so far.
    pub lasted: Duration,
    /// What was being done, as the newest [`guard`](Watchdog::guard) that is still held says.
    pub label: Option<String>,
    /// Whether the frame has ended.
    pub has_ended: bool,
}

/// Notices frames that take too long. Clones are the same watchdog; its thread ends with the last.
#[derive(Clone)]
pub struct Watchdog(Arc<Owner>);

/// Held by the handles alone, so that the watcher learns when they are gone.
struct Owner {
    shared: Arc<Shared>,
    watcher: Thread,
}

struct Shared {
    origin: Instant,
    limit: Duration,
    /// Counts beginnings and ends of frames, so it is odd while one is drawn.
    turns: AtomicU64,
    /// When the frame began, in nanoseconds since `origin`.
    began: AtomicU64,
    is_resting: AtomicBool,
    /// Whether nobody can begin a frame any more.
    is_over: AtomicBool,
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    /// Those of the guards that are held, oldest first.
    labels: Vec<Label>,
    /// Counts up, so that each guard knows its own label.
    last_key: u64,
    /// What took longer than the limit in this frame and is over.
    slow_label: Option<Cow<'static, str>>,
    /// The frame that was reported while it lasted, by its turn, and the number it got.
    noticed: Option<(u64, u64)>,
    last_number: u64,
    ended: VecDeque<Incident>,
}

struct Label {
    key: u64,
    text: Cow<'static, str>,
    since: Instant,
}

impl Watchdog {
    /// Watches for frames longer than `limit`. `on_incident` is called on the watchdog's own thread,
    /// once while such a frame lasts and once when it has ended; a frame that ends just beyond the
    /// limit may be reported only then.
    ///
    /// 100 ms is where a window begins to feel slow (J. Nielsen, *Usability Engineering*, 1993).
    ///
    /// # Errors
    /// The system refused the thread.
    pub fn new(
        limit: Duration,
        on_incident: impl Fn(Incident) + Send + 'static,
    ) -> Result<Self, SpawnError> {
        let shared = Arc::new(Shared {
            origin: Instant::now(),
            limit,
            turns: AtomicU64::new(0),
            began: AtomicU64::new(0),
            is_resting: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            news: Mutex::default(),
        });
        let name = "watchdog".to_owned();
        let watched = shared.clone();
        let spawned = thread::Builder::new()
            .name(name.clone())
            .spawn(move || watch(&watched, on_incident));
        match spawned {
            Ok(handle) => Ok(Self(Arc::new(Owner {
                shared,
                watcher: handle.thread().clone(),
            }))),
            Err(source) => Err(SpawnError { name, source }),
        }
    }

    /// A frame begins; it ends when the guard is dropped. Within another one it changes nothing.
    pub fn frame(&self) -> FrameGuard {
        let shared = &self.0.shared;
        let is_outermost = !is_odd(shared.turns.load(Ordering::Relaxed));
        if is_outermost {
            shared.began.store(shared.now(), Ordering::Relaxed);
            shared.turns.fetch_add(1, Ordering::SeqCst);
            if shared.is_resting.swap(false, Ordering::SeqCst) {
                self.0.watcher.unpark();
            }
        }
        FrameGuard {
            watchdog: self.clone(),
            is_outermost,
        }
    }

    /// Says what is being done until the guard is dropped. Of several that are held the newest one
    /// counts. They may be dropped in any order and on any thread: each takes back its own label.
    ///
    /// ```
    /// # use meanwhile::watchdog::Watchdog;
    /// # use std::time::Duration;
    /// # let (reports, incidents) = std::sync::mpsc::channel();
    /// # let report = move |incident| drop(reports.send(incident));
    /// # let watchdog = Watchdog::new(Duration::from_millis(20), report)?;
    /// let frame = watchdog.frame();
    /// let loading = watchdog.guard("loading");
    /// let saving = watchdog.guard("saving");
    /// drop(loading); // the older one, and "saving" still counts
    /// assert_eq!(incidents.recv()?.label.as_deref(), Some("saving"));
    /// drop((saving, frame));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn guard(&self, label: impl Into<Cow<'static, str>>) -> LabelGuard {
        let text = label.into();
        let since = Instant::now();
        let mut news = self.0.shared.news();
        news.last_key += 1;
        let key = news.last_key;
        news.labels.push(Label { key, text, since });
        drop(news);
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
        self.watcher.unpark();
    }
}

/// A frame is being drawn.
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
        // Under the lock, so that the watcher can't take note of a frame that has ended.
        let mut news = shared.news();
        let turn = shared.turns.fetch_add(1, Ordering::SeqCst);
        news.end(turn, lasted);
        drop(news);
        self.watchdog.0.watcher.unpark();
    }
}

/// Something is being done.
#[must_use = "the label holds until this is dropped"]
pub struct LabelGuard {
    watchdog: Watchdog,
    key: u64,
}

impl Drop for LabelGuard {
    fn drop(&mut self) {
        let shared = &self.watchdog.0.shared;
        let mut news = shared.news();
        // Mostly the last one.
        let held = news.labels.iter().rposition(|label| label.key == self.key);
        if let Some(label) = held.map(|at| news.labels.remove(at))
            && label.since.elapsed() >= shared.limit
            && is_odd(shared.turns.load(Ordering::Relaxed))
        {
            news.slow_label.get_or_insert(label.text);
        }
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Since the frame began.
    fn elapsed(&self) -> Duration {
        let began = self.began.load(Ordering::Relaxed);
        Duration::from_nanos(self.now().saturating_sub(began))
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be reported.
    fn report(&self) -> Vec<Incident> {
        let mut news = self.news();
        let turn = self.turns.load(Ordering::SeqCst);
        let lasted = self.elapsed();
        let mut incidents: Vec<_> = news.ended.drain(..).collect();
        if is_odd(turn) && lasted >= self.limit {
            incidents.extend(news.notice(turn, lasted));
        }
        incidents
    }

    /// For how long there is nothing to see; `None` until somebody says so. `seen` is the turn at the
    /// last look: a window that draws now and then is looked at now and then, one that rests is not.
    fn rest(&self, seen: &mut u64) -> Option<Duration> {
        let turn = self.turns.load(Ordering::SeqCst);
        let last = std::mem::replace(seen, turn);
        if is_odd(turn) {
            // One that was reported tells when it ends.
            let is_known = self.news().has_noticed(turn);
            return (!is_known).then(|| self.limit.saturating_sub(self.elapsed()));
        }
        if last != turn {
            return Some(self.limit);
        }
        self.is_resting.store(true, Ordering::SeqCst);
        // A frame that has begun before it could see that must not go unseen.
        let has_begun = self.turns.load(Ordering::SeqCst) != turn;
        if has_begun {
            self.is_resting.store(false, Ordering::SeqCst);
        }
        has_begun.then_some(self.limit)
    }
}

impl News {
    fn has_noticed(&self, turn: u64) -> bool {
        self.noticed.is_some_and(|(noticed, _)| noticed == turn)
    }

    /// The frame of this turn lasts too long, and was not reported yet.
    fn notice(&mut self, turn: u64, lasted: Duration) -> Option<Incident> {
        if self.has_noticed(turn) {
            return None;
        }
        self.last_number += 1;
        self.noticed = Some((turn, self.last_number));
        let label = self.labels.last().map(|label| label.text.clone());
        // What is going on now is why; what comes after it is not.
        self.slow_label.clone_from(&label);
        Some(incident(self.last_number, lasted, label, false))
    }

    /// The frame of this turn has ended, and was too long.
    fn end(&mut self, turn: u64, lasted: Duration) {
        let number = match self.noticed.take() {
            Some((noticed, number)) if noticed == turn => number,
            _ => {
                self.last_number += 1;
                self.last_number
            }
        };
        let label = self.slow_label.take();
        if self.ended.len() == WAITING {
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

/// While a frame is drawn, the count of beginnings and ends is odd.
fn is_odd(turns: u64) -> bool {
    turns % 2 == 1
}

/// The watcher's life. What has happened before its end is still reported.
fn watch(shared: &Shared, on_incident: impl Fn(Incident)) {
    let mut seen = 0;
    loop {
        let is_over = shared.is_over.load(Ordering::SeqCst);
        shared.report().into_iter().for_each(&on_incident);
        if is_over {
            return;
        }
        match shared.rest(&mut seen) {
            Some(time) => thread::park_timeout(time),
            None => thread::park(),
        }
    }
}
