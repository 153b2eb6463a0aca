//! A run as the Lab sees it: the twin's process and the facts it has sent so far.

use std::time::{Duration, Instant};

use super::because::because;
use super::fact::{Display, Fact, Stamped};
use super::figures::{Figures, TwinOutcome};
use super::frame_line::MAX_LIVE_PLOT;
use super::pattern::Variant;
use super::patterns::PatternId;
use super::run_trace::add_run;
use super::work::WorkKind;
use crate::join::process::{
    LaunchOptions, Launcher, Line, Lines, Process, ProcessGroup, SpawnError, Stream,
};
use crate::join::{CancelToken, Select};
use crate::trace::{GroupId, Trace};

/// The time of a twin in addition to its work: to open its window, be watched, and close.
const TWIN_TIMEOUT: Duration = Duration::from_secs(12);

/// The time that a twin has to close its window after the scenario. In the scenario about closing, the
/// time to close is over by then.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A window without a frame in the last second of the scenario is frozen.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum of output kept between two polls: half a minute's worth.
const MAX_OUTPUT_BYTES: usize = 4 * 1024 * 1024;

/// The maximum of facts of a run: far more than any scenario produces. A manual run keeps the newest
/// ones.
const MAX_FACTS: usize = 1_000_000;

/// The lines of a panic with its backtrace.
const MAX_ERROR_LINES: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwinRunOptions {
    pub pattern: PatternId,
    pub variant: Variant,
    pub work: WorkKind,
    /// The duration of the work.
    pub length: Duration,
    /// Whether the user operates the twin, in place of the scenario.
    pub is_manual: bool,
    /// The position of the twin's window, in points from the corner of the screen.
    pub position: Option<[f32; 2]>,
}

impl TwinRunOptions {
    /// The size of the twin's window without its frame. By hand, it has the instructions in it.
    pub fn inner_size(&self) -> [f32; 2] {
        if self.is_manual {
            [296.0, 350.0]
        } else {
            [340.0, 300.0]
        }
    }
}

/// One twin, from start to end.
pub struct TwinRun {
    options: TwinRunOptions,
    process: Process,
    began: Instant,
    output: Lines,
    facts: Vec<Stamped>,
    /// The number of older facts that were dropped.
    dropped: usize,
    milestones: Milestones,
    ending: Option<TwinOutcome>,
}

/// The facts that decide how a run goes on.
#[derive(Default)]
struct Milestones {
    display: Option<Display>,
    drawn: Option<Duration>,
    asked_to_close: Option<Duration>,
    closed: Option<Duration>,
    /// The time at which the scenario ended, and the time at which the Lab read of it.
    over: Option<(Duration, Instant)>,
}

/// Whether one poll read the rest of a twin's output.
enum Drained {
    Whole,
    Part,
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    /// More output than was kept between two reads, or a line that does not end.
    #[error("it sent more data than could be read")]
    TooMuch,
    #[error("it sent an invalid fact: {0}")]
    Invalid(#[from] serde_json::Error),
    #[error("{0} facts were lost because the Lab did not read them in time")]
    Missed(u64),
}

impl TwinRun {
    /// Opens the twin's window. `launcher` starts this program.
    ///
    /// # Errors
    /// The process could not be started.
    pub fn start(options: TwinRunOptions, launcher: &Launcher) -> Result<Self, SpawnError> {
        let secs = options.length.as_secs_f64();
        let mut builder = launcher
            .itself(LaunchOptions::default())
            .name(format!("twin {} {}", options.pattern, options.variant))
            .arg("twin")
            .arg(options.pattern.to_string())
            .arg(options.variant.to_string())
            .args(["--work", options.work.id()])
            .args(["--secs", &secs.to_string()])
            .output_limit(MAX_OUTPUT_BYTES)
            .daemon(true);
        if options.is_manual {
            builder = builder.arg("--by-hand");
        }
        if let Some([x, y]) = options.position {
            builder = builder.arg(format!("--position={x},{y}"));
        }
        let process = builder.group(ProcessGroup::Own).spawn()?;
        Ok(Self {
            options,
            began: Instant::now(),
            output: process.lines(Stream::Stdout),
            process,
            facts: Vec::new(),
            dropped: 0,
            milestones: Milestones::default(),
            ending: None,
        })
    }

    /// The time since it was started.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn options(&self) -> TwinRunOptions {
        self.options
    }

    /// Adds the run, which has ended, to a trace as a group with this number.
    pub(super) fn add_to(&self, trace: &mut Trace, group: GroupId, because: Option<&str>) {
        let Some(ending) = &self.ending else {
            return;
        };
        let TwinRunOptions {
            pattern, variant, ..
        } = self.options;
        let name = format!("{pattern}, {variant}");
        let metric = pattern.entry().metric;
        add_run(
            trace,
            (group, &name),
            metric,
            (&self.facts, ending),
            because,
        );
    }

    /// The number of facts that the twin has sent.
    pub fn fact_count(&self) -> usize {
        self.dropped + self.facts.len()
    }

    /// The facts after the first `count`, as far as they are kept.
    pub fn facts_since(&self, count: usize) -> &[Stamped] {
        let skipped = count.saturating_sub(self.dropped);
        &self.facts[skipped.min(self.facts.len())..]
    }

    /// The display of the twin, once its window is open.
    pub fn display(&self) -> Option<&Display> {
        self.milestones.display.as_ref()
    }

    /// Reads at most `budget` facts, and kills the twin if it has run out of time. Returns how the
    /// run ended, once it has and all its facts were read. Never waits.
    pub fn poll(&mut self, budget: usize) -> Option<&TwinOutcome> {
        if self.ending.is_none() {
            // Polled before reading, so that everything sent before the exit is read below.
            let exit = self.process.poll();
            let ending = match (self.read(budget), exit) {
                (Err(error), _) => Some(TwinOutcome::Died(error.to_string())),
                (Ok(Drained::Part), Some(_)) => None,
                (Ok(Drained::Whole), Some(_)) if self.is_over() => Some(TwinOutcome::Finished),
                (Ok(Drained::Whole), Some(exit)) => {
                    Some(TwinOutcome::Died(self.death_report(&exit.to_string())))
                }
                (Ok(_), None) => self.ending_by_time(),
            };
            if let Some(ending) = ending {
                self.end(ending);
            }
        }
        self.ending.as_ref()
    }

    pub fn ending(&self) -> Option<&TwinOutcome> {
        self.ending.as_ref()
    }

    /// Kills the twin, frozen or not.
    pub fn stop(&mut self) {
        if self.ending.is_none() {
            self.end(TwinOutcome::Stopped);
        }
    }

    /// The figures; `None` while the twin runs, and if `Start` was never clicked.
    pub fn figures(&self) -> Option<Figures> {
        let mut figures = Figures::of(&self.facts, self.ending.clone()?)?;
        let metric = self.options.pattern.entry().metric;
        let errors = self.process.output_since(Stream::Stderr, 0);
        let errors = errors.last_lines(MAX_ERROR_LINES);
        figures.because = because(metric, &self.facts, &figures, &errors);
        Some(figures)
    }

    /// Blocks until the next [`poll`](Self::poll) is due, or the token is cancelled: for a program
    /// without a window.
    pub fn wait(&self, token: &CancelToken) {
        let select = Select::new().lines(&self.output).process(&self.process);
        // The caller polls in any case, so the result does not matter.
        select.token(token).deadline(self.due_at()).wait().ok();
    }

    /// The time at which the twin is killed, if it still runs; `None` if the user operates it.
    fn due_at(&self) -> Option<Instant> {
        let late = self.began + self.options.length + TWIN_TIMEOUT;
        let over = self
            .milestones
            .over
            .map(|(_, read_at)| read_at + CLOSE_TIMEOUT);
        (!self.options.is_manual).then(|| over.map_or(late, |over| over.min(late)))
    }

    fn end(&mut self, ending: TwinOutcome) {
        // A process that has exited needs no signal.
        self.process.kill().ok();
        let is_by_time = matches!(ending, TwinOutcome::Finished | TwinOutcome::Killed);
        self.ending = Some(if is_by_time && self.has_drawn_nothing() {
            TwinOutcome::Unseen
        } else {
            ending
        });
    }

    /// Whether no frame has taken the click on `Start`, with which each run begins that is not by hand.
    fn has_drawn_nothing(&self) -> bool {
        let is_start = |fact: &Stamped| fact.fact == Fact::DidStart;
        !self.options.is_manual && !self.facts.iter().any(is_start)
    }

    fn is_over(&self) -> bool {
        self.milestones.over.is_some() || self.milestones.closed.is_some()
    }

    fn ending_by_time(&self) -> Option<TwinOutcome> {
        if self.due_at().is_none_or(|at| Instant::now() < at) {
            return None;
        }
        let milestones = &self.milestones;
        let is_finished = milestones.over.is_some_and(|(over, read_at)| {
            let drawn = milestones.drawn;
            let is_drawing = drawn.is_some_and(|drawn| drawn + FREEZE_TIMEOUT >= over);
            let could_close = read_at.elapsed() >= CLOSE_TIMEOUT;
            could_close && milestones.asked_to_close.is_none() && is_drawing
        });
        Some(if is_finished {
            TwinOutcome::Finished
        } else {
            TwinOutcome::Killed
        })
    }

    fn read(&mut self, budget: usize) -> Result<Drained, ReadError> {
        for _ in 0..budget {
            match self.output.next_timeout(Duration::ZERO) {
                Ok(Some(Line::Whole(line))) => match serde_json::from_slice(&line) {
                    Ok(fact) => self.apply(fact)?,
                    // The last line of a twin that died while it wrote.
                    Err(error) if error.is_eof() && self.has_no_more_lines() => {}
                    Err(error) => return Err(error.into()),
                },
                Ok(Some(Line::Part(_) | Line::Dropped(_))) => return Err(ReadError::TooMuch),
                Ok(None) | Err(_) => {
                    self.drop_old_facts();
                    return Ok(Drained::Whole);
                }
            }
        }
        self.drop_old_facts();
        Ok(Drained::Part)
    }

    /// Whether the output has ended. If not, the run fails, so a line that is read here does not matter.
    fn has_no_more_lines(&mut self) -> bool {
        matches!(self.output.next_timeout(Duration::ZERO), Ok(None))
    }

    fn apply(&mut self, fact: Stamped) -> Result<(), ReadError> {
        let (at, milestones) = (fact.at(), &mut self.milestones);
        match &fact.fact {
            Fact::DidOpen(display) => milestones.display = Some(display.clone()),
            Fact::DidDraw { .. } => milestones.drawn = Some(at),
            Fact::DidAskToClose => milestones.asked_to_close = Some(at),
            Fact::DidClose => milestones.closed = Some(at),
            Fact::Over => drop(milestones.over.get_or_insert_with(|| (at, Instant::now()))),
            Fact::DidMiss { facts } => return Err(ReadError::Missed(*facts)),
            _ => {}
        }
        self.facts.push(fact);
        if self.facts.len() > MAX_FACTS && !self.options.is_manual {
            return Err(ReadError::TooMuch);
        }
        Ok(())
    }

    /// A manual run has no figures, so it keeps only the facts that are plotted.
    fn drop_old_facts(&mut self) {
        let Some(last) = self.facts.last().filter(|_| self.options.is_manual) else {
            return;
        };
        let since = last.at().saturating_sub(MAX_LIVE_PLOT);
        let old = self.facts.partition_point(|fact| fact.at() < since);
        let old = old.max(self.facts.len().saturating_sub(MAX_FACTS));
        self.facts.drain(..old);
        self.dropped += old;
    }

    fn death_report(&self, exit: &str) -> String {
        let stderr = self.process.output_since(Stream::Stderr, 0);
        match stderr.last_lines(5).trim() {
            "" => format!("it {exit}"),
            lines => format!("it {exit}: {lines}"),
        }
    }
}

impl Drop for TwinRun {
    fn drop(&mut self) {
        self.stop();
    }
}
