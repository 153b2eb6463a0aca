use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::lessons::{Cast, Choice, Ending, LessonId};

/// What a person chose and answered in the lessons, and how far they came; remembered between runs.
///
/// ```
/// use meanwhile::lessons::LessonId;
/// use meanwhile::pages::lessons::LessonChoices;
///
/// let join: LessonId = "join".parse()?;
/// let mut choices = LessonChoices::default();
/// choices.speed = f64::NAN; // as it may come from a file that somebody edited
/// choices.parameters.entry("join".to_owned()).or_default().insert("work".to_owned(), -3.0);
/// let choice = choices.sanitized().choice(join);
/// assert_eq!((choice.speed, choice.parameters["work"]), (1.0, 0.0));
/// # Ok::<(), meanwhile::lessons::UnknownLesson>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LessonChoices {
    /// By how much every pause is shortened.
    pub speed: f64,
    /// With what each lesson runs, where that is not its default.
    pub cast: BTreeMap<String, Cast>,
    /// The parameters of each lesson that were changed.
    pub parameters: BTreeMap<String, BTreeMap<String, f64>>,
    /// What was answered to the question of each lesson.
    pub answers: BTreeMap<String, usize>,
    /// Which answer was given to each lesson that has run as it says, when the last such run began.
    pub judged: BTreeMap<String, usize>,
    /// The lessons that have run as they say.
    pub done: BTreeSet<String>,
}

impl Default for LessonChoices {
    fn default() -> Self {
        Self {
            speed: 1.0,
            cast: BTreeMap::new(),
            parameters: BTreeMap::new(),
            answers: BTreeMap::new(),
            judged: BTreeMap::new(),
            done: BTreeSet::new(),
        }
    }
}

impl LessonChoices {
    /// How fast a lesson can run.
    pub const SPEED: std::ops::RangeInclusive<f64> = 0.25..=20.0;

    /// How a lesson is to be run.
    pub fn choice(&self, lesson: LessonId) -> Choice {
        let id = lesson.lesson().id;
        Choice {
            lesson,
            cast: self.cast_of(lesson),
            speed: self.speed,
            parameters: self.parameters.get(id).cloned().unwrap_or_default(),
        }
    }

    /// With what a lesson is to run.
    pub fn cast_of(&self, lesson: LessonId) -> Cast {
        let chosen = self.cast.get(lesson.lesson().id).copied();
        chosen.unwrap_or(lesson.lesson().cast[0])
    }

    /// Takes in how a run of a lesson ended that began when `answer` was chosen. Only what went as
    /// the lesson says tells right from wrong, and is progress.
    ///
    /// ```
    /// use meanwhile::lessons::{Ending, LessonId};
    /// use meanwhile::pages::lessons::LessonChoices;
    ///
    /// let join: LessonId = "join".parse()?;
    /// let mut choices = LessonChoices::default();
    /// choices.answers.insert("join".to_owned(), 0);
    /// for ending in [
    ///     Ending::NotHeld("it was too slow".to_owned()),
    ///     Ending::Failed("no room".to_owned()),
    ///     Ending::Stopped,
    /// ] {
    ///     choices.note(join, Some(0), &ending);
    ///     assert!(choices.done.is_empty() && !choices.is_judged(join), "{ending}");
    /// }
    /// choices.note(join, Some(0), &Ending::Held);
    /// assert!(choices.done.contains("join") && choices.is_judged(join));
    ///
    /// choices.answers.insert("join".to_owned(), 1);
    /// assert!(!choices.is_judged(join)); // that answer was not given when the run began
    /// # Ok::<(), meanwhile::lessons::UnknownLesson>(())
    /// ```
    pub fn note(&mut self, lesson: LessonId, answer: Option<usize>, ending: &Ending) {
        if *ending != Ending::Held {
            return;
        }
        let id = lesson.lesson().id;
        self.done.insert(id.to_owned());
        if let Some(answer) = answer {
            self.judged.insert(id.to_owned(), answer);
        }
    }

    /// Whether the answer to the question of a lesson is the one that a run has judged.
    pub fn is_judged(&self, lesson: LessonId) -> bool {
        let id = lesson.lesson().id;
        let answer = self.answers.get(id);
        answer.is_some() && answer == self.judged.get(id)
    }

    /// Brings values that came from a file back into what the window can show, without those of
    /// lessons that are not there.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        if !Self::SPEED.contains(&self.speed) {
            self.speed = 1.0;
        }
        let lesson = |id: &str| Some(id.parse::<LessonId>().ok()?.lesson());
        self.cast
            .retain(|id, cast| lesson(id).is_some_and(|lesson| lesson.cast.contains(cast)));
        for answers in [&mut self.answers, &mut self.judged] {
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
