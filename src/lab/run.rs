//! A run as the Lab has it: the twin's process, and what it has told so far.

use std::time::{Duration, Instant};

use super::fact::{Fact, Stamped};
use super::figures::{Ending, Figures};
use super::pattern::{PatternId, Variant};
use super::work::Kind;
use crate::join::process::{Builder, LaunchOptions, Launcher, Process, SpawnError, Stream};

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

/// How much a twin may say in all, in facts: far more than any script lasts.
const MOST_FACTS: usize = 1_000_000;

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
    read: u64,
    /// The beginning of a line whose end is yet to come.
    rest: Vec<u8>,
    facts: Vec<Stamped>,
    over_since: Option<Instant>,
    ending: Option<Ending>,
}

impl Run {
    /// Opens the twin's window. `launcher` starts this very program.
    ///
    /// # Errors
    /// The system refused the process.
    pub fn start(choice: Choice, launcher: &Launcher) -> Result<Self, SpawnError> {
        let secs = choice.length.as_secs_f64();
        let mut builder = Builder::new("/proc/self/exe")
            .name(format!("twin {} {}", choice.pattern, choice.variant))
            .arg("twin")
            .arg(choice.pattern.to_string())
            .arg(choice.variant.to_string())
            .args(["--work", choice.kind.id()])
            .args(["--secs", &secs.to_string()])
            .output_limit(KEPT)
            .daemon(true)
            .launched_by(launcher, LaunchOptions::default());
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
            read: 0,
            rest: Vec::new(),
            facts: Vec::new(),
            over_since: None,
            ending: None,
        })
    }

    /// What runs.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// What it has told so far.
    pub fn facts(&self) -> &[Stamped] {
        &self.facts
    }

    /// Takes in what the twin has told, and ends it when its time is up. How it ended, once it has.
    /// Never waits.
    pub fn poll(&mut self) -> Option<&Ending> {
        if self.ending.is_none() {
            // Asked first: what it has said before its end is heard below.
            let exit = self.process.poll();
            let heard = self.listen();
            let ending = match (heard, exit) {
                (Err(why), _) => Some(Ending::Died(why)),
                (Ok(()), Some(_)) if self.is_over() => Some(Ending::Finished),
                (Ok(()), Some(exit)) => Some(Ending::Died(self.how_it_died(&exit.to_string()))),
                (Ok(()), None) => self.why_end(),
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
        self.over_since.is_some() || self.facts.iter().any(|fact| fact.fact == Fact::DidClose)
    }

    fn why_end(&self) -> Option<Ending> {
        if self.choice.by_hand {
            return None;
        }
        if self
            .over_since
            .is_some_and(|over| over.elapsed() >= CLOSE_PATIENCE)
        {
            let asked = self
                .facts
                .iter()
                .any(|fact| fact.fact == Fact::DidAskToClose);
            return Some(if asked || !self.is_drawing() {
                Ending::Ended
            } else {
                Ending::Finished
            });
        }
        let is_late = self.began.elapsed() >= self.choice.length + PATIENCE;
        is_late.then_some(Ending::Ended)
    }

    /// Whether it has drawn a frame since its script was over.
    fn is_drawing(&self) -> bool {
        let is_draw = |fact: &&Stamped| matches!(fact.fact, Fact::DidDraw { .. });
        let over = self.facts.iter().find(|fact| fact.fact == Fact::Over);
        let drawn = self.facts.iter().rfind(is_draw);
        matches!((over, drawn), (Some(over), Some(drawn)) if drawn.at() + STILL >= over.at())
    }

    /// Takes in what was said; why that is no use, if it is none.
    fn listen(&mut self) -> Result<(), String> {
        let said = self.process.output_since(Stream::Stdout, self.read);
        let missed = said.total - self.read > said.bytes.len() as u64;
        self.read = said.total;
        self.rest.extend_from_slice(&said.bytes);
        let end = self.rest.iter().rposition(|byte| *byte == b'\n');
        let lines: Vec<u8> = self.rest.drain(..end.map_or(0, |end| end + 1)).collect();
        if missed || self.facts.len() > MOST_FACTS || self.rest.len() > LONGEST {
            return Err("it said more than could be read".to_owned());
        }
        let lines = lines.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let fact = serde_json::from_slice(line);
            self.take(fact.map_err(|error| format!("it said something that is no fact: {error}"))?);
        }
        Ok(())
    }

    fn take(&mut self, fact: Stamped) {
        if fact.fact == Fact::Over && self.over_since.is_none() {
            self.over_since = Some(Instant::now());
        }
        self.facts.push(fact);
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

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}
