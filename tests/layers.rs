//! The layers of the crate, held by reading its source: what a module may use, and what nobody may.
//!
//! Only code counts: comment lines are left out, so documentation may name whatever it explains.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of the crate with its layer. One may use those of its own layer and below.
const LAYERS: [(&str, usize); 14] = [
    ("catalog", 0),
    ("desktop", 0),
    ("format", 0),
    ("join", 0),
    ("jobs", 1),
    ("record", 1),
    ("board", 2),
    ("lab", 3),
    ("lessons", 3),
    ("ui", 4),
    ("pages", 5),
    ("app", 6),
    ("cli", 6),
    ("watchdog", 1),
];

#[test]
fn no_module_uses_one_of_a_layer_above_it() {
    let mut upward = Vec::new();
    for file in sources("src") {
        let Some(from) = module_of(&file.path) else {
            continue;
        };
        for to in modules_used(&file) {
            if layer(&to) > layer(&from) {
                upward.push(format!("{}: `{from}` uses `{to}`", file.path.display()));
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn every_module_has_a_layer() {
    let modules: BTreeSet<String> = sources("src")
        .iter()
        .filter_map(|file| module_of(&file.path))
        .collect();
    assert!(!modules.is_empty(), "no source was read");
    let without: Vec<_> = modules
        .iter()
        .filter(|name| layer(name).is_none())
        .collect();
    assert!(without.is_empty(), "give these a layer: {without:?}");
}

#[test]
fn the_join_library_knows_no_window_and_no_format() {
    assert_unused(
        "join",
        &[
            "eframe",
            "egui",
            "egui_extras",
            "rfd",
            "serde",
            "serde_json",
        ],
    );
}

#[test]
fn jobs_record_board_and_lessons_draw_nothing() {
    for module in ["board", "jobs", "lessons", "record"] {
        assert_unused(module, &["eframe", "egui", "egui_extras", "rfd"]);
    }
}

#[test]
fn only_the_app_and_its_panels_know_the_window() {
    for module in ["cli", "join"] {
        assert_unused(module, &["eframe", "egui", "egui_extras"]);
    }
}

#[test]
fn a_lint_is_expected_with_a_reason_never_allowed() {
    let patterns = [concat!("#[", "allow("), concat!("#![", "allow(")];
    let mut allowing = Vec::new();
    for file in ["src", "tests", "benches", "examples"]
        .into_iter()
        .flat_map(sources)
    {
        if patterns.iter().any(|pattern| file.code.contains(pattern)) {
            allowing.push(file.path);
        }
    }
    assert!(
        allowing.is_empty(),
        "use `#[expect(…, reason = \"…\")]` in {allowing:?}"
    );
}

#[test]
fn unsafe_code_stays_forbidden_and_panics_unwind() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let aborts = manifest
        .lines()
        .any(|line| line.trim() == "panic = \"abort\"");
    assert!(
        !aborts,
        "an abort would end the program where a panic must become an outcome"
    );
}

/// A source file without its comment lines.
struct Source {
    path: PathBuf,
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, by path; none when there is no such folder.
fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(source(&path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("source is UTF-8");
    let code: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let path = path
        .strip_prefix(root())
        .expect("found below the root")
        .to_owned();
    Source {
        path,
        code: code.join("\n"),
    }
}

/// `jobs` for `src/jobs.rs` and all of `src/jobs/`; none for the crate's two roots.
fn module_of(path: &Path) -> Option<String> {
    let first = path.strip_prefix("src").ok()?.components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&name)).then(|| name.to_owned())
}

fn layer(module: &str) -> Option<usize> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, layer)| *layer)
}

/// The crate's modules that a file names from the root: `crate::board`, `super::board`, `crate::{board, ui}`.
fn modules_used(file: &Source) -> BTreeSet<String> {
    let to_root = "super::".repeat(depth(&file.path));
    let mut used = BTreeSet::new();
    for root in ["crate::", "meanwhile::", &to_root] {
        for (at, _) in file.code.match_indices(root) {
            let deeper = file.code[..at].ends_with("super::");
            if starts_a_word(&file.code, at) && !deeper {
                used.extend(first_names(&file.code[at + root.len()..]));
            }
        }
    }
    used.retain(|name| layer(name).is_some());
    used
}

/// How many `super::` lead from the file's module to the root of the crate.
fn depth(path: &Path) -> usize {
    let below_src = path.components().count() - 1;
    if path.ends_with("mod.rs") {
        below_src - 1
    } else {
        below_src
    }
}

/// The name a path begins with, or all of them when it begins with a group.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let mut names = vec![word(group)];
    let mut open = 1;
    for (at, character) in group.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => names.push(word(&group[at + 1..])),
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    names
}

fn word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| is_word(*c))
        .collect()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn starts_a_word(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(is_word)
}

/// Fails when a file of `module` has a path that begins with one of `crates`.
fn assert_unused(module: &str, crates: &[&str]) {
    let mut uses = Vec::new();
    for file in sources("src")
        .iter()
        .filter(|file| module_of(&file.path).as_deref() == Some(module))
    {
        for name in crates.iter().filter(|name| names_crate(&file.code, name)) {
            uses.push(format!("{} uses {name}", file.path.display()));
        }
    }
    assert!(uses.is_empty(), "{uses:#?}");
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let rest = &code[at + name.len()..];
        let is_path = rest.starts_with("::") || rest.starts_with(';');
        is_path && starts_a_word(code, at)
    })
}

#[test]
fn a_path_is_found_in_each_of_its_forms() {
    let used = |path: &str, code: &str| {
        let file = Source {
            path: path.into(),
            code: code.to_owned(),
        };
        modules_used(&file).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        used("src/jobs/a.rs", "use crate::board::JobBoard;"),
        ["board"]
    );
    assert_eq!(
        used("src/jobs/a.rs", "use crate::{board::{self, X}, ui};"),
        ["board", "ui"]
    );
    assert_eq!(
        used("src/jobs/a.rs", "let x = super::super::app::run();"),
        ["app"]
    );
    assert_eq!(used("src/jobs/mod.rs", "use super::app;"), ["app"]);
    assert_eq!(used("src/jobs/a.rs", "use super::app;"), [""; 0]);
    assert!(names_crate("use egui::Ui;", "egui"));
    assert!(!names_crate("use my_egui::Ui;", "egui"));
}
