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

    /// From the end of the work to the frame that shows it, or until now; `None` before that, and
    /// where it took no time that a person sees.
    pub fn late_result(&self) -> Option<Gap> {
        let began = self.ended?;
        let late = Gap {
            began,
            ended: self.shown.unwrap_or(self.now),
            kind: GapKind::Resting,
        };
        (late.length() > FROZEN).then_some(late)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: Fact = Fact::DidBegin { hidden: false };
    const UNSEEN: Fact = Fact::DidBegin { hidden: true };
    const BEAT: Fact = Fact::Beat { cpu_ns: 0 };

    fn line(script: Script, facts: &[(u64, Fact)]) -> FrameLine {
        let mut line = FrameLine::new(script);
        for (at_ms, fact) in facts {
            line.take(&Stamped {
                at_ns: at_ms * 1_000_000,
                fact: fact.clone(),
            });
        }
        line
    }

    fn kinds(line: &FrameLine) -> Vec<GapKind> {
        line.gaps().map(|gap| gap.kind).collect()
    }

    #[test]
    fn only_a_window_that_is_asked_for_something_is_frozen() {
        use GapKind::{Answering, Frozen, Resting};
        let facts = [
            (0, SHOWN),
            (400, SHOWN),
            (401, Fact::DidStart),
            (450, SHOWN),
            (900, BEAT),
        ];
        let probed = line(Script::Probed, &facts);
        assert_eq!(kinds(&probed), [Resting, Answering, Frozen]);
        assert!(probed.is_frozen());
        let untouched = line(Script::Untouched, &facts);
        assert_eq!(kinds(&untouched), [Resting, Answering, Resting]);
        assert!(!untouched.is_frozen());
    }

    #[test]
    fn a_window_that_does_not_close_is_frozen() {
        let asked = [
            (0, SHOWN),
            (1, Fact::DidStart),
            (2, Fact::DidAskToClose),
            (900, BEAT),
        ];
        let closing = line(Script::Closed, &asked);
        assert_eq!(kinds(&closing), [GapKind::Frozen]);
    }

    #[test]
    fn what_nobody_can_see_is_not_frozen() {
        let facts = [(0, Fact::DidStart), (1, UNSEEN), (900, SHOWN)];
        let hidden = line(Script::Probed, &facts);
        assert_eq!(kinds(&hidden), [GapKind::Hidden, GapKind::Answering]);
    }

    #[test]
    fn gaps_older_than_what_is_plotted_are_forgotten_and_a_long_one_is_kept_whole() {
        let mut facts: Vec<_> = (0..1_000).map(|frame| (frame * 10, SHOWN)).collect();
        let many = line(Script::Probed, &facts);
        // Those of five seconds, the one that began before them, and the one that grows.
        assert_eq!(many.gaps().count(), 502);
        facts = vec![(0, Fact::DidStart), (0, SHOWN), (60_000, SHOWN)];
        let long = line(Script::Probed, &facts);
        let longest = long.longest(GapKind::Frozen).unwrap();
        assert_eq!(longest.length(), Duration::from_mins(1));
    }

    #[test]
    fn a_result_is_late_until_it_is_shown() {
        let ended = [(0, Fact::DidStart), (100, Fact::DidEnd), (150, BEAT)];
        assert_eq!(line(Script::Untouched, &ended).late_result(), None);
        let waiting = [&ended[..], &[(900, BEAT)]].concat();
        let late = line(Script::Untouched, &waiting).late_result().unwrap();
        assert_eq!(late.length(), Duration::from_millis(800));
        let shown = [&waiting[..], &[(1_000, Fact::DidShow), (9_000, BEAT)]].concat();
        let late = line(Script::Untouched, &shown).late_result().unwrap();
        assert_eq!(late.length(), Duration::from_millis(900));
    }

    #[test]
    fn the_watcher_is_on_the_twin_s_clock() {
        let mut line = line(Script::Probed, &[(50, BEAT)]);
        let ms = Duration::from_millis;
        line.watch(ms(1_090), ms(3)); // told 40 ms ago
        line.take(&Stamped {
            at_ns: 100_000_000,
            fact: BEAT,
        });
        line.watch(ms(1_101), ms(4)); // told just now
        let frames: Vec<_> = line.watcher().collect();
        assert_eq!(frames, [(ms(89), ms(3)), (ms(100), ms(4))]);
    }
}
