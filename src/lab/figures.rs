//! What a run was like, in figures, from what its twin has told.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fact::{Fact, Stamped, ThreadTime};
use super::pattern::Judged;
use super::sketch::Sketch;
use crate::record::statistics::{Spread, millis};

/// A gap that a person takes for a frozen window, and from which frozen time is counted: J. Nielsen,
/// Usability Engineering (1993), chapter 5: up to 0.1 s the system seems to react at once.
pub const FROZEN: Duration = Duration::from_millis(100);

/// How late a click may be shown: "good" by the web's measure *Interaction to Next Paint*.
pub const CLICK_IN_TIME: Duration = Duration::from_millis(200);

/// The lines in every plot, and what lies above each: a frame at 60 Hz, the RAIL model's chunk of
/// work, Nielsen's "instant", INP's "good", Nielsen's flow of thought, and where desktops declare a
/// window hung.
pub const THRESHOLDS: [Duration; 6] = [
    Duration::from_micros(16_667),
    Duration::from_millis(50),
    FROZEN,
    CLICK_IN_TIME,
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// Of how many threads it is told what they used, and from which time on a processor.
const THREADS: usize = 6;
const LEAST_CPU_MS: f64 = 1.0;

/// The figures of one run, from the click on `Start` to the frame that shows the result.
///
/// Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// From the beginning of a frame to that of the next, without those that nobody could see.
    /// `None` where there were no two frames.
    pub frame_gap_ms: Option<Spread>,
    /// From the beginning of a frame until it is drawn.
    pub frame_ms: Option<Spread>,
    /// How long the probe's knocks waited for a frame; `None` where nobody knocked.
    pub input_latency_ms: Option<Spread>,
    /// The sum of the gaps above [`FROZEN`].
    pub frozen_ms: f64,
    /// How many gaps lay above each of [`THRESHOLDS`].
    pub gaps_above: [usize; THRESHOLDS.len()],
    /// From the end of the work to the frame that shows it; `None` where none did.
    pub time_to_result_ms: Option<f64>,
    /// What a small step of the work took the thread that did it, in microseconds; `None` where the
    /// work is not done in small steps.
    pub step_us: Option<f64>,
    /// Whether the result was shown only once the mouse was moved.
    pub needed_a_hand: bool,
    /// From the wish to close the window until it was closed, or until the twin was ended for it.
    pub time_to_close_ms: Option<f64>,
    /// What the UI thread used of a processor until the end of the watch.
    pub ui_cpu_ms: f64,
    /// What the whole twin used of the processors until then.
    pub process_cpu_ms: f64,
    /// What its threads did, those with the most first; those of one name count as one.
    pub threads: Vec<ThreadCpu>,
    /// How long it was watched, from the click on `Start`.
    pub watched_ms: f64,
    /// Frames drawn in that time, per second.
    pub repaints_per_sec: f64,
    /// Those with the same text as the frame before, per second.
    pub idle_repaints_per_sec: f64,
    /// What became of the clicks on the counter.
    pub clicks: Clicks,
    /// Its frame gaps along the time.
    pub frame_line: Sketch,
    /// How it came to its end.
    #[serde(skip)]
    pub ending: Ending,
}

/// What threads of one name used of the processors, from the click on `Start` on, as far as they
/// lived when the work ended or the watch did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadCpu {
    /// The name.
    pub name: String,
    /// How many had it.
    pub threads: usize,
    /// All of them together.
    pub cpu_ms: f64,
}

/// What became of the clicks on the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clicks {
    /// How many there were.
    pub made: usize,
    /// Shown within [`CLICK_IN_TIME`].
    pub in_time: usize,
    /// Shown later.
    pub late: usize,
    /// Never shown.
    pub lost: usize,
}

/// How a run came to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The script was played to its end.
    #[default]
    Finished,
    /// The window did not come to its end in its time, and was ended.
    Ended,
    /// The twin went away by itself before: how, in words, and what it printed last.
    Died(String),
    /// Somebody stopped the run.
    Stopped,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("it went to its end"),
            Self::Ended => f.write_str("it did not come to its end, and was ended"),
            Self::Died(how) => f.write_str(how),
            Self::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl Figures {
    /// The figures of a run; `None` when `Start` was never clicked.
    pub fn of(facts: &[Stamped], ending: Ending) -> Option<Self> {
        let trace = Trace::of(facts)?;
        let gaps = trace.gaps();
        let frozen = gaps.iter().filter(|gap| **gap > FROZEN).sum();
        let watched = trace.last.saturating_sub(trace.started);
        let per_sec = |count: usize| count as f64 / watched.as_secs_f64().max(f64::EPSILON);
        let after_end =
            |shown: Duration| millis(shown.saturating_sub(trace.ended.unwrap_or(shown)));
        Some(Self {
            gaps_above: THRESHOLDS.map(|line| gaps.iter().filter(|gap| **gap > line).count()),
            frame_gap_ms: Spread::of(gaps),
            frame_ms: Spread::of(trace.frame_times()),
            input_latency_ms: Spread::of(trace.latencies()),
            frozen_ms: millis(frozen),
            time_to_result_ms: trace.shown.map(after_end),
            step_us: trace.step_time().map(|time| millis(time) * 1e3),
            needed_a_hand: trace.needed_a_hand(),
            time_to_close_ms: trace.time_to_close(&ending).map(millis),
            ui_cpu_ms: millis(trace.ui_cpu()),
            process_cpu_ms: millis(trace.process_cpu()),
            threads: trace.threads(),
            watched_ms: millis(watched),
            repaints_per_sec: per_sec(trace.draws(|_| true)),
            idle_repaints_per_sec: per_sec(trace.draws(|changed| !changed)),
            clicks: trace.clicks(),
            frame_line: trace.sketch(),
            ending,
        })
    }

    /// The figure that a pattern is about; less is better.
    pub fn judged_by(&self, judged: Judged) -> Option<f64> {
        match judged {
            Judged::Frozen => Some(self.frozen_ms),
            Judged::FrameGaps => self.frame_gap_ms.map(|gaps| gaps.p95),
            Judged::TimeToResult => Some(self.time_to_result_ms.unwrap_or(f64::INFINITY)),
            Judged::IdleRepaints => Some(self.idle_repaints_per_sec),
            Judged::StepTime => self.step_us,
            Judged::TimeToClose => self.time_to_close_ms,
            Judged::Survival => Some(match self.ending {
                Ending::Died(_) => 1.0,
                _ => 0.0,
            }),
        }
    }
}

/// A run by its landmarks.
struct Trace<'a> {
    /// Everything before.
    before: &'a [Stamped],
    /// Everything since the click on `Start`, and the frame in which it was.
    facts: &'a [Stamped],
    started: Duration,
    ended: Option<Duration>,
    shown: Option<Duration>,
    last: Duration,
}

impl<'a> Trace<'a> {
    fn of(facts: &'a [Stamped]) -> Option<Self> {
        let at = facts.iter().position(|fact| fact.fact == Fact::DidStart)?;
        let is_begin = |fact: &Stamped| matches!(fact.fact, Fact::DidBegin { .. });
        let frame = facts[..at].iter().rposition(is_begin).unwrap_or(at);
        let last = facts.last()?.at();
        let over = facts.iter().find(|fact| fact.fact == Fact::Over);
        let mut trace = Self {
            before: &facts[..frame],
            facts: &facts[frame..],
            started: facts[at].at(),
            ended: None,
            shown: None,
            last: over.map_or(last, Stamped::at),
        };
        trace.ended = trace.first(&Fact::DidEnd);
        trace.shown = trace.first(&Fact::DidShow);
        Some(trace)
    }

    fn first(&self, wanted: &Fact) -> Option<Duration> {
        let found = self.facts.iter().find(|fact| fact.fact == *wanted);
        found.map(Stamped::at)
    }

    /// Those that begin before the result is shown, while somebody knocks: a window that nobody
    /// touches may rest. One that never begins another frame is frozen as long as there is news.
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

    /// When each frame began and whether nobody could see it, and when the next one did.
    fn frames(&self) -> impl Iterator<Item = ((Duration, bool), Duration)> {
        let begins = self.facts.iter().filter_map(|fact| match fact.fact {
            Fact::DidBegin { hidden } => Some((fact.at(), hidden)),
            _ => None,
        });
        let nexts = begins.clone().map(|(at, _)| at).skip(1);
        begins.zip(nexts.chain([self.last]))
    }

    /// All frames of the watch, also of a window that nobody touches.
    fn sketch(&self) -> Sketch {
        let clicked = self.first(&Fact::DidClick).map(|_| self.started);
        let asked = clicked.or_else(|| self.first(&Fact::DidAskToClose));
        let frames = self.frames().map(|((began, _), next)| [began, next]);
        let watched = frames.filter(|[began, _]| *began < self.last);
        Sketch::of([self.started, self.last], asked, watched)
    }

    /// Those until the result is shown.
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

    fn latencies(&self) -> Vec<Duration> {
        let answers = self.facts.iter().filter_map(|fact| match fact.fact {
            Fact::DidAnswer { waited_ns } => Some(Duration::from_nanos(waited_ns)),
            _ => None,
        });
        answers.collect()
    }

    /// The time of all threads that did small steps, shared out to these.
    fn step_time(&self) -> Option<Duration> {
        let steps = self.facts.iter().filter_map(|fact| match fact.fact {
            Fact::DidSteps { steps } => Some(steps),
            _ => None,
        });
        let (threads, steps) = steps.fold((0_u32, 0), |(threads, all), steps| {
            (threads + 1, all + steps)
        });
        let worked = self.ended?.saturating_sub(self.started) * threads;
        let nanos = u64::try_from(worked.as_nanos()).unwrap_or(u64::MAX);
        (steps > 0).then(|| Duration::from_secs_f64(nanos as f64 / steps as f64 / 1e9))
    }

    fn needed_a_hand(&self) -> bool {
        self.first(&Fact::DidMoveMouse)
            .is_some_and(|moved| self.shown.is_none_or(|shown| shown >= moved))
    }

    fn time_to_close(&self, ending: &Ending) -> Option<Duration> {
        let asked = self.first(&Fact::DidAskToClose)?;
        let closed = self.first(&Fact::DidClose);
        let closed = closed.or((*ending == Ending::Ended).then_some(self.last));
        closed.map(|closed| closed.saturating_sub(asked))
    }

    fn watched(&self) -> impl Iterator<Item = &'a Stamped> {
        let last = self.last;
        self.facts.iter().take_while(move |fact| fact.at() <= last)
    }

    fn draws(&self, which: impl Fn(bool) -> bool) -> usize {
        let drawn = self.watched().filter(|fact| match fact.fact {
            Fact::DidDraw { changed, .. } => which(changed),
            _ => false,
        });
        drawn.count()
    }

    fn ui_cpu(&self) -> Duration {
        let used = self.watched().filter_map(|fact| match fact.fact {
            Fact::DidDraw { cpu_ns, .. } => Some(cpu_ns),
            _ => None,
        });
        Duration::from_nanos(used.sum())
    }

    fn process_cpu(&self) -> Duration {
        let mut beats = self.watched().filter_map(|fact| match fact.fact {
            Fact::Beat { cpu_ns } => Some(cpu_ns),
            _ => None,
        });
        let first = beats.next().unwrap_or(0);
        let last = beats.last().unwrap_or(first);
        Duration::from_nanos(last.saturating_sub(first))
    }

    /// Of each thread the most it was seen with, less what it had used before.
    fn threads(&self) -> Vec<ThreadCpu> {
        let mut used = BTreeMap::new();
        for thread in self.watched().filter_map(threads_of).flatten() {
            let (_, cpu_ns) = used.entry(thread.id).or_insert((&thread.name, 0));
            *cpu_ns = thread.cpu_ns.max(*cpu_ns);
        }
        let before = self.before.iter().filter_map(threads_of).next_back();
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
        named.retain(|thread| thread.cpu_ms >= LEAST_CPU_MS);
        named.sort_by(|a, b| b.cpu_ms.total_cmp(&a.cpu_ms));
        named.truncate(THREADS);
        named
    }

    /// Several clicks that wait for the same frame count as one there, as they do for every button:
    /// the others are lost.
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
                    match first.map(|made| fact.at().saturating_sub(made) <= CLICK_IN_TIME) {
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

fn threads_of(told: &Stamped) -> Option<&[ThreadTime]> {
    match &told.fact {
        Fact::DidUse { threads } => Some(threads),
        _ => None,
    }
}
