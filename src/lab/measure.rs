//! Computes the figures of a run from its facts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cpu::ThreadTime;
use super::fact::{Fact, Stamped};
use super::figures::{Clicks, Figures, ThreadCpu, TwinOutcome};
use super::gap::{MAX_CLICK_LATENCY, MIN_FREEZE, THRESHOLDS};
use super::sparkline::Sparkline;
use crate::record::statistics::{Spread, millis};

/// The maximum of thread names listed.
const MAX_THREAD_NAMES: usize = 6;

/// The least processor time of a thread name to be listed.
const MIN_CPU_MS: f64 = 1.0;

impl Figures {
    /// The figures of a run; `None` if `Start` was never clicked.
    pub fn of(facts: &[Stamped], ending: TwinOutcome) -> Option<Self> {
        let run = Measurement::of(facts)?;
        let gaps = run.gaps();
        let frozen = gaps.iter().filter(|gap| **gap > MIN_FREEZE).sum();
        let watched = run.watched();
        let per_sec = |count: usize| count as f64 / watched.as_secs_f64().max(f64::EPSILON);
        Some(Self {
            gaps_above: THRESHOLDS.map(|line| gaps.iter().filter(|gap| **gap > line).count()),
            frame_gap_ms: Spread::of(gaps),
            frame_ms: Spread::of(run.frame_times()),
            input_latency_ms: Spread::of(run.input_latencies()),
            frozen_ms: millis(frozen),
            time_to_result_ms: run.time_to_result().map(millis),
            step_us: run.step_time().map(|time| millis(time) * 1e3),
            needed_input: run.needed_input(),
            time_to_close_ms: run.time_to_close(&ending).map(millis),
            ui_cpu_ms: millis(run.ui_cpu()),
            process_cpu_ms: millis(run.process_cpu()),
            threads: run.threads(),
            watched_ms: millis(watched),
            repaints_per_sec: per_sec(run.draws(|_| true)),
            idle_repaints_per_sec: per_sec(run.draws(|changed| !changed)),
            clicks: run.clicks(),
            because: None,
            sparkline: run.sparkline(),
            was_hidden: run.frames().any(|((_, hidden), _)| hidden),
            ending,
        })
    }
}

/// The facts of a run, with its milestones.
struct Measurement<'a> {
    before: &'a [Stamped],
    /// From the frame with the click on `Start` on.
    facts: &'a [Stamped],
    started: Duration,
    ended: Option<Duration>,
    shown: Option<Duration>,
    last: Duration,
}

impl<'a> Measurement<'a> {
    /// `None` if `Start` was never clicked.
    fn of(facts: &'a [Stamped]) -> Option<Self> {
        let at = facts.iter().position(|fact| fact.fact == Fact::DidStart)?;
        let is_begin = |fact: &Stamped| matches!(fact.fact, Fact::DidBegin { .. });
        let frame = facts[..at].iter().rposition(is_begin).unwrap_or(at);
        let last = facts.last()?.at();
        let over = facts.iter().find(|fact| fact.fact == Fact::Over);
        let mut run = Self {
            before: &facts[..frame],
            facts: &facts[frame..],
            started: facts[at].at(),
            ended: None,
            shown: None,
            last: over.map_or(last, Stamped::at),
        };
        run.ended = run.first(&Fact::DidEnd);
        run.shown = run.first(&Fact::DidShow);
        Some(run)
    }

    fn first(&self, wanted: &Fact) -> Option<Duration> {
        let found = self.facts.iter().find(|fact| fact.fact == *wanted);
        found.map(Stamped::at)
    }

    /// From the click on `Start` to the end.
    fn watched(&self) -> Duration {
        self.last.saturating_sub(self.started)
    }

    /// The frame gaps that begin before the result is shown. A freeze is a frame gap above
    /// [`MIN_FREEZE`]. There are no gaps without input: a window that gets
    /// no input may stay idle. The gap after the last frame counts until the last fact.
    fn gaps(&self) -> Vec<Duration> {
        if self.first(&Fact::DidClick).is_none() {
            return Vec::new();
        }
        let until = self.shown.unwrap_or(self.last);
        let counted = self
            .frames()
            .filter(|((began, hidden), _)| !hidden && *began <= until);
        counted
            .map(|((began, _), next)| next.saturating_sub(began))
            .collect()
    }

    /// The beginning of each frame, whether it was hidden, and the beginning of the next.
    fn frames(&self) -> impl Iterator<Item = ((Duration, bool), Duration)> {
        let begins = self.facts.iter().filter_map(|fact| match fact.fact {
            Fact::DidBegin { hidden } => Some((fact.at(), hidden)),
            _ => None,
        });
        let nexts = begins.clone().map(|(at, _)| at).skip(1);
        begins.zip(nexts.chain([self.last]))
    }

    /// All frames, also those of a window without input.
    fn sparkline(&self) -> Sparkline {
        let clicked = self.first(&Fact::DidClick).map(|_| self.started);
        let input_from = clicked.or_else(|| self.first(&Fact::DidAskToClose));
        let frames = self.frames().map(|((began, _), next)| [began, next]);
        let watched = frames.filter(|[began, _]| *began < self.last);
        Sparkline::of([self.started, self.last], input_from, watched)
    }

    /// The drawing time of each frame until the result is shown.
    fn frame_times(&self) -> Vec<Duration> {
        let until = self.shown.unwrap_or(self.last);
        let mut began = None;
        let mut times = Vec::new();
        for fact in self.facts.iter().take_while(|fact| fact.at() <= until) {
            match fact.fact {
                Fact::DidBegin { .. } => began = Some(fact.at()),
                Fact::DidDraw { .. } => {
                    let began = began.take();
                    times.extend(began.map(|began| fact.at().saturating_sub(began)));
                }
                _ => {}
            }
        }
        times
    }

    fn input_latencies(&self) -> Vec<Duration> {
        let answers = self.facts.iter().filter_map(|fact| match fact.fact {
            Fact::DidAnswer { waited_ns } => Some(Duration::from_nanos(waited_ns)),
            _ => None,
        });
        answers.collect()
    }

    fn time_to_result(&self) -> Option<Duration> {
        let shown = self.shown?;
        Some(shown.saturating_sub(self.ended.unwrap_or(shown)))
    }

    /// The time of all threads that did small steps, divided by the number of steps.
    fn step_time(&self) -> Option<Duration> {
        let steps = self.facts.iter().filter_map(|fact| match fact.fact {
            Fact::DidSteps { steps } => Some(steps),
            _ => None,
        });
        let (threads, steps) = steps.fold((0_u32, 0_u64), |(threads, all), steps| {
            (threads + 1, all.saturating_add(steps))
        });
        let worked = self.ended?.saturating_sub(self.started);
        let worked = worked.saturating_mul(threads);
        let nanos = u64::try_from(worked.as_nanos()).unwrap_or(u64::MAX);
        (steps > 0).then(|| Duration::from_secs_f64(nanos as f64 / steps as f64 / 1e9))
    }

    fn needed_input(&self) -> bool {
        self.first(&Fact::DidMoveMouse)
            .is_some_and(|moved| self.shown.is_none_or(|shown| shown >= moved))
    }

    fn time_to_close(&self, ending: &TwinOutcome) -> Option<Duration> {
        let asked = self.first(&Fact::DidAskToClose)?;
        let closed = self.first(&Fact::DidClose);
        let closed = closed.or((*ending == TwinOutcome::Killed).then_some(self.last));
        closed.map(|closed| closed.saturating_sub(asked))
    }

    fn watched_facts(&self) -> impl Iterator<Item = &'a Stamped> {
        let last = self.last;
        self.facts.iter().take_while(move |fact| fact.at() <= last)
    }

    /// The number of drawn frames whose `changed` passes the filter.
    fn draws(&self, filter: impl Fn(bool) -> bool) -> usize {
        let drawn = self.watched_facts().filter(|fact| match fact.fact {
            Fact::DidDraw { changed, .. } => filter(changed),
            _ => false,
        });
        drawn.count()
    }

    fn ui_cpu(&self) -> Duration {
        let used = self.watched_facts().filter_map(|fact| match fact.fact {
            Fact::DidDraw { cpu_ns, .. } => Some(cpu_ns),
            _ => None,
        });
        Duration::from_nanos(used.fold(0, u64::saturating_add))
    }

    fn process_cpu(&self) -> Duration {
        let mut heartbeats = self.watched_facts().filter_map(|fact| match fact.fact {
            Fact::Heartbeat { cpu_ns } => Some(cpu_ns),
            _ => None,
        });
        let first = heartbeats.next().unwrap_or(0);
        let last = heartbeats.last().unwrap_or(first);
        Duration::from_nanos(last.saturating_sub(first))
    }

    /// The highest time seen of each thread, less what it had used before the click on `Start`.
    fn threads(&self) -> Vec<ThreadCpu> {
        let mut used = BTreeMap::new();
        for thread in self.watched_facts().filter_map(thread_times).flatten() {
            let (_, cpu_ns) = used.entry(thread.id).or_insert((&thread.name, 0));
            *cpu_ns = thread.cpu_ns.max(*cpu_ns);
        }
        let before = self.before.iter().filter_map(thread_times).next_back();
        for thread in before.unwrap_or_default() {
            if let Some((_, cpu_ns)) = used.get_mut(&thread.id) {
                *cpu_ns = cpu_ns.saturating_sub(thread.cpu_ns);
            }
        }
        let mut named: BTreeMap<&String, ThreadCpu> = BTreeMap::new();
        for (name, cpu_ns) in used.into_values() {
            let all = named.entry(name).or_insert_with(|| ThreadCpu {
                name: name.clone(),
                threads: 0,
                cpu_ms: 0.0,
            });
            all.threads += 1;
            all.cpu_ms += millis(Duration::from_nanos(cpu_ns));
        }
        let mut named: Vec<_> = named.into_values().collect();
        named.retain(|thread| thread.cpu_ms >= MIN_CPU_MS);
        named.sort_by(|a, b| b.cpu_ms.total_cmp(&a.cpu_ms));
        named.truncate(MAX_THREAD_NAMES);
        named
    }

    /// Clicks that wait for the same frame count as one, as for every egui button; the others are
    /// lost.
    fn clicks(&self) -> Clicks {
        let mut clicks = Clicks::default();
        let (mut waiting, mut due) = (Vec::new(), Vec::new());
        for fact in self.facts {
            match fact.fact {
                Fact::DidClick => {
                    clicks.made += 1;
                    waiting.push(fact.at());
                }
                Fact::DidBegin { .. } => due.append(&mut waiting),
                Fact::DidCount { .. } => {
                    let first = due.first().copied();
                    match first.map(|made| fact.at().saturating_sub(made) <= MAX_CLICK_LATENCY) {
                        Some(true) => clicks.in_time += 1,
                        Some(false) => clicks.late += 1,
                        None => {}
                    }
                    due.clear();
                }
                _ => {}
            }
        }
        clicks.lost = clicks.made - clicks.in_time - clicks.late;
        clicks
    }
}

fn thread_times(fact: &Stamped) -> Option<&[ThreadTime]> {
    match &fact.fact {
        Fact::DidUse { threads } => Some(threads),
        _ => None,
    }
}
