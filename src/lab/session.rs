//! Runs one after the other, and what came of them.

use std::collections::VecDeque;

use super::fact::Display;
use super::figures::{Ending, Figures};
use super::pattern::{PatternId, Variant};
use super::run::{Choice, Run};
use crate::join::process::Launcher;

/// How many runs are kept; then the oldest go.
const KEPT_RUNS: usize = 2_000;

/// What came of one run.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Which pattern.
    pub pattern: PatternId,
    /// Which half.
    pub variant: Variant,
    /// How it ended.
    pub ending: Ending,
    /// The figures; `None` when the twin never came to its click on `Start`.
    pub figures: Option<Figures>,
}

/// Runs one after the other: two windows that are measured at once would measure each other.
pub struct Session {
    launcher: Launcher,
    waiting: VecDeque<Choice>,
    run: Option<Run>,
    ended: Option<Run>,
    done: Vec<RunRecord>,
    display: Option<Display>,
}

impl Session {
    /// A session with nothing in it. `launcher` starts this very program.
    pub fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            waiting: VecDeque::new(),
            run: None,
            ended: None,
            done: Vec::new(),
            display: None,
        }
    }

    /// Runs this after everything else that waits.
    pub fn add(&mut self, choice: Choice) {
        self.waiting.push_back(choice);
    }

    /// Takes in what the twin has told, `budget` facts at most; starts the next one when it is gone.
    /// Says whether there is something new in [`done`](Self::done) or [`ended`](Self::ended). Never
    /// waits.
    pub fn poll(&mut self, budget: usize) -> bool {
        let mut has_news = false;
        if self
            .run
            .as_mut()
            .is_some_and(|run| run.poll(budget).is_some())
            && let Some(run) = self.run.take()
        {
            self.keep(&run);
            self.ended = Some(run);
            has_news = true;
        }
        if self.run.is_none()
            && let Some(choice) = self.waiting.pop_front()
        {
            match Run::start(choice, &self.launcher) {
                Ok(run) => self.run = Some(run),
                Err(error) => {
                    self.push(RunRecord {
                        pattern: choice.pattern,
                        variant: choice.variant,
                        ending: Ending::Died(error.to_string()),
                        figures: None,
                    });
                    has_news = true;
                }
            }
        }
        has_news
    }

    /// Ends what runs and forgets what waits.
    pub fn stop(&mut self) {
        self.waiting.clear();
        if let Some(run) = &mut self.run {
            run.stop();
        }
    }

    /// Whether something runs or waits.
    pub fn is_busy(&self) -> bool {
        self.run.is_some() || !self.waiting.is_empty()
    }

    /// What runs.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The run that has ended last, with all that its twin has told.
    pub fn ended(&self) -> Option<&Run> {
        self.ended.as_ref()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What has ended, in that order.
    pub fn done(&self) -> &[RunRecord] {
        &self.done
    }

    /// What the twins are drawn with, once one has told.
    pub fn display(&self) -> Option<&Display> {
        self.display.as_ref()
    }

    fn keep(&mut self, run: &Run) {
        if let Some(display) = run.display() {
            self.display = Some(display.clone());
        }
        let choice = run.choice();
        if choice.by_hand {
            return;
        }
        let Some(ending) = run.ending() else {
            return;
        };
        self.push(RunRecord {
            pattern: choice.pattern,
            variant: choice.variant,
            ending: ending.clone(),
            figures: run.figures(),
        });
    }

    fn push(&mut self, record: RunRecord) {
        if self.done.len() == KEPT_RUNS {
            self.done.remove(0);
        }
        self.done.push(record);
    }
}
