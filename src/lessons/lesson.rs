//! The description of a lesson, and the list of lessons.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::all;
use super::run_log::RunLog;
use super::trace::Trace;
use crate::catalogue_id::{CatalogueEntry, CatalogueId};
use crate::choice::choices;

/// A short program about joining, with a question and an explanation.
pub struct Lesson {
    /// The name in links and on the command line.
    pub id: &'static str,
    pub title: &'static str,
    /// The section of the list.
    pub topic: Topic,
    pub level: Level,
    /// The question before the run.
    pub question: Question,
    /// The parameters; see [`parameters_of`](Self::parameters_of).
    pub parameters: &'static [Parameter],
    /// The kinds of worker that it can use. The first is the default.
    pub worker_kinds: &'static [WorkerKind],
    /// The lanes of a run with the default parameters, of the kind of worker with the most.
    pub lanes: usize,
    /// The program, run on a thread of its own.
    pub main: fn(&Trace) -> anyhow::Result<()>,
    /// The main functions of its child processes, by name.
    pub roles: &'static [(&'static str, Role)],
    /// Checks that the run shows what the lesson teaches; an error says why not.
    pub verify: fn(&RunLog) -> anyhow::Result<()>,
    /// The explanation of the run.
    pub explanation: &'static str,
    /// The same program in Python.
    pub python: &'static str,
    /// The same program with std alone.
    pub plain_std: &'static str,
    /// The lessons and Freeze Lab patterns to go on with.
    pub related: &'static [&'static str],
    /// The source file of the lesson.
    pub source: &'static str,
}

/// The main function of a child process. An error ends it with exit code 1, a panic with 101.
pub type Role = fn(&Trace) -> anyhow::Result<()>;

/// A multiple-choice question.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub text: &'static str,
    /// The answers to choose from.
    pub choices: &'static [&'static str],
    /// The index of the right answer.
    pub right: usize,
}

/// A number that the user can change.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name on the command line.
    pub id: &'static str,
    /// The name on screen. That of a time ends in `(s)`, for seconds.
    pub title: &'static str,
    pub default: f64,
    /// The minimum and the maximum.
    pub range: (f64, f64),
    /// Whether only whole numbers are allowed.
    pub is_count: bool,
    /// The only kind of worker that uses it; `None` if every kind does.
    pub only_with: Option<WorkerKind>,
}

impl Parameter {
    /// A time in seconds.
    pub const fn secs(id: &'static str, title: &'static str, default: f64) -> Self {
        Self {
            id,
            title,
            default,
            range: (0.0, 60.0),
            is_count: false,
            only_with: None,
        }
    }

    /// A count from `min` to `max`.
    pub const fn count(
        id: &'static str,
        title: &'static str,
        default: u32,
        min: u32,
        max: u32,
    ) -> Self {
        Self {
            id,
            title,
            default: default as f64,
            range: (min as f64, max as f64),
            is_count: true,
            only_with: None,
        }
    }

    /// A parameter that only this kind of worker uses.
    #[must_use]
    pub const fn only_with(mut self, kind: WorkerKind) -> Self {
        self.only_with = Some(kind);
        self
    }

    /// Whether the value is allowed.
    pub fn allows(&self, value: f64) -> bool {
        (self.nearest(value) - value).abs() < f64::EPSILON
    }

    /// The nearest allowed value; the default if the value is not a number.
    pub fn nearest(&self, value: f64) -> f64 {
        let value = if value.is_finite() {
            value
        } else {
            self.default
        };
        let value = if self.is_count { value.round() } else { value };
        value.clamp(self.range.0, self.range.1)
    }
}

impl fmt::Display for Parameter {
    /// The name and the range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = self.range;
        let kind = if self.is_count { "whole, " } else { "" };
        write!(f, "{} ({kind}{min} to {max})", self.id)
    }
}

/// Whether the workers of a lesson are tasks or processes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum WorkerKind {
    /// Tasks of this process.
    Task,
    /// Child processes.
    Process,
}

impl WorkerKind {
    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Task => "Tasks",
            Self::Process => "Processes",
        }
    }

    /// A sentence about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Task => "The workers are threads of this program.",
            Self::Process => "The workers are programs of their own.",
        }
    }
}

impl fmt::Display for WorkerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task",
            Self::Process => "process",
        })
    }
}

/// The sections of the list, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// One worker and one join.
    Joining,
    /// Panics, errors and crashes of a worker.
    Failing,
    /// Several workers.
    Several,
    /// Channels, pipes and shared data.
    Data,
    /// Cancelling, and the end of a program.
    Ending,
    /// Tasks as programs have them.
    Work,
}

choices!(pub Topic {
    Joining => "Joining one worker",
    Failing => "When a worker fails",
    Several => "Joining several workers",
    Data => "Passing data",
    Ending => "Stopping workers",
    Work => "Real work",
});

/// The knowledge that a lesson assumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Easy,
    /// Joins.
    Medium,
    /// Joins, channels and locks.
    Hard,
}

impl Level {
    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

impl Lesson {
    /// The parameters that this kind of worker uses.
    pub fn parameters_of(
        &self,
        kind: WorkerKind,
    ) -> impl Iterator<Item = &'static Parameter> + use<> {
        let parameters = self.parameters.iter();
        parameters.filter(move |parameter| parameter.only_with.is_none_or(|only| only == kind))
    }

    /// The parameter with this name.
    pub fn parameter(&self, id: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.id == id)
    }

    /// The source of the program and of the check of its run, without the question and the
    /// explanation.
    pub fn code(&self) -> &'static str {
        self.source_until("\n// About the lesson.")
    }

    /// The source of the program alone: what it does is the answer to the question, and the check
    /// says it.
    pub fn program(&self) -> &'static str {
        self.source_until("\nfn verify(")
    }

    fn source_until(&self, end: &str) -> &'static str {
        let end = self.source.find(end);
        end.map_or(self.source, |end| self.source[..end].trim_end())
    }
}

/// A lesson of the list.
pub type LessonId = CatalogueId<Lesson>;

impl LessonId {
    pub fn lesson(self) -> &'static Lesson {
        self.entry()
    }

    /// All lessons by topic, and within a topic the easy ones first.
    pub fn in_order() -> Vec<Self> {
        let mut all: Vec<_> = Self::all().collect();
        // Stable: what is alike keeps the order of the list.
        all.sort_by_key(|id| (id.lesson().topic, id.lesson().level));
        all
    }

    /// The lesson after this one; `None` after the last.
    pub fn next(self) -> Option<Self> {
        let mut rest = Self::in_order().into_iter().skip_while(|id| *id != self);
        rest.nth(1)
    }
}

impl CatalogueEntry for Lesson {
    const NOUN: &'static str = "lesson";
    const LIST_COMMAND: &'static str = "meanwhile lesson list";

    fn all() -> impl Iterator<Item = &'static Self> {
        all::ALL.iter().copied()
    }

    fn id(&self) -> &'static str {
        self.id
    }
}
