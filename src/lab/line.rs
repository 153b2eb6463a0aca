//! The frames of one run along the time, as a plot shows them.

use std::time::Duration;

use super::fact::{Fact, Stamped};
use super::figures::FROZEN;
use super::pattern::Script;

/// How much of a run is plotted while it lasts. Once it has ended, all of it is.
pub const PLOTTED: Duration = Duration::from_secs(5);

/// How much of that lies before the click on `Start`, unless there is more to show behind it.
pub const BEFORE_START: Duration = Duration::from_millis(500);

/// How many gaps, and how many frames of the watcher, are kept of what lies before that: more than a
/// plot has pixels. Of more of them, the longer ones are kept.
const KEPT: usize = 8 * 1024;

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

/// What a run looks like: the twin's frames, and beside them those of the window that watches it.
/// Times count from the twin's start.
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
    gaps: Vec<Gap>,
    /// The beginning of the newest frame, and whether nobody can see it.
    open: Option<(Duration, bool)>,
    watcher: Vec<(Duration, Duration)>,
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
            gaps: Vec::new(),
            open: None,
            watcher: Vec::new(),
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
                let since = self.now.saturating_sub(PLOTTED);
                thin(&mut self.gaps, |gap| gap.ended < since, Gap::length);
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
        self.watcher.push((now, owed));
        let since = now.saturating_sub(PLOTTED);
        thin(&mut self.watcher, |(at, _)| *at < since, |(_, owed)| *owed);
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

    /// How much of the time a plot shows: all from [`BEFORE_START`] on, once the run has ended.
    pub fn plotted(&self) -> Duration {
        let started = self.started.filter(|_| !self.is_live);
        let whole = started.map(|at| self.now.saturating_sub(at) + BEFORE_START);
        whole.unwrap_or(PLOTTED).max(PLOTTED)
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

/// Where there are too many that are old, keeps of each two the longer one, and all that are long:
/// what is dropped is narrower than a pixel, and lower than what stands beside it.
fn thin<T: Copy>(items: &mut Vec<T>, is_old: impl Fn(&T) -> bool, length: impl Fn(&T) -> Duration) {
    if items.len() <= KEPT {
        return;
    }
    let old = items.partition_point(is_old);
    if old <= KEPT {
        return;
    }
    let recent = items.split_off(old);
    let is_long = |item: &T| length(item) > FROZEN;
    let kept = items.chunks(2).flat_map(|pair| {
        let longest = pair.iter().copied().max_by_key(&length);
        let are_long = pair.iter().all(is_long);
        let both = pair.iter().copied().filter(move |_| are_long);
        both.chain(longest.filter(|_| !are_long))
    });
    let kept: Vec<T> = kept.collect();
    *items = kept;
    items.extend(recent);
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
    fn a_line_keeps_the_last_seconds_whole_and_of_what_was_before_the_longest_gaps() {
        let frames = |from: u64, count: u64| (0..count).map(move |frame| (from + frame, SHOWN));
        let start = [(0, Fact::DidStart)];
        // Minutes at 1000 frames a second, which froze twice for a second right at the start.
        let frozen = [(1_000, SHOWN), (2_000, SHOWN)];
        let facts = start.into_iter().chain(frames(0, 1)).chain(frozen);
        let facts: Vec<_> = facts.chain(frames(2_001, 100_000)).collect();
        let mut line = line(Script::Probed, &facts);
        let since = line.now().saturating_sub(PLOTTED);
        let recent = line.gaps().filter(|gap| gap.ended >= since);
        assert_eq!(
            recent.count(),
            5_002,
            "each millisecond, and the one that grows"
        );
        assert!(line.gaps().count() <= 2 * KEPT + 5_002);
        let frozen = line.gaps().filter(|gap| gap.kind == GapKind::Frozen);
        assert_eq!(frozen.count(), 2);
        assert_eq!(line.plotted(), PLOTTED);
        line.is_live = false;
        assert_eq!(line.plotted(), line.now() + BEFORE_START);
    }

    #[test]
    fn a_long_gap_is_kept_whole() {
        let facts = [(0, Fact::DidStart), (0, SHOWN), (60_000, SHOWN)];
        let longest = line(Script::Probed, &facts).longest(GapKind::Frozen);
        assert_eq!(longest.unwrap().length(), Duration::from_mins(1));
    }

    #[test]
    fn a_short_run_is_plotted_as_long_as_any() {
        let facts = [(0, SHOWN), (10, Fact::DidStart), (900, SHOWN)];
        let mut line = line(Script::Probed, &facts);
        line.is_live = false;
        assert_eq!(line.plotted(), PLOTTED);
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
