//! The frames of one run over time, as a plot shows them.

use std::time::Duration;

use super::fact::{Fact, Stamped};
use super::gap::{Gap, GapKind, MIN_FREEZE};
use super::pattern::Scenario;

/// The plotted time of a live run: the newest. A run that has ended is plotted whole.
pub const MAX_LIVE_PLOT: Duration = Duration::from_secs(5);

/// The plotted time before the click on `Start`, unless the run is longer than the plot.
pub const PLOT_LEAD: Duration = Duration::from_millis(500);

/// The maximum of gaps, and of watcher frames, older than [`MAX_LIVE_PLOT`]: more than a plot has
/// pixels. Beyond that, the longer ones are kept.
const MAX_OLD: usize = 8 * 1024;

/// The frames of a twin, and beside them those of the window that watches it. Times count from the
/// twin's start.
#[derive(Clone, Debug)]
pub struct FrameLine {
    scenario: Scenario,
    now: Duration,
    gaps: Vec<Gap>,
    /// The beginning of the newest frame, and whether it is hidden.
    open: Option<(Duration, bool)>,
    watcher: Vec<(Duration, Duration)>,
    /// The watcher's clock minus the twin's: the best estimate so far.
    clock_offset: Option<Duration>,
    asked_to_close: Option<Duration>,
    /// The time of the click on `Start`.
    pub started: Option<Duration>,
    /// The end of the work.
    pub ended: Option<Duration>,
    /// The time at which the result was shown.
    pub shown: Option<Duration>,
    /// Whether the run goes on.
    pub is_live: bool,
}

impl FrameLine {
    /// The line of a run that has just begun.
    pub fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            now: Duration::ZERO,
            gaps: Vec::new(),
            open: None,
            watcher: Vec::new(),
            clock_offset: None,
            asked_to_close: None,
            started: None,
            ended: None,
            shown: None,
            is_live: true,
        }
    }

    /// Adds a fact from the twin.
    pub fn apply(&mut self, fact: &Stamped) {
        let at = fact.at();
        self.now = self.now.max(at);
        match fact.fact {
            Fact::DidBegin { hidden } => {
                self.gaps.extend(self.open_gap());
                self.open = Some((at, hidden));
                let since = self.now.saturating_sub(MAX_LIVE_PLOT);
                halve_old_items(&mut self.gaps, |gap| gap.ended < since, Gap::length);
            }
            Fact::DidStart => {
                if self.started.is_some() {
                    // By hand, `Start` is clicked again: what is shown is of the last time.
                    self.gaps.retain(|gap| gap.ended + PLOT_LEAD >= at);
                }
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

    /// Adds a frame of the watching window, which was drawn at `now` on that window's clock.
    pub fn watch(&mut self, now: Duration, latency: Duration) {
        let offset = now.saturating_sub(self.now);
        // Facts arrive late by a varying delay, so the smallest offset is the best estimate.
        let offset = self.clock_offset.map_or(offset, |known| known.min(offset));
        self.clock_offset = Some(offset);
        self.watcher.push((now, latency));
        let since = now.saturating_sub(MAX_LIVE_PLOT);
        halve_old_items(&mut self.watcher, |(at, _)| *at < since, |frame| frame.1);
    }

    /// The time of the newest fact.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Whether the window is frozen right now.
    pub fn is_frozen(&self) -> bool {
        let open = self.open_gap();
        self.is_live && open.is_some_and(|gap| gap.kind == GapKind::Frozen)
    }

    /// From the end of the work to the frame that shows its result, or until now; `None` before the
    /// end of the work, and if the delay is at most [`MIN_FREEZE`].
    pub fn late_result(&self) -> Option<Gap> {
        let began = self.ended?;
        let late = Gap {
            began,
            ended: self.shown.unwrap_or(self.now),
            kind: GapKind::Idle,
        };
        (late.length() > MIN_FREEZE).then_some(late)
    }

    /// The twin's gaps, oldest first. The last one may still grow.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.gaps.iter().copied().chain(self.open_gap())
    }

    pub fn longest(&self, kind: GapKind) -> Option<Gap> {
        let gaps = self.gaps().filter(|gap| gap.kind == kind);
        gaps.max_by_key(Gap::length)
    }

    /// The longest time without a frame since the click on `Start`.
    pub fn longest_since_start(&self) -> Option<Duration> {
        self.since_start().map(|gap| gap.length()).max()
    }

    /// The time for which the window was frozen since the click on `Start`; `None` before it.
    pub fn frozen_since_start(&self) -> Option<Duration> {
        self.started?;
        let frozen = self.since_start().filter(|gap| gap.kind == GapKind::Frozen);
        Some(frozen.map(|gap| gap.length()).sum())
    }

    fn since_start(&self) -> impl Iterator<Item = Gap> {
        let started = self.started;
        let gaps = self.gaps();
        gaps.filter(move |gap| started.is_some_and(|started| gap.ended > started))
    }

    /// The frames of the watching window: the time of each on the twin's clock, and its latency.
    pub fn watcher(&self) -> impl Iterator<Item = (Duration, Duration)> {
        let offset = self.clock_offset.unwrap_or_default();
        let frames = self.watcher.iter();
        frames.map(move |(at, latency)| (at.saturating_sub(offset), *latency))
    }

    /// The time that a plot shows. Once the run has ended, that is all of it from [`PLOT_LEAD`] before
    /// the click on `Start`.
    pub fn plotted(&self) -> Duration {
        let started = self.started.filter(|_| !self.is_live);
        let whole = started.map(|at| self.now.saturating_sub(at) + PLOT_LEAD);
        whole.unwrap_or(MAX_LIVE_PLOT).max(MAX_LIVE_PLOT)
    }

    fn open_gap(&self) -> Option<Gap> {
        let (began, hidden) = self.open?;
        let ended = self.now;
        let is_long = ended.saturating_sub(began) > MIN_FREEZE;
        let kind = match self.scenario {
            _ if hidden => GapKind::Hidden,
            _ if is_long && self.started.is_none() => GapKind::Idle,
            Scenario::Probed if is_long => GapKind::Frozen,
            _ if is_long && self.asked_to_close.is_some() => GapKind::Frozen,
            _ if is_long => GapKind::Idle,
            _ => GapKind::Responsive,
        };
        Some(Gap { began, ended, kind })
    }
}

/// Halves the old items if there are too many: keeps the longer one of each pair, and both if both
/// are freezes. A dropped gap is narrower than a pixel and lower than its neighbour.
fn halve_old_items<T: Copy>(
    items: &mut Vec<T>,
    is_old: impl Fn(&T) -> bool,
    length: impl Fn(&T) -> Duration,
) {
    if items.len() <= MAX_OLD {
        return;
    }
    let old = items.partition_point(is_old);
    if old <= MAX_OLD {
        return;
    }
    let recent = items.split_off(old);
    let is_long = |item: &T| length(item) > MIN_FREEZE;
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

    const VISIBLE: Fact = Fact::DidBegin { hidden: false };
    const HIDDEN: Fact = Fact::DidBegin { hidden: true };
    const HEARTBEAT: Fact = Fact::Heartbeat { cpu_ns: 0 };

    fn line(scenario: Scenario, facts: &[(u64, Fact)]) -> FrameLine {
        let mut line = FrameLine::new(scenario);
        for (at_ms, fact) in facts {
            line.apply(&Stamped {
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
    fn only_a_window_with_input_is_frozen() {
        use GapKind::{Frozen, Idle, Responsive};
        let facts = [
            (0, VISIBLE),
            (400, VISIBLE),
            (401, Fact::DidStart),
            (450, VISIBLE),
            (900, HEARTBEAT),
        ];
        let probed = line(Scenario::Probed, &facts);
        assert_eq!(kinds(&probed), [Idle, Responsive, Frozen]);
        assert!(probed.is_frozen());
        let untouched = line(Scenario::Untouched, &facts);
        assert_eq!(kinds(&untouched), [Idle, Responsive, Idle]);
        assert!(!untouched.is_frozen());
    }

    #[test]
    fn window_that_does_not_close_is_frozen() {
        let asked = [
            (0, VISIBLE),
            (1, Fact::DidStart),
            (2, Fact::DidAskToClose),
            (900, HEARTBEAT),
        ];
        let closing = line(Scenario::Closed, &asked);
        assert_eq!(kinds(&closing), [GapKind::Frozen]);
    }

    #[test]
    fn hidden_window_is_not_frozen() {
        let facts = [(0, Fact::DidStart), (1, HIDDEN), (900, VISIBLE)];
        let hidden = line(Scenario::Probed, &facts);
        assert_eq!(kinds(&hidden), [GapKind::Hidden, GapKind::Responsive]);
    }

    #[test]
    fn old_gaps_are_halved_but_freezes_are_kept() {
        let frames = |from: u64, count: u64| (0..count).map(move |frame| (from + frame, VISIBLE));
        let start = [(0, Fact::DidStart)];
        // A hundred seconds at 1000 frames a second, after two freezes of a second.
        let frozen = [(1_000, VISIBLE), (2_000, VISIBLE)];
        let facts = start.into_iter().chain(frames(0, 1)).chain(frozen);
        let facts: Vec<_> = facts.chain(frames(2_001, 100_000)).collect();
        let mut line = line(Scenario::Probed, &facts);
        let since = line.now().saturating_sub(MAX_LIVE_PLOT);
        let recent = line.gaps().filter(|gap| gap.ended >= since);
        assert_eq!(
            recent.count(),
            5_002,
            "one each millisecond, and the open one"
        );
        assert!(line.gaps().count() <= 2 * MAX_OLD + 5_002);
        let frozen = line.gaps().filter(|gap| gap.kind == GapKind::Frozen);
        assert_eq!(frozen.count(), 2);
        assert_eq!(line.plotted(), MAX_LIVE_PLOT);
        line.is_live = false;
        assert_eq!(line.plotted(), line.now() + PLOT_LEAD);
    }

    #[test]
    fn long_gap_is_kept_whole() {
        let facts = [(0, Fact::DidStart), (0, VISIBLE), (60_000, VISIBLE)];
        let longest = line(Scenario::Probed, &facts).longest(GapKind::Frozen);
        assert_eq!(longest.unwrap().length(), Duration::from_mins(1));
    }

    #[test]
    fn short_run_is_plotted_at_full_width() {
        let facts = [(0, VISIBLE), (10, Fact::DidStart), (900, VISIBLE)];
        let mut line = line(Scenario::Probed, &facts);
        line.is_live = false;
        assert_eq!(line.plotted(), MAX_LIVE_PLOT);
    }

    #[test]
    fn result_is_late_until_it_is_shown() {
        let ended = [(0, Fact::DidStart), (100, Fact::DidEnd), (150, HEARTBEAT)];
        assert_eq!(line(Scenario::Untouched, &ended).late_result(), None);
        let waiting = [&ended[..], &[(900, HEARTBEAT)]].concat();
        let late = line(Scenario::Untouched, &waiting).late_result().unwrap();
        assert_eq!(late.length(), Duration::from_millis(800));
        let shown = [&waiting[..], &[(1_000, Fact::DidShow), (9_000, HEARTBEAT)]].concat();
        let late = line(Scenario::Untouched, &shown).late_result().unwrap();
        assert_eq!(late.length(), Duration::from_millis(900));
    }

    #[test]
    fn watcher_frames_are_on_the_twins_clock() {
        let mut line = line(Scenario::Probed, &[(50, HEARTBEAT)]);
        let ms = Duration::from_millis;
        line.watch(ms(1_090), ms(3)); // the fact is 40 ms old
        line.apply(&Stamped {
            at_ns: 100_000_000,
            fact: HEARTBEAT,
        });
        line.watch(ms(1_101), ms(4)); // the fact is new
        let frames: Vec<_> = line.watcher().collect();
        assert_eq!(frames, [(ms(89), ms(3)), (ms(100), ms(4))]);
    }
}
