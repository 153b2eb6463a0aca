use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::{Field, Form, Note, PathKind};
use crate::jobs::JobInterface;

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
