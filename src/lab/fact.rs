//! The facts that a twin reports while it runs, and the log that collects them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};
use serde::{Deserialize, Serialize};

use super::cpu::{self, ThreadTime};

/// A fact with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Nanoseconds since the twin began.
    pub at_ns: u64,
    pub fact: Fact,
}

impl Stamped {
    pub fn at(&self) -> Duration {
        Duration::from_nanos(self.at_ns)
    }
}

/// Something that happened in a twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// The window drew its first frame.
    DidOpen(Display),
    DidBegin {
        /// Whether the window is hidden.
        hidden: bool,
    },
    DidDraw {
        /// Processor time of the UI thread since the frame before, in nanoseconds.
        cpu_ns: u64,
        /// Whether its text differs from that of the frame before.
        changed: bool,
    },
    /// A frame lasts too long, or has ended after that. Its number is the same both times.
    IsLate {
        number: u64,
        /// So far, or in total; in nanoseconds.
        lasted_ns: u64,
        has_ended: bool,
        /// What the UI thread did, if that is known.
        cause: Option<LateCause>,
    },
    /// How often this frame was asked for. Only some frames of windows that get no input say so.
    WasAskedFor {
        times: usize,
    },
    /// `Start` was clicked.
    DidStart,
    /// A worker finished its small steps.
    DidSteps {
        steps: u64,
    },
    DidEnd,
    /// The frame being drawn is the first one with the result.
    DidShow,
    /// A frame handled an input of the probe.
    DidAnswer {
        /// The wait of the input, in nanoseconds.
        waited_ns: u64,
    },
    /// The scenario clicked the counter.
    DidClick,
    /// The counter counted a click.
    DidCount {
        /// The clicks it shows.
        clicks: u64,
    },
    /// The window was asked to close.
    DidAskToClose,
    /// The mouse moved, which makes any window draw a frame.
    DidMoveMouse,
    DidClose,
    /// The twin is alive; sent also while its window is frozen.
    Heartbeat {
        /// Processor time of the whole process so far, in nanoseconds.
        cpu_ns: u64,
    },
    /// Processor times of the threads so far.
    DidUse {
        /// The threads that are alive.
        threads: Vec<ThreadTime>,
    },
    /// Facts were lost because the Lab did not read them in time.
    DidMiss {
        facts: u64,
    },
    Over,
}

/// Why a frame of a twin is late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateCause {
    /// The same for all frames that are late for the same reason.
    pub kind: String,
    /// It in words, which may have a time in them.
    pub because: String,
}

/// The screen and the renderer of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The refresh rate of the screen, if the window system reports it.
    pub refresh_millihertz: Option<u32>,
    /// The renderer's own name.
    pub renderer: Option<String>,
    /// The display server and who manages its windows, such as `Wayland (sway)`.
    pub server: Option<String>,
}

/// The log of a twin's facts. Clones write to the same log.
#[derive(Clone)]
pub struct FactLog(Arc<Inner>);

struct Inner {
    origin: Instant,
    facts: Sender<Stamped>,
    missed: AtomicU64,
    did_end: AtomicBool,
    did_show: AtomicBool,
}

impl FactLog {
    pub(super) fn new(facts: Sender<Stamped>) -> Self {
        Self(Arc::new(Inner {
            origin: Instant::now(),
            facts,
            missed: AtomicU64::new(0),
            did_end: AtomicBool::new(false),
            did_show: AtomicBool::new(false),
        }))
    }

    /// Never waits: a fact that finds no room is dropped and [counted](Self::take_missed).
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

    /// The number of facts dropped since the last call.
    pub(super) fn take_missed(&self) -> u64 {
        self.0.missed.swap(0, Ordering::Relaxed)
    }

    /// Notes the processor time of each thread.
    pub(super) fn note_threads(&self) {
        let threads = cpu::of_threads();
        self.note(Fact::DidUse { threads });
    }

    /// Notes, once, that the work ended.
    pub(super) fn note_end(&self) {
        if !self.0.did_end.swap(true, Ordering::AcqRel) {
            // Now, while the workers are still alive.
            self.note_threads();
            self.note(Fact::DidEnd);
        }
    }

    /// Notes, once, that the result is shown.
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
