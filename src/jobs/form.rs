//! The options of a job as rows of a form. A job says which rows there are; the window draws them.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::JobInterface;
use crate::choice::Choice;

/// The label of a row and the hint that appears while the pointer rests on its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub label: &'static str,
    /// A sentence; empty for none.
    pub hint: &'static str,
}

impl Field {
    /// A field with a hint.
    pub const fn new(label: &'static str, hint: &'static str) -> Self {
        Self { label, hint }
    }

    /// A field whose label says enough.
    pub const fn named(label: &'static str) -> Self {
        Self::new(label, "")
    }
}

/// The kind of a [`Form::note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A command as it will be run.
    Code,
    /// Advice.
    Hint,
    /// Something that the user has to correct.
    Problem,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    File,
    Folder,
}

/// Draws rows. Each call adds one; one that takes a value changes it when the user does.
pub trait Form {
    /// One of a few, each a title and a hint.
    fn choice(&mut self, field: Field, choices: &[(&str, &str)], chosen: &mut usize);

    /// A number with a fraction; `step` is what one point of a drag adds.
    fn decimal(&mut self, field: Field, value: &mut f64, range: RangeInclusive<f64>, step: f64);

    fn integer(&mut self, field: Field, value: &mut u64, range: RangeInclusive<u64>);

    /// A text of several lines, with room for `rows` at first. Returns whether the user changed it.
    fn lines(&mut self, field: Field, placeholder: &str, rows: usize, text: &mut String) -> bool;

    /// A text that the user can't edit.
    fn note(&mut self, note: Note, text: &str);

    /// A path, which the user types or picks in a dialog.
    fn path(&mut self, field: Field, kind: PathKind, placeholder: &str, path: &mut PathBuf);

    /// A text of one line. Returns whether the user changed it.
    fn text(&mut self, field: Field, placeholder: &str, text: &mut String) -> bool;

    /// A duration in seconds, up to a day. The user may also type one such as `5m` or `1h30m`.
    fn seconds(&mut self, field: Field, secs: &mut f64);

    fn toggle(&mut self, field: Field, is_on: &mut bool);
}

impl dyn Form + '_ {
    /// One of the values of an option.
    pub fn choose<T: Choice>(&mut self, field: Field, value: &mut T) {
        let all = T::all();
        let choices: Vec<_> = all.iter().map(|one| (one.title(), one.hint())).collect();
        let mut chosen = all.iter().position(|one| one == value).unwrap_or(0);
        self.choice(field, &choices, &mut chosen);
        *value = all[chosen];
    }

    /// A whole number of any type.
    pub fn number<T>(&mut self, field: Field, value: &mut T, range: RangeInclusive<u64>)
    where
        T: Copy + TryFrom<u64> + TryInto<u64>,
    {
        let mut number = (*value).try_into().unwrap_or(u64::MAX);
        self.integer(field, &mut number, range);
        *value = T::try_from(number).unwrap_or(*value);
    }
}

/// Gives the row of this label a path that the user has picked in a dialog. Does nothing if the form has no
/// such row (any more).
pub fn set_path(job: &mut dyn JobInterface, label: &str, path: PathBuf) {
    let mut form = SetPath {
        label,
        path: Some(path),
    };
    job.form(&[], &mut form);
    job.more_form(&mut form);
}

/// Fills in one row, and leaves all others as they are.
struct SetPath<'a> {
    label: &'a str,
    /// Taken by the row.
    path: Option<PathBuf>,
}

impl Form for SetPath<'_> {
    fn path(&mut self, field: Field, _: PathKind, _placeholder: &str, path: &mut PathBuf) {
        if field.label == self.label
            && let Some(picked) = self.path.take()
        {
            *path = picked;
        }
    }

    fn choice(&mut self, _: Field, _choices: &[(&str, &str)], _chosen: &mut usize) {}

    fn decimal(&mut self, _: Field, _value: &mut f64, _: RangeInclusive<f64>, _step: f64) {}

    fn integer(&mut self, _: Field, _value: &mut u64, _: RangeInclusive<u64>) {}

    fn lines(&mut self, _: Field, _placeholder: &str, _rows: usize, _text: &mut String) -> bool {
        false
    }

    fn note(&mut self, _: Note, _text: &str) {}

    fn text(&mut self, _: Field, _placeholder: &str, _text: &mut String) -> bool {
        false
    }

    fn seconds(&mut self, _: Field, _secs: &mut f64) {}

    fn toggle(&mut self, _: Field, _is_on: &mut bool) {}
}
