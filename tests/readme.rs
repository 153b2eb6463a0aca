//! The documentation is true: its promises are held by tests that run, its links and file names
//! lead somewhere, and the README is short.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The conformance tables: their file, the letter of their rows, and how many rows they have.
const CONFORMANCE: [(&str, char, usize); 2] = [
    ("src/join/CONFORMANCE.md", 'T', 39),
    ("src/join/process/CONFORMANCE.md", 'P', 33),
];

/// How many words the README may have before its licences.
const MAX_README_WORDS: usize = 900;

/// The end of the reason of every ignored test.
const RUN_BY_ALL: &str = "; tests/all.sh runs it";

#[test]
fn every_conformance_row_names_a_test_that_runs() {
    let tests = tests();
    for (file, kind, count) in CONFORMANCE {
        let text = read(&root().join(file));
        let rows: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(&format!("| {kind}")))
            .filter(|line| line[3..].starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        assert_eq!(rows.len(), count, "{file}");
        for (row, number) in rows.iter().zip(1..) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells[0], format!("{kind}{number}"), "{file}");
            for name in cells.last().expect("a row has cells").split(", ") {
                let name = name.trim_matches('`');
                let prefix = format!("{}{number}_", kind.to_ascii_lowercase());
                assert!(name.starts_with(&prefix), "{kind}{number} names `{name}`");
                let test = tests.iter().find(|test| test.name == name);
                let test = test.unwrap_or_else(|| panic!("there is no test `{name}`"));
                assert!(test.runs(), "`{name}` is ignored");
            }
        }
    }
}

#[test]
fn every_ignored_test_is_run_by_all_sh() {
    let all = read(&root().join("tests/all.sh"));
    for test in tests().iter().filter(|test| test.ignored.is_some()) {
        assert!(test.runs(), "{} does not name its step", test.name);
        let step = format!("--test {} -- --ignored", test.binary);
        assert!(all.contains(&step), "tests/all.sh lacks `{step}`");
    }
}

#[test]
fn readme_is_short() {
    let text = read(&root().join("README.md"));
    let end = text
        .find("\n## Licence")
        .expect("the README ends with its licences");
    let words = text[..end].split_whitespace();
    let words = words.filter(|word| word.contains(char::is_alphanumeric));
    let count = words.count();
    assert!(count <= MAX_README_WORDS, "the README has {count} words");
}

#[test]
fn job_tutorial_has_the_files_that_are_tested() {
    let tutorial = read(&root().join("CONTRIBUTING.md"));
    for name in ["mod.rs", "interface.rs"] {
        let file = root().join("tests/tutorial/lines").join(name);
        let block = format!("```rust,ignore\n{}```\n", read(&file));
        assert!(
            tutorial.contains(&block),
            "CONTRIBUTING.md differs from {}",
            file.display()
        );
    }
}

#[test]
fn every_link_leads_to_a_file() {
    let files = files("", "md");
    assert!(files.len() > 5, "too few documents found: {files:?}");
    for file in files {
        let text = read(&file);
        let folder = file.parent().expect("a file is in a folder");
        for target in links(&text) {
            // rustdoc checks the links to items.
            if target.starts_with("https://") || target.contains("::") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                file.clone()
            } else {
                folder.join(path)
            };
            assert!(path.exists(), "{} links to {target}", file.display());
            assert!(
                anchor.is_empty() || anchors(&read(&path)).contains(anchor),
                "{} links to {target}, which has no such heading",
                file.display()
            );
        }
    }
}

#[test]
fn every_picture_is_shown_in_a_document() {
    let mut shown = BTreeSet::new();
    for file in files("", "md") {
        let folder = file.parent().expect("a file is in a folder").to_owned();
        let text = read(&file);
        shown.extend(links(&text).filter_map(|target| folder.join(target).canonicalize().ok()));
    }
    for picture in ["gif", "png"]
        .into_iter()
        .flat_map(|name| files("screenshots", name))
    {
        let path = picture.canonicalize().expect("it was just listed");
        assert!(
            shown.contains(&path),
            "no document shows {}",
            picture.display()
        );
    }
}

#[test]
fn code_map_names_only_existing_files() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let sources = files("src", "rs");
    let mut found = 0;
    // Each section is about the folder or file that its heading quotes, if it quotes one.
    for section in text.split("\n### ") {
        let heading = section.lines().next().unwrap_or_default();
        let about = heading.split('`').nth(1).unwrap_or("src");
        let folder = root().join(about).with_extension("");
        let quoted = section.split('`').skip(1).step_by(2);
        for quote in quoted
            .flat_map(|quote| quote.split(", "))
            .filter(|quote| is_file(quote))
        {
            let exists = root().join(quote).exists()
                || root().join("src").join(quote).exists()
                || sources
                    .iter()
                    .filter(|path| path.starts_with(&folder) || **path == root().join(about))
                    .any(|path| path.ends_with(quote));
            assert!(exists, "the section '{heading}' names {quote}");
            found += 1;
        }
    }
    assert!(found > 30, "only {found} file names found");
}

/// Whether quoted text is the name of a file or folder of the repository.
fn is_file(text: &str) -> bool {
    let extension = Path::new(text).extension().and_then(|name| name.to_str());
    let has_path_letters = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    has_path_letters
        && (matches!(extension, Some("md" | "py" | "rs" | "sh" | "toml"))
            || ["benches/", "examples/", "src/", "tests/"]
                .iter()
                .any(|folder| text.starts_with(folder)))
}

/// The targets of all links and pictures in a Markdown text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// The anchors of the headings of a Markdown text.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        heading
            .trim_start_matches('#')
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| {
                if c == ' ' {
                    '-'
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect()
    };
    headings.map(anchor).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The files with this extension in a folder of the repository and below, build outputs left out.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("an entry has a name");
            if path.is_dir() {
                let is_source = name != "target" && !name.as_encoded_bytes().starts_with(b".");
                folders.extend(is_source.then_some(path));
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files
}

/// A test function.
struct Test {
    name: String,
    /// The test binary that has it; empty for the tests in `src`.
    binary: String,
    /// The reason for which plain `cargo test` leaves it out.
    ignored: Option<String>,
}

impl Test {
    fn runs(&self) -> bool {
        let reason = self.ignored.as_deref();
        reason.is_none_or(|reason| reason.ends_with(RUN_BY_ALL))
    }
}

/// All test functions in `src` and `tests`.
fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for file in ["src", "tests"].iter().flat_map(|dir| files(dir, "rs")) {
        let below_tests = file.strip_prefix(root().join("tests")).ok();
        let first = below_tests.and_then(|path| path.iter().next());
        let binary = first.and_then(|name| Path::new(name).file_stem());
        let binary = binary.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let source = read(&file);
        // Split, so that this file has no test here.
        for rest in source.split(concat!("#[", "test]")).skip(1) {
            let Some((attributes, rest)) = rest.split_once("fn ") else {
                continue;
            };
            let ignored = attributes.split_once("#[ignore").map(|(_, reason)| {
                let reason = reason.split('"').nth(1);
                reason.unwrap_or_default().to_owned()
            });
            let name = rest.split('(').next().unwrap_or_default().to_owned();
            tests.push(Test {
                name,
                binary: binary.clone(),
                ignored,
            });
        }
    }
    tests
}
