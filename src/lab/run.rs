//! A run as the Lab has it: the twin's process, and what it has told so far.

use std::time::{Duration, Instant};

use super::fact::{Display, Fact, Stamped};
use super::figures::{Ending, Figures};
use super::line::PLOTTED;
use super::pattern::{PatternId, Variant};
use super::work::Kind;
use crate::join::process::{LaunchOptions, Launcher, Process, SpawnError, Stream};

/// How long a twin may take beyond its work: to open its window, to be watched, to close.
const PATIENCE: Duration = Duration::from_secs(12);

/// How long a twin that has played its script has to close its window. One that is about closing
/// has had its time before.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// A window that has drawn no frame for so long when its script ends is frozen.
const STILL: Duration = Duration::from_secs(1);

/// How much a twin may say between two polls, in bytes: what it says in half a minute.
const KEPT: usize = 4 * 1024 * 1024;

/// The longest fact, in bytes; they are about a hundred.
const LONGEST: usize = 64 * 1024;

/// How much a twin may say in all, in facts: far more than any script lasts. Of one that a person
/// plays with, as many are kept.
const MOST_FACTS: usize = 1_000_000;

const SAID_TOO_MUCH: &str = "it said more than could be read";

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Which pattern.
    pub pattern: PatternId,
    /// Which half.
    pub variant: Variant,
    /// What is worked on.
    pub kind: Kind,
    /// How long the work takes.
    pub length: Duration,
    /// Whether a person does what else the script does.
    pub by_hand: bool,
    /// Where the twin's window is to stand, in points from the corner of the screen.
    pub position: Option<[f32; 2]>,
}

/// One twin, from its start to its end.
pub struct Run {
    choice: Choice,
    process: Process,
    began: Instant,
    said: Said,
    facts: Vec<Stamped>,
    /// How many facts there were before these.
    forgotten: usize,
    landmarks: Landmarks,
    ending: Option<Ending>,
}

/// What was read of the twin's output, and is yet to be understood.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    /// Where in them the next line begins.
    at: usize,
    /// How many bytes were read in all.
    read: u64,
}

/// What of a run's facts decides how it goes on.
#[derive(Default)]
struct Landmarks {
    display: Option<Display>,
    drawn: Option<Duration>,
    asked_to_close: Option<Duration>,
    closed: Option<Duration>,
    /// The end of the script, and when that was heard.
    over: Option<(Duration, Instant)>,
}

/// How much of what a twin has said was taken in.
enum Heard {
    All,
    InPart,
}

impl Run {
    /// Opens the twin's window. `launcher` starts this very program.
    ///
    /// # Errors
    /// The system refused the process.
    pub fn start(choice: Choice, launcher: &Launcher) -> Result<Self, SpawnError> {
        let secs = choice.length.as_secs_f64();
        let mut builder = launcher
            .itself(LaunchOptions::default())
            .name(format!("twin {} {}", choice.pattern, choice.variant))
            .arg("twin")
            .arg(choice.pattern.to_string())
            .arg(choice.variant.to_string())
            .args(["--work", choice.kind.id()])
            .args(["--secs", &secs.to_string()])
            .output_limit(KEPT)
            .daemon(true);
        if choice.by_hand {
            builder = builder.arg("--by-hand");
        }
        if let Some([x, y]) = choice.position {
            builder = builder.arg(format!("--position={x},{y}"));
        }
        Ok(Self {
            choice,
            process: builder.spawn()?,
            began: Instant::now(),
            said: Said::default(),
            facts: Vec::new(),
            forgotten: 0,
            landmarks: Landmarks::default(),
            ending: None,
        })
    }

    /// What runs.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// What it has told so far; of a twin that a person plays with, what it told of late.
    pub fn facts(&self) -> &[Stamped] {
        &self.facts
    }

    /// How many facts it has told so far.
    pub fn told(&self) -> usize {
        self.forgotten + self.facts.len()
    }

    /// What it has told after the first `told` facts, as far as it is kept.
    pub fn facts_since(&self, told: usize) -> &[Stamped] {
        let skipped = told.saturating_sub(self.forgotten);
        &self.facts[skipped.min(self.facts.len())..]
    }

    /// What it is drawn with, once its window is open.
    pub fn display(&self) -> Option<&Display> {
        self.landmarks.display.as_ref()
    }

    /// Takes in what the twin has told, `budget` facts at most, and ends it when its time is up. How
    /// it ended, once it has and all it has told was taken in. Never waits.
    pub fn poll(&mut self, budget: usize) -> Option<&Ending> {
        if self.ending.is_none() {
            // Asked first: what it has said before its end is heard below.
            let exit = self.process.poll();
            let ending = match (self.listen(budget), exit) {
                (Err(why), _) => Some(Ending::Died(why)),
                (Ok(Heard::InPart), Some(_)) => None,
                (Ok(Heard::All), Some(_)) if self.is_over() => Some(Ending::Finished),
                (Ok(Heard::All), Some(exit)) => {
                    Some(Ending::Died(self.how_it_died(&exit.to_string())))
                }
                (Ok(_), None) => self.why_end(),
            };
            if let Some(ending) = ending {
                self.end(ending);
            }
        }
        self.ending.as_ref()
    }

    /// How it ended, if it has.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Ends the twin now, frozen or not.
    pub fn stop(&mut self) {
        if self.ending.is_none() {
            self.end(Ending::Stopped);
        }
    }

    /// How it went; `None` while it runs, and when it never came to its click on `Start`.
    pub fn figures(&self) -> Option<Figures> {
        Figures::of(&self.facts, self.ending.clone()?)
    }

    /// Blocks until there may be something new, for `time` at most: for a program without a window.
    pub fn rest(&self, time: Duration) {
        drop(self.process.join_timeout(time));
    }

    fn end(&mut self, ending: Ending) {
        // One that has ended by itself needs no signal, and what can't be killed is the system's.
        drop(self.process.kill());
        self.ending = Some(ending);
    }

    fn is_over(&self) -> bool {
        self.landmarks.over.is_some() || self.landmarks.closed.is_some()
    }

    fn why_end(&self) -> Option<Ending> {
        if self.choice.by_hand {
            return None;
        }
        let marks = &self.landmarks;
        if let Some((over, heard)) = marks.over
            && heard.elapsed() >= CLOSE_PATIENCE
        {
            let is_drawing = marks.drawn.is_some_and(|drawn| drawn + STILL >= over);
            return Some(if marks.asked_to_close.is_some() || !is_drawing {
                Ending::Ended
            } else {
                Ending::Finished
            });
        }
        let is_late = self.began.elapsed() >= self.choice.length + PATIENCE;
        is_late.then_some(Ending::Ended)
    }

    /// Takes in what was said; why that is no use, if it is none.
    fn listen(&mut self, budget: usize) -> Result<Heard, String> {
        for _ in 0..budget {
            let line = match self.said.next_line() {
                None => {
                    self.said.read(&self.process)?;
                    self.said.next_line()
                }
                line => line,
            };
            let Some(line) = line else {
                self.forget();
                return Ok(Heard::All);
            };
            let told = serde_json::from_slice(line);
            self.take(
                told.map_err(|error| format!("it said something that is no fact: {error}"))?,
            )?;
        }
        self.forget();
        Ok(Heard::InPart)
    }

    fn take(&mut self, told: Stamped) -> Result<(), String> {
        let (at, marks) = (told.at(), &mut self.landmarks);
        match &told.fact {
            Fact::DidOpen(display) => marks.display = Some(display.clone()),
            Fact::DidDraw { .. } => marks.drawn = Some(at),
            Fact::DidAskToClose => marks.asked_to_close = Some(at),
            Fact::DidClose => marks.closed = Some(at),
            Fact::Over => drop(marks.over.get_or_insert_with(|| (at, Instant::now()))),
            Fact::DidMiss { facts } => {
                return Err(format!(
                    "{facts} of its facts are missing: nobody read them for too long"
                ));
            }
            _ => {}
        }
        self.facts.push(told);
        if self.facts.len() > MOST_FACTS && !self.choice.by_hand {
            return Err(SAID_TOO_MUCH.to_owned());
        }
        Ok(())
    }

    /// Nobody measures a twin that a person plays with: what is drawn of it is enough.
    fn forget(&mut self) {
        let Some(last) = self.facts.last().filter(|_| self.choice.by_hand) else {
            return;
        };
        let since = last.at().saturating_sub(PLOTTED);
        let old = self.facts.partition_point(|fact| fact.at() < since);
        let old = old.max(self.facts.len().saturating_sub(MOST_FACTS));
        self.facts.drain(..old);
        self.forgotten += old;
    }

    fn how_it_died(&self, exit: &str) -> String {
        let stderr = self.process.output_since(Stream::Stderr, 0);
        let words = stderr.last_lines(5);
        match words.trim() {
            "" => format!("it {exit}"),
            words => format!("it {exit}: {words}"),
        }
    }
}

impl Said {
    /// Reads on; why what comes is no use, if it is none.
    fn read(&mut self, process: &Process) -> Result<(), String> {
        let said = process.output_since(Stream::Stdout, self.read);
        let missed = said.total - self.read > said.bytes.len() as u64;
        self.read = said.total;
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(&said.bytes);
        let has_line = self.bytes.contains(&b'\n');
        if missed || (!has_line && self.bytes.len() > LONGEST) {
            return Err(SAID_TOO_MUCH.to_owned());
        }
        Ok(())
    }

    fn next_line(&mut self) -> Option<&[u8]> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        self.at += end + 1;
        Some(&rest[..end])
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}
