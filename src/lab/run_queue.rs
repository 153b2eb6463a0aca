//! A queue of runs, and the records of those that have ended.

use std::collections::VecDeque;
use std::time::Duration;

use super::fact::Display;
use super::figures::{Figures, TwinOutcome};
use super::pattern::Variant;
use super::patterns::PatternId;
use super::run::{TwinRun, TwinRunOptions};
use crate::join::process::Launcher;
use crate::trace::{GroupId, Trace};

/// The maximum of records kept. The oldest are dropped first.
const MAX_RECORDS: usize = 2_000;

/// The time of a run in addition to its work, before one was measured: to open the window, to watch it and
/// to close it.
const OVERHEAD: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct RunRecord {
    pub pattern: PatternId,
    pub variant: Variant,
    pub ending: TwinOutcome,
    /// The figures; `None` if `Start` was never clicked.
    pub figures: Option<Figures>,
    /// Its group in the trace of the queue; `None` if it did not run.
    pub group: Option<GroupId>,
}

/// Runs one twin at a time: two windows at once would disturb each other's measurement.
pub struct RunQueue {
    launcher: Launcher,
    waiting: VecDeque<TwinRunOptions>,
    run: Option<TwinRun>,
    last: Option<TwinRun>,
    done: Vec<RunRecord>,
    /// The runs in `done`, a group each.
    trace: Trace,
    groups: u64,
    display: Option<Display>,
    /// The time that measured runs took in addition to their work, and how many they were.
    overhead: (Duration, u32),
}

impl RunQueue {
    /// An empty queue. `launcher` starts this program.
    pub fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            waiting: VecDeque::new(),
            run: None,
            last: None,
            done: Vec::new(),
            trace: Trace::default(),
            groups: 0,
            display: None,
            overhead: (Duration::ZERO, 0),
        }
    }

    /// Adds a run to the end of the queue.
    pub fn add(&mut self, options: TwinRunOptions) {
        self.waiting.push_back(options);
    }

    /// Reads at most `budget` facts of the current run, and starts the next one if it has ended.
    /// Returns whether [`done`](Self::done) or [`last`](Self::last) changed. Never waits.
    pub fn poll(&mut self, budget: usize) -> bool {
        let mut changed = false;
        let run = self.run.as_mut();
        if run.is_some_and(|run| run.poll(budget).is_some())
            && let Some(run) = self.run.take()
        {
            self.record(&run);
            self.last = Some(run);
            changed = true;
        }
        if self.run.is_none()
            && let Some(options) = self.waiting.pop_front()
        {
            match TwinRun::start(options, &self.launcher) {
                Ok(run) => self.run = Some(run),
                Err(error) => {
                    self.push(options, TwinOutcome::Died(error.to_string()), None, None);
                    changed = true;
                }
            }
        }
        changed
    }

    /// The time that a run with so much work takes, as far as one can know before.
    pub fn time_of(&self, work: Duration) -> Duration {
        let (sum, count) = self.overhead;
        let overhead = sum.checked_div(count).unwrap_or(OVERHEAD);
        work.saturating_add(overhead)
    }

    /// The time until all runs have ended, as far as one can know. A run by hand counts as nothing.
    pub fn time_left(&self) -> Duration {
        let time_of = |options: &TwinRunOptions| {
            if options.is_manual {
                Duration::ZERO
            } else {
                self.time_of(options.length)
            }
        };
        let waiting: Duration = self.waiting.iter().map(time_of).sum();
        let current = self.run.as_ref().map_or(Duration::ZERO, |run| {
            time_of(&run.options()).saturating_sub(run.elapsed())
        });
        waiting.saturating_add(current)
    }

    /// Kills the current twin and clears the queue.
    pub fn stop(&mut self) {
        self.waiting.clear();
        if let Some(run) = &mut self.run {
            run.stop();
        }
    }

    /// Whether a run is active or waits.
    pub fn is_busy(&self) -> bool {
        self.run.is_some() || !self.waiting.is_empty()
    }

    pub fn run(&self) -> Option<&TwinRun> {
        self.run.as_ref()
    }

    /// The run that ended last, with its facts.
    pub fn last(&self) -> Option<&TwinRun> {
        self.last.as_ref()
    }

    /// The number of waiting runs.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The records of the runs that have ended, in that order.
    pub fn done(&self) -> &[RunRecord] {
        &self.done
    }

    /// What the windows of these runs did and when, a group each, whose times begin with its twin.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The groups of the last runs of a pattern in the trace: bad, then fixed, as far as they have run.
    pub fn last_groups(&self, pattern: PatternId) -> impl Iterator<Item = GroupId> {
        let last = move |variant| {
            let mut done = self.done.iter().rev();
            let run = done.find(|run| (run.pattern, run.variant) == (pattern, variant));
            run.and_then(|run| run.group)
        };
        Variant::ALL.into_iter().filter_map(last)
    }

    /// The trace of the last runs of a pattern: bad, then fixed, as far as they have run, whichever ran first.
    pub fn last_trace(&self, pattern: PatternId) -> Trace {
        let groups: Vec<_> = self.last_groups(pattern).collect();
        self.trace.in_order(&groups)
    }

    /// The display of the twins, once one has reported it.
    pub fn display(&self) -> Option<&Display> {
        self.display.as_ref()
    }

    fn record(&mut self, run: &TwinRun) {
        if let Some(display) = run.display() {
            self.display = Some(display.clone());
        }
        if let Some(ending) = run.ending().filter(|_| !run.options().is_manual) {
            use TwinOutcome::{Finished, Killed, Unseen};
            if matches!(ending, Finished | Killed | Unseen) {
                let (sum, count) = &mut self.overhead;
                *sum += run.elapsed().saturating_sub(run.options().length);
                *count += 1;
            }
            let (ending, figures) = (ending.clone(), run.figures());
            let because = figures.as_ref().and_then(|it| it.because.as_deref());
            self.groups += 1;
            let group = GroupId::new(self.groups);
            run.add_to(&mut self.trace, group, because);
            self.push(run.options(), ending, figures, Some(group));
        }
    }

    fn push(
        &mut self,
        options: TwinRunOptions,
        ending: TwinOutcome,
        figures: Option<Figures>,
        group: Option<GroupId>,
    ) {
        if self.done.len() == MAX_RECORDS
            && let Some(group) = self.done.remove(0).group
        {
            self.trace.remove_group(group);
        }
        self.done.push(RunRecord {
            pattern: options.pattern,
            variant: options.variant,
            ending,
            figures,
            group,
        });
    }
}
