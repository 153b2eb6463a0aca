//! The README tells the truth: its promises are held by tests that exist, and what it shows is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of the conformance tables: of tasks, and of processes.
const PROMISES: [(char, usize); 2] = [('T', 24), ('P', 15)];

#[test]
fn every_promise_of_the_conformance_table_is_held_by_a_test_that_exists() {
    let tests = tests_in(&root().join("tests"));
    let readme = readme();
    for (kind, promises) in PROMISES {
        let rows: Vec<&str> = readme
            .lines()
            .filter(|line| line.starts_with(&format!("| {kind}")))
            .collect();
        assert_eq!(rows.len(), promises);
        for (row, number) in rows.iter().zip(1..) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells[0], format!("{kind}{number}"));
            for test in cells.last().expect("a row has cells").split(", ") {
                let test = test.trim_matches('`');
                assert!(
                    test.starts_with(&format!("{}{number}_", kind.to_ascii_lowercase())),
                    "{kind}{number} is held by `{test}`?"
                );
                assert!(
                    tests.iter().any(|name| name == test),
                    "no test is called `{test}`"
                );
            }
        }
    }
}

#[test]
fn the_example_it_shows_is_the_one_that_cargo_runs() {
    let example = read(&root().join("examples/minimal.rs"));
    assert!(readme().contains(&format!("```rust,no_run\n{example}```")));
}

#[test]
fn what_the_readme_links_to_is_there() {
    for file in ["README.md", "ARCHITECTURE.md"] {
        let text = read(&root().join(file));
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let is_here = target.starts_with("https://") || root().join(target).exists();
            assert!(is_here, "{file} links to {target}, which is not there");
        }
    }
}

#[test]
fn the_map_names_only_files_that_exist() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let quoted = text.split('`').skip(1).step_by(2);
    for path in quoted.filter(|text| {
        ["src/", "tests/", "examples/"]
            .iter()
            .any(|dir| text.starts_with(dir))
    }) {
        let file = path.split(',').next().expect("a split has a part");
        assert!(
            root().join(file).exists(),
            "ARCHITECTURE.md names {file}, which is not there"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    read(&root().join("README.md"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The names of all functions that `#[test]` stands before, in `folder` and below.
fn tests_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    let mut names = Vec::new();
    for path in paths {
        if path.is_dir() {
            names.extend(tests_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(tests_of(&read(&path)));
        }
    }
    names
}

fn tests_of(source: &str) -> Vec<String> {
    let after_attribute = source.split("#[test]").skip(1);
    let functions = after_attribute.filter_map(|rest| rest.split("fn ").nth(1));
    functions
        .filter_map(|rest| rest.split('(').next())
        .map(str::to_owned)
        .collect()
}
