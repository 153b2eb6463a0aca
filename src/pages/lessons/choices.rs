use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::lessons::{LessonId, LessonOutcome, LessonRunOptions, WorkerKind};

/// The user's settings, answers and progress in the lessons, kept between runs of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LessonChoices {
    /// The factor by which every sleep is shortened.
    pub speed: f64,
    /// The kind of worker of each lesson, if it is not the lesson's default.
    #[serde(rename = "cast")]
    pub worker_kinds: BTreeMap<String, WorkerKind>,
    /// The changed parameters of each lesson.
    pub parameters: BTreeMap<String, BTreeMap<String, f64>>,
    /// The answer to the question of each lesson.
    pub answers: BTreeMap<String, usize>,
    /// The answer that was given before the last run of each lesson that went as expected.
    #[serde(rename = "judged")]
    pub tested: BTreeMap<String, usize>,
    /// The lessons that have gone as expected.
    pub done: BTreeSet<String>,
    /// The language in which the programs are shown.
    pub language: Language,
}

/// The versions of the program of a lesson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust with std alone, which newcomers can read.
    #[default]
    PlainStd,
    Python,
    /// The program that runs.
    Code,
}

impl Default for LessonChoices {
    fn default() -> Self {
        Self {
            speed: 1.0,
            worker_kinds: BTreeMap::new(),
            parameters: BTreeMap::new(),
            answers: BTreeMap::new(),
            tested: BTreeMap::new(),
            done: BTreeSet::new(),
            language: Language::default(),
        }
    }
}

impl LessonChoices {
    /// The range of [`speed`](Self::speed).
    pub const SPEED: std::ops::RangeInclusive<f64> = 0.25..=20.0;

    pub fn options(&self, lesson: LessonId) -> LessonRunOptions {
        let id = lesson.lesson().id;
        LessonRunOptions {
            lesson,
            worker_kind: self.worker_kind_of(lesson),
            speed: self.speed,
            parameters: self.parameters.get(id).cloned().unwrap_or_default(),
        }
    }

    /// The kind of worker for a run of the lesson.
    pub fn worker_kind_of(&self, lesson: LessonId) -> WorkerKind {
        let chosen = self.worker_kinds.get(lesson.lesson().id).copied();
        chosen.unwrap_or(lesson.lesson().worker_kinds[0])
    }

    /// Records the outcome of a run that began when `answer` was chosen. Only a run that went as
    /// expected counts as progress and tests the answer.
    pub fn record(&mut self, lesson: LessonId, answer: Option<usize>, outcome: &LessonOutcome) {
        if *outcome != LessonOutcome::AsExpected {
            return;
        }
        let id = lesson.lesson().id;
        self.done.insert(id.to_owned());
        if let Some(answer) = answer {
            self.tested.insert(id.to_owned(), answer);
        }
    }

    /// Forgets everything about the lesson.
    pub fn reset(&mut self, lesson: LessonId) {
        let id = lesson.lesson().id;
        self.worker_kinds.remove(id);
        self.parameters.remove(id);
        self.answers.remove(id);
        self.tested.remove(id);
        self.done.remove(id);
    }

    /// Whether anything about the lesson was chosen, answered or done.
    pub fn knows(&self, lesson: LessonId) -> bool {
        let id = lesson.lesson().id;
        self.worker_kinds.contains_key(id)
            || self.parameters.contains_key(id)
            || self.answers.contains_key(id)
            || self.tested.contains_key(id)
            || self.done.contains(id)
    }

    /// Whether a run has tested the current answer.
    pub fn is_tested(&self, lesson: LessonId) -> bool {
        let id = lesson.lesson().id;
        let answer = self.answers.get(id);
        answer.is_some() && answer == self.tested.get(id)
    }

    /// Brings values from a file into their ranges, and drops those of unknown lessons.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        if !Self::SPEED.contains(&self.speed) {
            self.speed = 1.0;
        }
        let lesson = |id: &str| Some(id.parse::<LessonId>().ok()?.lesson());
        self.worker_kinds
            .retain(|id, kind| lesson(id).is_some_and(|lesson| lesson.worker_kinds.contains(kind)));
        for answers in [&mut self.answers, &mut self.tested] {
            answers.retain(|id, answer| {
                lesson(id).is_some_and(|lesson| *answer < lesson.question.choices.len())
            });
        }
        self.done.retain(|id| lesson(id).is_some());
        self.parameters.retain(|id, values| {
            let Some(lesson) = lesson(id) else {
                return false;
            };
            values.retain(|name, value| {
                let parameter = lesson.parameter(name);
                *value = parameter.map_or(0.0, |parameter| parameter.nearest(*value));
                parameter.is_some()
            });
            !values.is_empty()
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join() -> LessonId {
        "join".parse().unwrap()
    }

    #[test]
    fn values_from_a_file_are_brought_into_range() {
        let mut choices = LessonChoices {
            speed: f64::NAN,
            ..LessonChoices::default()
        };
        let values = BTreeMap::from([("work".to_owned(), -3.0)]);
        choices.parameters.insert("join".to_owned(), values);
        let options = choices.sanitized().options(join());
        assert_eq!((options.speed, options.parameters["work"]), (1.0, 0.0));
    }

    #[test]
    fn only_an_expected_outcome_tests_the_answer() {
        let mut choices = LessonChoices::default();
        choices.answers.insert("join".to_owned(), 0);
        for outcome in [
            LessonOutcome::Unexpected("too slow".to_owned()),
            LessonOutcome::Failed("no space".to_owned()),
            LessonOutcome::Stopped,
        ] {
            choices.record(join(), Some(0), &outcome);
            assert!(
                choices.done.is_empty() && !choices.is_tested(join()),
                "{outcome}"
            );
        }
        choices.record(join(), Some(0), &LessonOutcome::AsExpected);
        assert!(choices.done.contains("join") && choices.is_tested(join()));
        // This answer was not chosen when the run began.
        choices.answers.insert("join".to_owned(), 1);
        assert!(!choices.is_tested(join()));
    }
}
