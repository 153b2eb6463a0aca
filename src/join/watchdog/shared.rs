//! What the UI thread tells the watchdog's thread.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use super::super::sync::{Mutex, lock};

/// The number of ended frames that wait for the callback. If it is too slow, the oldest are
/// dropped.
const MAX_QUEUED: usize = 1_000;

pub(super) struct WatchdogShared {
    origin: Instant,
    pub(super) limit: Duration,
    /// Counts the starts and ends of frames, so it is odd while one is drawn. Only the thread that draws
    /// changes it, so the relaxed loads of that thread see its own last change.
    pub(super) turns: AtomicU64,
    /// The start of the frame, in nanoseconds since `origin`. Published by the count in `turns`.
    began: AtomicU64,
    /// The time from which a frame counts that had begun before, in nanoseconds since `origin`: the process had
    /// been stopped, or the watch been paused. A pause that ends first sets this and then counts `pauses` down, so
    /// a thread that finds no pause also sees this. Weaker orders would do.
    resumed: AtomicU64,
    /// The pauses that are held.
    pauses: AtomicUsize,
    /// The number of the thread that draws, by [`thread_number`]. Only that thread looks for its own number, so
    /// it sees its own store; what others need of it is behind the lock.
    drawn_by: AtomicU64,
    /// Whether the thread sleeps until the next frame starts.
    ///
    /// A frame first counts its turn and then reads this; the thread first sets this and then reads
    /// the turns. Sequential consistency guarantees that at least one of them sees the other.
    pub(super) is_asleep: AtomicBool,
    /// Set once every handle has been dropped, before the thread is unparked. It looks here before each
    /// park, so it is not left asleep; with the unpark, weaker orders would do.
    pub(super) is_over: AtomicBool,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// The labels of the guards that are held, oldest first.
    pub(super) labels: Vec<Label>,
    /// The key of the newest label.
    last_key: u64,
    /// The label of an operation in this frame that has ended and took longer than the limit.
    pub(super) slow_label: Option<Cow<'static, str>>,
    pub(super) drawer: Option<Drawer>,
    pub(super) ended: VecDeque<Ended>,
}

pub(super) struct Label {
    key: u64,
    pub(super) text: Cow<'static, str>,
    since: Instant,
}

/// The thread that draws.
#[derive(Clone, Copy)]
pub(super) struct Drawer {
    pub(super) thread: ThreadId,
    /// Its id of the system.
    pub(super) tid: Option<u32>,
}

/// A frame that has ended and took too long, unless the process stood still or the watch was paused.
pub(super) struct Ended {
    pub(super) turn: u64,
    pub(super) time: FrameTime,
    pub(super) label: Option<Cow<'static, str>>,
}

/// When a frame began and when it ended, or what time it is, since the watchdog began.
#[derive(Clone, Copy)]
pub(super) struct FrameTime {
    pub(super) began: Duration,
    pub(super) until: Duration,
}

impl FrameTime {
    pub(super) fn lasted(self) -> Duration {
        self.until.saturating_sub(self.began)
    }
}

impl WatchdogShared {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            origin: Instant::now(),
            limit,
            turns: AtomicU64::new(0),
            began: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            pauses: AtomicUsize::new(0),
            drawn_by: AtomicU64::new(0),
            is_asleep: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// The time since the watchdog began.
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Begins a frame, on the thread that draws. Returns whether the watchdog's thread has to be woken.
    pub(super) fn begin_frame(&self) -> bool {
        let thread = thread_number();
        if self.drawn_by.load(Ordering::Relaxed) != thread {
            lock(&self.state).drawer = Some(Drawer {
                thread: std::thread::current().id(),
                tid: system_id(),
            });
            self.drawn_by.store(thread, Ordering::Relaxed);
        }
        self.began.store(nanos(self.now()), Ordering::Relaxed);
        self.turns.fetch_add(1, Ordering::SeqCst);
        self.is_asleep.swap(false, Ordering::SeqCst)
    }

    /// Ends a frame, on the thread that draws. Returns whether the watchdog's thread has to be woken.
    pub(super) fn end_frame(&self) -> bool {
        let until = self.now();
        let began = Duration::from_nanos(self.began.load(Ordering::Relaxed));
        if until.saturating_sub(began) < self.limit {
            self.turns.fetch_add(1, Ordering::SeqCst);
            return false;
        }
        // Under the lock, so that the thread can't report the frame as ongoing after its end.
        let mut state = lock(&self.state);
        let turn = self.turns.fetch_add(1, Ordering::SeqCst);
        let label = state.slow_label.take();
        let time = FrameTime {
            began: self.counts_from(),
            until,
        };
        if state.ended.len() == MAX_QUEUED {
            state.ended.pop_front();
        }
        state.ended.push_back(Ended { turn, time, label });
        true
    }

    /// When the frame began, or the process or the watch went on since.
    fn counts_from(&self) -> Duration {
        let began = self.began.load(Ordering::Relaxed);
        Duration::from_nanos(began.max(self.resumed.load(Ordering::SeqCst)))
    }

    /// The frame so far. During a pause it takes no time.
    pub(super) fn frame_time(&self) -> FrameTime {
        let until = self.now();
        let began = if self.is_paused() {
            until
        } else {
            self.counts_from()
        };
        FrameTime { began, until }
    }

    /// The start of the frame that is drawn, if one is.
    pub(super) fn began(&self) -> Option<Duration> {
        let began = || Duration::from_nanos(self.began.load(Ordering::Relaxed));
        is_odd(self.turns.load(Ordering::SeqCst)).then(began)
    }

    /// Lets the frame count from now.
    pub(super) fn resume(&self) {
        self.resumed.fetch_max(nanos(self.now()), Ordering::SeqCst);
    }

    pub(super) fn pause(&self) {
        self.pauses.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn end_pause(&self) {
        self.resume();
        self.pauses.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pauses.load(Ordering::SeqCst) > 0
    }

    /// Whether the frame of this turn is still drawn.
    pub(super) fn is_drawn(&self, turn: u64) -> bool {
        self.turns.load(Ordering::SeqCst) == turn
    }
}

impl State {
    /// Adds a label, and returns its key.
    pub(super) fn add_label(&mut self, text: Cow<'static, str>, since: Instant) -> u64 {
        self.last_key += 1;
        let key = self.last_key;
        self.labels.push(Label { key, text, since });
        key
    }

    /// Removes a label. If a frame is drawn and the label was held for longer than `limit`, it may be the cause.
    pub(super) fn remove_label(&mut self, key: u64, limit: Duration, is_drawing: bool) {
        // From the end, because mostly the newest is dropped.
        let held = self.labels.iter().rposition(|label| label.key == key);
        if let Some(label) = held.map(|at| self.labels.remove(at))
            && label.since.elapsed() >= limit
            && is_drawing
        {
            self.slow_label.get_or_insert(label.text);
        }
    }
}

/// Whether a frame is drawn at this count of turns.
pub(super) fn is_odd(turns: u64) -> bool {
    turns % 2 == 1
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A number for each thread, from 1.
fn thread_number() -> u64 {
    // Only the number counts.
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NUMBER: u64 = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    }
    NUMBER.with(|number| *number)
}

/// The system's id of this thread, on Linux.
fn system_id() -> Option<u32> {
    // `PID/task/TID`.
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}
