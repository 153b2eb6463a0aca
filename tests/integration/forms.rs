//! The forms of the jobs, without a window.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use meanwhile::jobs::checksum::{self, Algorithm};
use meanwhile::jobs::form::{Field, Form, Note, PathKind, set_path};
use meanwhile::jobs::{JobInterface as _, Options, catalogue};

/// Records the labels, chooses the last of each choice and switches each toggle.
#[derive(Default)]
struct User {
    labels: Vec<&'static str>,
    notes: Vec<String>,
    paths: Vec<(&'static str, PathBuf)>,
}

impl Form for User {
    fn choice(&mut self, field: Field, choices: &[(&str, &str)], chosen: &mut usize) {
        self.labels.push(field.label);
        *chosen = choices.len() - 1;
    }

    fn decimal(&mut self, field: Field, value: &mut f64, range: RangeInclusive<f64>, _step: f64) {
        self.labels.push(field.label);
        assert!(range.contains(value), "{}: {value}", field.label);
    }

    fn seconds(&mut self, field: Field, secs: &mut f64) {
        self.decimal(field, secs, 0.0..=86_400.0, 0.1);
    }

    fn path(&mut self, field: Field, _: PathKind, _placeholder: &str, path: &mut PathBuf) {
        self.labels.push(field.label);
        self.paths.push((field.label, path.clone()));
    }

    fn integer(&mut self, field: Field, value: &mut u64, range: RangeInclusive<u64>) {
        self.labels.push(field.label);
        assert!(range.contains(value), "{}: {value}", field.label);
    }

    fn lines(&mut self, field: Field, _: &str, _rows: usize, _text: &mut String) -> bool {
        self.labels.push(field.label);
        false
    }

    fn note(&mut self, _note: Note, text: &str) {
        self.notes.push(text.to_owned());
    }

    fn text(&mut self, field: Field, _placeholder: &str, _text: &mut String) -> bool {
        self.labels.push(field.label);
        false
    }

    fn toggle(&mut self, field: Field, is_on: &mut bool) {
        self.labels.push(field.label);
        *is_on = !*is_on;
    }
}

#[test]
fn catalogue_has_every_job_in_its_order() {
    let ids: Vec<_> = catalogue().iter().map(|job| job.job().id()).collect();
    assert_eq!(
        ids,
        [
            "checksum",
            "verify",
            "audit",
            "command",
            "fetch",
            "images",
            "misbehave"
        ]
    );
    assert_eq!(catalogue()[0].job().title(), "Checksums");
}

#[test]
fn options_of_each_job_survive_serialisation() {
    for options in catalogue() {
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
    }
}

#[test]
fn labels_are_unique_and_defaults_are_in_range() {
    for mut options in catalogue() {
        let mut user = User::default();
        let job = options.job_mut();
        job.form(&[], &mut user);
        job.more_form(&mut user);
        let mut labels = user.labels.clone();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), user.labels.len(), "{:?}", user.labels);
        assert!(!labels.contains(&""));
    }
}

#[test]
fn path_from_a_dialog_reaches_its_row_alone() {
    let mut labels = Vec::new();
    for options in catalogue() {
        for (label, _) in paths(&options) {
            labels.push(label);
            let mut changed = options.clone();
            set_path(changed.job_mut(), label, "picked".into());
            let before = paths(&options).into_iter();
            let expected: Vec<_> = before
                .map(|(row, path)| (row, if row == label { "picked".into() } else { path }))
                .collect();
            assert_eq!(paths(&changed), expected);
        }
    }
    labels.sort_unstable();
    assert_eq!(
        labels,
        ["Folder", "List", "Names begin in", "Save to", "Save to"]
    );
}

fn paths(options: &Options) -> Vec<(&'static str, PathBuf)> {
    let mut user = User::default();
    let mut options = options.clone();
    options.job_mut().form(&[], &mut user);
    options.job_mut().more_form(&mut user);
    user.paths
}

#[test]
fn form_changes_the_options() {
    let mut options = checksum::Options::default();
    let mut user = User::default();
    options.form(&[PathBuf::from("disk.iso")], &mut user);
    let expected = checksum::Options {
        algorithm: *Algorithm::ALL.last().unwrap(),
        ..checksum::Options::default()
    };
    assert_eq!(options, expected);
    assert_eq!(user.notes, [""; 0]);
}

#[test]
fn input_that_looks_like_a_list_has_a_hint() {
    let mut options = checksum::Options::default();
    let mut user = User::default();
    options.form(&["a/SHA256SUMS".into()], &mut user);
    assert!(user.notes[0].starts_with("SHA256SUMS looks like a list"));
}

#[test]
fn form_offers_more_digests_one_by_one() {
    let mut options = checksum::Options::default();
    let mut user = User::default();
    options.more_form(&mut user);
    let labels = [
        "Bytes of a digest",
        "Second algorithm",
        "Third algorithm",
        "Fourth algorithm",
        "Name the algorithm",
    ];
    assert_eq!(user.labels, labels);
    let last = Algorithm::ALL.last().copied().unwrap();
    assert_eq!(options.kinds(), [Algorithm::Blake3.into(), last.into()]);
    assert!(options.form.tag);
}
