//! A run as the Lab sees it: the twin's process and the facts it has sent so far.

use std::time::{Duration, Instant};

use super::fact::{Display, Fact, Stamped};
use super::figures::{Ending, Figures};
use super::frame_line::PLOTTED;
use super::line_reader::{LineReader, TooMuchOutput};
use super::pattern::{PatternId, Variant};
use super::work::WorkKind;
use crate::join::process::{LaunchOptions, Launcher, Process, SpawnError, Stream};

/// How long a twin may take in addition to its work: to open its window, be watched, and close.
const TWIN_TIMEOUT: Duration = Duration::from_secs(12);

/// How long a twin may take to close its window after the scenario. In the scenario about closing,
/// the time to close is over by then.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A window without a frame in the last second of the scenario is frozen.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(1);

/// How much output is kept between two polls: half a minute's worth.
const MAX_OUTPUT_BYTES: usize = 4 * 1024 * 1024;

/// How many facts a run may have: far more than any scenario produces. Of a manual run, as many are
/// kept.
const MAX_FACTS: usize = 1_000_000;

/// What to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunOptions {
    /// The pattern.
    pub pattern: PatternId,
    /// Its variant.
    pub variant: Variant,
    /// What the work consists of.
    pub work: WorkKind,
    /// How long the work takes.
    pub length: Duration,
    /// Whether the user operates the twin, in place of the scenario.
    pub is_manual: bool,
    /// Where the twin's window opens, in points from the corner of the screen.
    pub position: Option<[f32; 2]>,
}

/// One twin, from start to end.
pub struct Run {
    options: RunOptions,
    process: Process,
    began: Instant,
    output: LineReader,
    facts: Vec<Stamped>,
    /// How many older facts were dropped.
    dropped: usize,
    milestones: Milestones,
    ending: Option<Ending>,
}

/// The facts that decide how a run goes on.
#[derive(Default)]
struct Milestones {
    display: Option<Display>,
    drawn: Option<Duration>,
    asked_to_close: Option<Duration>,
    closed: Option<Duration>,
    /// When the scenario ended, and when the Lab read of it.
    over: Option<(Duration, Instant)>,
}

/// How much of a twin's output was read.
enum Progress {
    All,
    Partial,
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    TooMuch(#[from] TooMuchOutput),
    #[error("it sent an invalid fact: {0}")]
    Invalid(#[from] serde_json::Error),
    #[error("{0} facts were lost because the Lab did not read them in time")]
    Missed(u64),
}

impl Run {
    /// Opens the twin's window. `launcher` starts this program.
    ///
    /// # Errors
    /// The process could not be started.
    pub fn start(options: RunOptions, launcher: &Launcher) -> Result<Self, SpawnError> {
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
        Ok(Self {
            options,
            process: builder.spawn()?,
            began: Instant::now(),
            output: LineReader::default(),
            facts: Vec::new(),
            dropped: 0,
            milestones: Milestones::default(),
            ending: None,
        })
    }

    /// What runs.
    pub fn options(&self) -> RunOptions {
        self.options
    }

    /// How many facts the twin has sent.
    pub fn fact_count(&self) -> usize {
        self.dropped + self.facts.len()
    }

    /// The facts after the first `count`, as far as they are kept.
    pub fn facts_since(&self, count: usize) -> &[Stamped] {
        let skipped = count.saturating_sub(self.dropped);
        &self.facts[skipped.min(self.facts.len())..]
    }

    /// What draws the twin, once its window is open.
    pub fn display(&self) -> Option<&Display> {
        self.milestones.display.as_ref()
    }

    /// Reads at most `budget` facts, and kills the twin if it has run out of time. Returns how the
    /// run ended, once it has and all its facts were read. Never waits.
    pub fn poll(&mut self, budget: usize) -> Option<&Ending> {
        if self.ending.is_none() {
            // Polled before reading, so that everything sent before the exit is read below.
            let exit = self.process.poll();
            let ending = match (self.read(budget), exit) {
                (Err(error), _) => Some(Ending::Died(error.to_string())),
                (Ok(Progress::Partial), Some(_)) => None,
                (Ok(Progress::All), Some(_)) if self.is_over() => Some(Ending::Finished),
                (Ok(Progress::All), Some(exit)) => {
                    Some(Ending::Died(self.how_it_died(&exit.to_string())))
                }
                (Ok(_), None) => self.ending_by_time(),
            };
            if let Some(ending) = ending {
                self.end(ending);
            }
        }
        self.ending.as_ref()
    }

    /// How the run ended, if it has.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Kills the twin, frozen or not.
    pub fn stop(&mut self) {
        if self.ending.is_none() {
            self.end(Ending::Stopped);
        }
    }

    /// The figures; `None` while the twin runs, and if `Start` was never clicked.
    pub fn figures(&self) -> Option<Figures> {
        Figures::of(&self.facts, self.ending.clone()?)
    }

    /// Blocks until the twin exits or the time is over: for a program without a window.
    pub fn wait(&self, timeout: Duration) {
        self.process.join_timeout(timeout).ok();
    }

    fn end(&mut self, ending: Ending) {
        // A process that has exited needs no signal.
        self.process.kill().ok();
        self.ending = Some(ending);
    }

    fn is_over(&self) -> bool {
        self.milestones.over.is_some() || self.milestones.closed.is_some()
    }

    fn ending_by_time(&self) -> Option<Ending> {
        if self.options.is_manual {
            return None;
        }
        let milestones = &self.milestones;
        if let Some((over, read_at)) = milestones.over
            && read_at.elapsed() >= CLOSE_TIMEOUT
        {
            let drawn = milestones.drawn;
            let is_drawing = drawn.is_some_and(|drawn| drawn + FREEZE_TIMEOUT >= over);
            return Some(if milestones.asked_to_close.is_some() || !is_drawing {
                Ending::Killed
            } else {
                Ending::Finished
            });
        }
        let is_late = self.began.elapsed() >= self.options.length + TWIN_TIMEOUT;
        is_late.then_some(Ending::Killed)
    }

    fn read(&mut self, budget: usize) -> Result<Progress, ReadError> {
        for _ in 0..budget {
            let line = match self.output.next_line() {
                None => {
                    self.output.read(&self.process)?;
                    self.output.next_line()
                }
                line => line,
            };
            let Some(line) = line else {
                self.drop_old_facts();
                return Ok(Progress::All);
            };
            let fact = serde_json::from_slice(line)?;
            self.apply(fact)?;
        }
        self.drop_old_facts();
        Ok(Progress::Partial)
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
            return Err(TooMuchOutput.into());
        }
        Ok(())
    }

    /// A manual run has no figures, so it keeps only the facts that are plotted.
    fn drop_old_facts(&mut self) {
        let Some(last) = self.facts.last().filter(|_| self.options.is_manual) else {
            return;
        };
        let since = last.at().saturating_sub(PLOTTED);
        let old = self.facts.partition_point(|fact| fact.at() < since);
        let old = old.max(self.facts.len().saturating_sub(MAX_FACTS));
        self.facts.drain(..old);
        self.dropped += old;
    }

    fn how_it_died(&self, exit: &str) -> String {
        let stderr = self.process.output_since(Stream::Stderr, 0);
        match stderr.last_lines(5).trim() {
            "" => format!("it {exit}"),
            lines => format!("it {exit}: {lines}"),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}
