//! What a twin tells while it runs, and how it is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};
use serde::{Deserialize, Serialize};

use super::cpu;

/// Something that happened in a twin, with its time since the twin began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// What.
    pub fact: Fact,
}

impl Stamped {
    /// When.
    pub fn at(&self) -> Duration {
        Duration::from_nanos(self.at_ns)
    }
}

/// What can happen in a twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// The window has drawn its first frame.
    DidOpen(Display),
    /// A frame began.
    DidBegin {
        /// Whether nobody can see it.
        hidden: bool,
    },
    /// The frame was drawn.
    DidDraw {
        /// The time of the UI thread on a processor since the frame before, in nanoseconds.
        cpu_ns: u64,
        /// Whether there is other text in it than in the frame before.
        changed: bool,
    },
    /// `Start` was clicked.
    DidStart,
    /// A thread has done so many small steps of the work.
    DidSteps {
        /// Of this thread alone.
        steps: u64,
    },
    /// The work has ended.
    DidEnd,
    /// The result is in the picture that is being drawn, for the first time.
    DidShow,
    /// The probe's stamp was read.
    DidAnswer {
        /// How old it was, in nanoseconds.
        waited_ns: u64,
    },
    /// The script has clicked on the counter.
    DidClick,
    /// The counter shows so many clicks.
    DidCount {
        /// All of them.
        clicks: u64,
    },
    /// The window was asked to close.
    DidAskToClose,
    /// The mouse was moved, which makes any window draw a frame.
    DidMoveMouse,
    /// The window has closed.
    DidClose,
    /// The twin is there; told also while its window is frozen.
    Beat {
        /// The time of the whole process on processors so far, in nanoseconds.
        cpu_ns: u64,
    },
    /// What the threads have used of the processors so far.
    DidUse {
        /// Those there are.
        threads: Vec<ThreadTime>,
    },
    /// Facts are missing, because nobody has read them for too long.
    DidMiss {
        /// How many.
        facts: u64,
    },
    /// The script is at its end.
    Over,
}

/// What a window is drawn with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// How often its screen shows a new picture, if the window system says so.
    pub refresh_millihertz: Option<u32>,
    /// What draws, as it calls itself.
    pub renderer: Option<String>,
}

/// What a thread has used of a processor since it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadTime {
    /// By which the system knows it.
    pub id: u32,
    /// What it is called.
    pub name: String,
    /// In nanoseconds.
    pub cpu_ns: u64,
}

/// Where everything in a twin writes down what happens. Clones write to the same place.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    origin: Instant,
    facts: Sender<Stamped>,
    missed: AtomicU64,
    did_end: AtomicBool,
    did_show: AtomicBool,
}

impl Log {
    /// A log whose facts come out of the other end of `facts`.
    pub(super) fn new(facts: Sender<Stamped>) -> Self {
        Self(Arc::new(Inner {
            origin: Instant::now(),
            facts,
            missed: AtomicU64::new(0),
            did_end: AtomicBool::new(false),
            did_show: AtomicBool::new(false),
        }))
    }

    /// Never waits: what there is no room for is missing, and [counted](Self::take_missed).
    pub(super) fn note(&self, fact: Fact) {
        let sent = self.0.facts.try_send(self.stamp(fact));
        if let Err(TrySendError::Full(_)) = sent {
            self.0.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn stamp(&self, fact: Fact) -> Stamped {
        let at_ns = self.0.origin.elapsed().as_nanos();
        let at_ns = u64::try_from(at_ns).unwrap_or(u64::MAX);
        Stamped { at_ns, fact }
    }

    /// How many facts are missing since this was asked last.
    pub(super) fn take_missed(&self) -> u64 {
        self.0.missed.swap(0, Ordering::Relaxed)
    }

    /// Notes what each thread has used of the processors.
    pub(super) fn note_threads(&self) {
        let threads = cpu::of_threads();
        self.note(Fact::DidUse { threads });
    }

    /// The work has ended: noted once.
    pub(super) fn note_end(&self) {
        if !self.0.did_end.swap(true, Ordering::AcqRel) {
            // While those that did it are still there.
            self.note_threads();
            self.note(Fact::DidEnd);
        }
    }

    /// The result is in the picture: noted once.
    pub(super) fn note_show(&self) {
        if !self.0.did_show.swap(true, Ordering::AcqRel) {
            self.note(Fact::DidShow);
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.did_end.load(Ordering::Acquire)
    }

    pub(super) fn has_shown(&self) -> bool {
        self.0.did_show.load(Ordering::Acquire)
    }
}
