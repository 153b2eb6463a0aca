//! What a lesson is, and the list of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::all;
use super::stage::Stage;
use super::told::Told;
use crate::catalog::{CatalogEntry, CatalogId};

/// One lesson: a short program about joining, and what is said about it.
pub struct Lesson {
    /// By which it is called for.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Where it stands in the list.
    pub topic: Topic,
    /// How much one has to know already.
    pub level: Level,
    /// What is asked before it runs.
    pub question: Question,
    /// What a person may change; see [`parameters_of`](Self::parameters_of).
    pub parameters: &'static [Parameter],
    /// With what it can run; the first is the default.
    pub cast: &'static [Cast],
    /// The program. It runs on a thread of its own.
    pub main: fn(&Stage) -> anyhow::Result<()>,
    /// What its child processes do, by name.
    pub roles: &'static [(&'static str, Role)],
    /// Whether what happened is what the lesson is about; else why not.
    pub holds: fn(&Told) -> anyhow::Result<()>,
    /// What happens and why.
    pub explanation: &'static str,
    /// The same in Python.
    pub python: &'static str,
    /// The same with nothing but std.
    pub plain_std: &'static str,
    /// Lessons and patterns of the Freeze Lab that go on from here.
    pub related: &'static [&'static str],
    /// The very file that runs.
    pub source: &'static str,
}

/// What a child process of a lesson does. An error ends it with exit code 1, a panic with 101.
pub type Role = fn(&Stage) -> anyhow::Result<()>;

/// What is asked before a lesson runs.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The question.
    pub text: &'static str,
    /// What one may answer.
    pub choices: &'static [&'static str],
    /// Which of them is right.
    pub right: usize,
}

/// A number that a person may change.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// By which it is called for.
    pub id: &'static str,
    /// The name on screen. A time is in seconds and says so.
    pub title: &'static str,
    /// What it is at first.
    pub default: f64,
    /// The least and the most that it can be.
    pub range: (f64, f64),
    /// Whether it is a count.
    pub is_count: bool,
    /// With what the lesson has to run for it to matter, if not with anything.
    pub cast: Option<Cast>,
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
            cast: None,
        }
    }

    /// A number of things, from `least` to `most`.
    pub const fn count(
        id: &'static str,
        title: &'static str,
        default: u32,
        least: u32,
        most: u32,
    ) -> Self {
        Self {
            id,
            title,
            default: default as f64,
            range: (least as f64, most as f64),
            is_count: true,
            cast: None,
        }
    }

    /// One that matters only where the lesson runs with this.
    #[must_use]
    pub const fn only(mut self, cast: Cast) -> Self {
        self.cast = Some(cast);
        self
    }

    /// Whether it can be so.
    pub fn takes(&self, value: f64) -> bool {
        (self.nearest(value) - value).abs() < f64::EPSILON
    }

    /// The nearest value that is in range, and whole where it is a count.
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

/// Who plays in a lesson beside its main thread.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Cast {
    /// Tasks.
    Task,
    /// Child processes.
    Process,
}

impl Cast {
    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Task => "Tasks",
            Self::Process => "Processes",
        }
    }
}

impl fmt::Display for Parameter {
    /// Its name, and what it can be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self.range;
        let kind = if self.is_count { "whole, " } else { "" };
        write!(f, "{} ({kind}{least} to {most})", self.id)
    }
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task",
            Self::Process => "process",
        })
    }
}

/// What a lesson is about, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// One worker and one join.
    Joining,
    /// How an end that was not meant crosses a join.
    Failing,
    /// Several workers.
    Several,
    /// Results and other data beside the join.
    Data,
    /// Who ends when, and who makes them.
    Ending,
    /// Work as programs have it.
    Work,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Joining,
        Self::Failing,
        Self::Several,
        Self::Data,
        Self::Ending,
        Self::Work,
    ];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Joining => "Joining one",
            Self::Failing => "When it fails",
            Self::Several => "Joining several",
            Self::Data => "Data beside the join",
            Self::Ending => "Ending",
            Self::Work => "Real work",
        }
    }
}

/// How much one has to know already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    First,
    /// What a join is.
    Second,
    /// What a channel and a lock are.
    Third,
}

impl Level {
    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::First => "easy",
            Self::Second => "medium",
            Self::Third => "hard",
        }
    }
}

impl Lesson {
    /// The parameters that matter where it runs with this.
    pub fn parameters_of(&self, cast: Cast) -> impl Iterator<Item = &'static Parameter> + use<> {
        let parameters = self.parameters.iter();
        parameters.filter(move |parameter| parameter.cast.is_none_or(|only| only == cast))
    }

    /// The parameter of that name.
    pub fn parameter(&self, id: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.id == id)
    }

    /// What runs, without what is said about it.
    pub fn code(&self) -> &'static str {
        let end = self.source.find("\n// About the lesson.");
        end.map_or(self.source, |end| self.source[..end].trim_end())
    }
}

/// A lesson of the list.
pub type LessonId = CatalogId<Lesson>;

impl LessonId {
    /// The lesson itself.
    pub fn lesson(self) -> &'static Lesson {
        self.entry()
    }
}

impl CatalogEntry for Lesson {
    const NOUN: &'static str = "lesson";
    const LIST_COMMAND: &'static str = "meanwhile lesson list";

    fn all() -> impl Iterator<Item = &'static Self> {
        all::ALL.iter().copied()
    }

    fn id(&self) -> &'static str {
        self.id
    }
}
