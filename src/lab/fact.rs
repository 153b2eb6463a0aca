//! What a twin tells while it runs, and how it is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

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
    DidOpen {
        /// How often its screen shows a new picture, if the window system says so.
        refresh_millihertz: Option<u32>,
    },
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
    /// The script is at its end.
    Over,
}

/// Where everything in a twin writes down what happens. Clones write to the same place.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    origin: Instant,
    facts: Sender<Stamped>,
    did_end: AtomicBool,
    did_show: AtomicBool,
}

impl Log {
    /// A log whose facts come out of the other end of `facts`.
    pub(super) fn new(facts: Sender<Stamped>) -> Self {
        Self(Arc::new(Inner {
            origin: Instant::now(),
            facts,
            did_end: AtomicBool::new(false),
            did_show: AtomicBool::new(false),
        }))
    }

    pub(super) fn note(&self, fact: Fact) {
        let at_ns = self.0.origin.elapsed().as_nanos();
        let at_ns = u64::try_from(at_ns).unwrap_or(u64::MAX);
        // Never waits. Full: the Lab has not read for half a minute, and is none.
        drop(self.0.facts.try_send(Stamped { at_ns, fact }));
    }

    /// The work has ended: noted once.
    pub(super) fn note_end(&self) {
        if !self.0.did_end.swap(true, Ordering::AcqRel) {
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
