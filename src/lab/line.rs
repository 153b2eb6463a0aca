//! The frames of one run along the time, as a plot shows them.

use std::collections::VecDeque;
use std::time::Duration;

use super::fact::{Fact, Stamped};
use super::figures::FROZEN;
use super::pattern::Script;

/// How much of a run is kept for its plot.
pub const PLOTTED: Duration = Duration::from_secs(5);

/// From the beginning of a frame to that of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the frame began.
    pub began: Duration,
    /// When the next one did, or until when there was none.
    pub ended: Duration,
    /// What it means to a person.
    pub kind: GapKind,
}

impl Gap {
    /// How long it is.
    pub fn length(&self) -> Duration {
        self.ended.saturating_sub(self.began)
    }
}

/// What a gap means to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// The window answers.
    Answering,
    /// The window is asked for an answer, and there is none for longer than [`FROZEN`].
    Frozen,
    /// Nobody asks the window for anything: it may rest.
    Resting,
    /// Nobody can see the window.
    Hidden,
}

/// What a run looked like in its last seconds: the twin's frames, and beside them those of the
/// window that watches it. Times count from the twin's start.
///
/// ```
/// use std::time::Duration;
///
/// use meanwhile::lab::{Fact, FrameLine, GapKind, Script, Stamped};
///
/// let mut line = FrameLine::new(Script::Probed);
/// for (at_ms, fact) in [
///     (0, Fact::DidBegin { hidden: false }),
///     (16, Fact::DidBegin { hidden: false }),
///     (17, Fact::DidStart),
///     (2_016, Fact::Beat { cpu_ns: 0 }),
/// ] {
///     line.take(&Stamped { at_ns: at_ms * 1_000_000, fact });
/// }
/// let gaps: Vec<_> = line.gaps().collect();
/// assert_eq!(gaps[0].length(), Duration::from_millis(16));
/// assert_eq!(gaps[1].length(), Duration::from_secs(2)); // and grows
/// assert_eq!(gaps[1].kind, GapKind::Frozen);
/// ```
#[derive(Clone, Debug)]
pub struct FrameLine {
    script: Script,
    now: Duration,
    gaps: VecDeque<Gap>,
    /// The beginning of the newest frame, and whether nobody can see it.
    open: Option<(Duration, bool)>,
    watcher: VecDeque<(Duration, Duration)>,
    /// The watcher's clock is ahead of the twin's by so much, as far as is known.
    ahead: Option<Duration>,
    asked_to_close: Option<Duration>,
    /// When `Start` was clicked.
    pub started: Option<Duration>,
    /// When the work ended.
    pub ended: Option<Duration>,
    /// When its result was shown.
    pub shown: Option<Duration>,
    /// Whether the run goes on.
    pub is_live: bool,
}

impl FrameLine {
    /// That of a run that has just begun, and is played so.
    pub fn new(script: Script) -> Self {
        Self {
            script,
            now: Duration::ZERO,
            gaps: VecDeque::new(),
            open: None,
            watcher: VecDeque::new(),
            ahead: None,
            asked_to_close: None,
            started: None,
            ended: None,
            shown: None,
            is_live: true,
        }
    }

    /// Takes in what the twin tells.
    pub fn take(&mut self, told: &Stamped) {
        let at = told.at();
        self.now = self.now.max(at);
        match told.fact {
            Fact::DidBegin { hidden } => {
                self.gaps.extend(self.open_gap());
                self.open = Some((at, hidden));
                let since = self.since();
                while self.gaps.front().is_some_and(|gap| gap.ended < since) {
                    self.gaps.pop_front();
                }
            }
            Fact::DidStart => {
                self.started = Some(at);
                (self.ended, self.shown) = (None, None);
            }
            Fact::DidEnd => self.ended = Some(at),
            Fact::DidShow => self.shown = Some(at),
            Fact::DidAskToClose => self.asked_to_close = Some(at),
            Fact::DidClose => {
                self.gaps.extend(self.open_gap());
                self.open = None;
            }
            _ => {}
        }
    }

    /// Adds a frame of the watching window: when it was drawn, on its own clock, and how long it
    /// was owed by then.
    pub fn watch(&mut self, now: Duration, owed: Duration) {
        let ahead = now.saturating_sub(self.now);
        // What the twin told last is a moment old: the least that was seen is nearest to the truth.
        let ahead = self.ahead.map_or(ahead, |before| before.min(ahead));
        self.ahead = Some(ahead);
        self.watcher.push_back((now, owed));
        let since = now.saturating_sub(PLOTTED);
        while self.watcher.front().is_some_and(|(at, _)| *at < since) {
            self.watcher.pop_front();
        }
    }

    /// The time of the last news.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Whether the newest frame froze, and the window does so still.
    pub fn is_frozen(&self) -> bool {
        let open = self.open_gap();
        self.is_live && open.is_some_and(|gap| gap.kind == GapKind::Frozen)
    }

    /// The twin's gaps, oldest first; the last is the one that still grows, if one does.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.gaps.iter().copied().chain(self.open_gap())
    }

    /// The longest of them of this kind.
    pub fn longest(&self, kind: GapKind) -> Option<Gap> {
        let gaps = self.gaps().filter(|gap| gap.kind == kind);
        gaps.max_by_key(Gap::length)
    }

    /// When the watching window drew its frames, on the twin's clock, and how long each was owed.
    pub fn watcher(&self) -> impl Iterator<Item = (Duration, Duration)> {
        let ahead = self.ahead.unwrap_or_default();
        let frames = self.watcher.iter();
        frames.map(move |(at, owed)| (at.saturating_sub(ahead), *owed))
    }

    fn since(&self) -> Duration {
        self.now.saturating_sub(PLOTTED)
    }

    fn open_gap(&self) -> Option<Gap> {
        let (began, hidden) = self.open?;
        let ended = self.now;
        let is_long = ended.saturating_sub(began) > FROZEN;
        let kind = match self.script {
            _ if hidden => GapKind::Hidden,
            _ if is_long && self.started.is_none() => GapKind::Resting,
            Script::Probed if is_long => GapKind::Frozen,
            _ if is_long && self.asked_to_close.is_some() => GapKind::Frozen,
            _ if is_long => GapKind::Resting,
            _ => GapKind::Answering,
        };
        Some(Gap { began, ended, kind })
    }
}
