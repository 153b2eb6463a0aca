//! Rules about the source: which module may use which, and what no module may do.
//!
//! The tests of layers read code alone, without its comment lines, so documentation may name any
//! module that it explains.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cycles::modules_form_no_cycle;

#[path = "layers/cycles.rs"]
mod cycles;

/// Every module with its layer. `explain`, `join` and `supervise` are packages of their own, which can't use the others. A module may use modules of its own layer and below.
const LAYERS: [(&str, usize); 20] = [
    ("catalogue_id", 0),
    ("choice", 0),
    ("desktop", 0),
    ("explain", 0),
    ("first_process", 0),
    ("format", 0),
    ("join", 0),
    ("late_frame", 0),
    ("message", 0),
    ("supervise", 0),
    ("trace", 0),
    ("jobs", 1),
    ("record", 1),
    ("board", 2),
    ("lab", 3),
    ("lessons", 3),
    ("ui", 4),
    ("pages", 5),
    ("app", 6),
    ("cli", 6),
];

/// How long the name of a test may be.
const MAX_TEST_NAME_LEN: usize = 50;

/// Words that once had a meaning of their own in this project. CONTRIBUTING.md has their replacements.
const RETIRED_WORDS: [&str; 8] = [
    "afterwards",
    "backstage",
    "chores",
    "crew",
    "house",
    "owed",
    "staff",
    "told",
];

#[test]
fn modules_use_no_layer_above_their_own() {
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
fn modules_of_join_form_no_cycle() {
    let folders = folders_below("src/join");
    assert!(
        folders.contains(&"src/join/graph".to_owned()),
        "{folders:?}"
    );
    for folder in folders {
        modules_form_no_cycle(&folder);
    }
}

#[test]
fn modules_of_board_and_record_form_no_cycle() {
    for folder in [
        "src/board",
        "src/board/isolated",
        "src/board/run",
        "src/record",
    ] {
        modules_form_no_cycle(folder);
    }
}

#[test]
fn modules_of_lab_form_no_cycle() {
    modules_form_no_cycle("src/lab");
    modules_form_no_cycle("src/lab/twin");
}

#[test]
fn no_module_of_the_program_is_documented() {
    let code = source(&root().join("src/lib.rs")).code;
    let lines: Vec<&str> = code.lines().collect();
    let documented: Vec<&str> = lines
        .windows(2)
        .filter(|pair| pair[0] != "#[doc(hidden)]")
        .filter_map(|pair| pair[1].strip_prefix("pub mod "))
        .collect();
    assert_eq!(documented, [""; 0]);
}

#[test]
fn jobs_record_board_and_lessons_draw_nothing() {
    for module in ["board", "jobs", "lessons", "record"] {
        assert_unused(module, &["eframe", "egui", "egui_extras", "rfd"]);
    }
}

#[test]
fn cli_uses_no_window_toolkit() {
    assert_unused("cli", &["eframe", "egui", "egui_extras"]);
}

#[test]
fn only_its_folder_and_one_line_name_a_job() {
    let folders = folders_in("src/jobs");
    let names = variants_of_the_catalogue();
    assert!(folders.len() >= 5 && names.len() >= 13, "{names:?}");
    let mut found = Vec::new();
    for file in sources("src") {
        let path = file.path.display();
        let is_in_folder = file.path.starts_with("src/jobs") && file.path.components().count() > 3;
        // The lessons show how a task calls the code of a job.
        let is_lesson = file.path.starts_with("src/lessons/all");
        let is_tutorial = file.path == Path::new("src/jobs/tutorial.rs");
        if is_in_folder || is_lesson || is_tutorial {
            continue;
        }
        // Unit tests may use any job as an example.
        let code = file.code.split("#[cfg(test)]\nmod tests").next();
        let mut code = code.unwrap_or_default().to_owned();
        if file.path == Path::new("src/jobs/mod.rs") {
            code = code.replace(&list_of("src/jobs/mod.rs", "catalogue"), "");
        }
        for name in names.iter().filter(|name| has_path(&code, name)) {
            found.push(format!("{path}: {name}"));
        }
        if file.path.starts_with("src/jobs") {
            let paths = folders.iter().map(|folder| format!("{folder}::"));
            let used = paths.filter(|start| has_path(&code, start));
            found.extend(used.map(|start| format!("{path}: {start}")));
        }
        for (at, prefix) in code.match_indices("jobs::") {
            let used = first_names(&code[at + prefix.len()..]);
            for folder in used.iter().filter(|name| folders.contains(name)) {
                found.push(format!("{path}: jobs::{folder}"));
            }
        }
    }
    assert!(
        found.is_empty(),
        "ask the `JobInterface` of the job, or add a method to it: {found:#?}"
    );
}

#[test]
fn page_or_job_takes_its_folder_and_one_line() {
    for (parent, list) in [("src/jobs", "catalogue"), ("src/pages", "pages")] {
        let file = format!("{parent}/mod.rs");
        let lines = list_of(&file, list);
        let code = source(&root().join(&file)).code;
        for folder in folders_in(parent) {
            let listed = lines.lines().filter(|line| {
                let words = line.split(|c| !is_word(c));
                line.contains(": ") && words.clone().any(|word| word == folder)
            });
            assert_eq!(listed.count(), 1, "{folder} in `{list}!`");
            let module = format!("mod {folder};");
            assert!(!code.contains(&module), "`{list}!` declares {folder}");
        }
    }
}

/// The names of the folders in a folder.
fn folders_in(parent: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(parent)).expect("the folder can be read");
    let entries = entries.map(|entry| entry.expect("the folder can be read"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect()
}

/// This folder and all below it, from the root of the repository.
fn folders_below(folder: &str) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    for name in folders_in(folder) {
        folders.extend(folders_below(&format!("{folder}/{name}")));
    }
    folders
}

/// The lines between the braces of the macro `name` in a file.
fn list_of(file: &str, name: &str) -> String {
    let code = source(&root().join(file)).code;
    let list = code.split_once(&format!("\n{name}! {{\n"));
    let (_, list) = list.expect("the file calls the macro");
    let (list, _) = list.split_once("\n}\n").expect("the list has an end");
    list.to_owned()
}

/// The variants of `Options`, `Step` and `Output` that belong to one job, from the lines
/// `Variant: folder step(Variant) output(Variant),` of the catalogue.
fn variants_of_the_catalogue() -> Vec<String> {
    let mut variants = Vec::new();
    for line in list_of("src/jobs/mod.rs", "catalogue").lines() {
        for (before, of) in [
            ("    ", "Options"),
            (" step(", "Step"),
            (" output(", "Output"),
        ] {
            let variant = match line.split_once(before) {
                Some((_, rest)) if line.contains(": ") => word(rest),
                _ => continue,
            };
            variants.push(format!("{of}::{variant}"));
        }
    }
    variants
}

/// Whether the code has the path `name`, which is not a part of other words. It may end in `::`.
fn has_path(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let is_whole = name.ends_with(':') || !code[at + name.len()..].starts_with(is_word);
        is_whole && starts_a_word(code, at)
    })
}

/// The units that only `src/format.rs` may write after a number.
const UNITS: [&str; 10] = [
    "ns", "µs", "ms", "s", "min", "h", "KiB", "MiB", "GiB", "TiB",
];

#[test]
fn only_format_writes_numbers_with_units() {
    let mut found = Vec::new();
    for file in sources("src") {
        // A lesson shows its reader a whole program, and a package of its own can't use the program.
        let others = [
            "src/format.rs",
            "src/lessons/all",
            "src/explain",
            "src/join/watchdog",
        ];
        if others.iter().any(|other| file.path.starts_with(other)) {
            continue;
        }
        let lines = file.code.lines().filter(|line| writes_a_unit(line));
        found.extend(lines.map(|line| format!("{}: {}", file.path.display(), line.trim())));
    }
    assert!(found.is_empty(), "use a function of `format`: {found:#?}");
}

/// Whether a line has a placeholder with a unit behind it, or a text with a placeholder that ends in
/// `/s`.
fn writes_a_unit(line: &str) -> bool {
    let has_unit = line.match_indices("} ").any(|(at, space)| {
        let unit = word(&line[at + space.len()..]);
        UNITS.contains(&unit.as_str())
    });
    let has_rate = line.match_indices("/s\"").any(|(at, _)| {
        let text = line[..at].rsplit('"').next();
        text.is_some_and(|text| text.contains('}'))
    });
    has_unit || has_rate
}

#[test]
fn numbers_with_units_are_found_in_each_form() {
    for line in [
        r#"format!("{} s", 1)"#,
        r#"format!("{limit_mib} MiB of memory")"#,
        r#"format!("after {time:.1} ms; it ends")"#,
        r#"format!("{}/s", 1)"#,
        r#"format!("{} repaints/s", 1)"#,
    ] {
        assert!(writes_a_unit(line), "{line}");
    }
    for line in [
        r#"format!("{} says {}", 1, 2)"#,
        r#"ui.label("bytes/s")"#,
        r#"format!("{}/src", 1)"#,
    ] {
        assert!(!writes_a_unit(line), "{line}");
    }
}

#[test]
fn lints_are_expected_and_never_allowed() {
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
fn unsafe_code_is_forbidden_and_panics_unwind() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let aborts = manifest
        .lines()
        .any(|line| line.trim() == "panic = \"abort\"");
    assert!(
        !aborts,
        "an abort would end the program; a panic must become an outcome"
    );
}

#[test]
fn test_names_have_at_most_50_letters() {
    let mut long = Vec::new();
    for file in ["src", "tests"].into_iter().flat_map(sources) {
        for rest in file.code.split(concat!("#[", "test]")).skip(1) {
            let name = rest
                .split_once("fn ")
                .map_or(String::new(), |(_, rest)| word(rest));
            if name.len() > MAX_TEST_NAME_LEN {
                long.push(format!("{}: {name}", file.path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn source_has_none_of_the_retired_words() {
    let mut found = Vec::new();
    for file in sources("src") {
        let text = fs::read_to_string(root().join(&file.path)).expect("source is UTF-8");
        for (line, number) in text.lines().zip(1..) {
            let words = words_of(line);
            if RETIRED_WORDS
                .iter()
                .any(|word| words.iter().any(|found| found == word))
            {
                found.push(format!("{}:{number}: {}", file.path.display(), line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "see the words in CONTRIBUTING.md: {found:#?}"
    );
}

/// The words of a line in lower case. An identifier is several words: `isTold` and `is_told` are two.
fn words_of(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lowercase = false;
    for character in line.chars() {
        let begins_hump = was_lowercase && character.is_uppercase();
        if begins_hump || !character.is_alphabetic() {
            words.push(String::new());
        }
        was_lowercase = character.is_lowercase();
        if character.is_alphabetic() {
            let word = words.last_mut().expect("there is always a word");
            word.extend(character.to_lowercase());
        }
    }
    words
}

/// A source file without its comment lines.
struct Source {
    path: PathBuf,
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file in `folder` and below, sorted by path; empty when the folder is missing.
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

/// The top-level module of a file: `jobs` for `src/jobs.rs` and for all of `src/jobs/`. The two
/// roots of the crate have none.
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

/// The top-level modules that a file names: `crate::board`, `super::board`, `crate::{board, ui}`.
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

/// How many `super::` lead from a file's module to the root of the crate.
fn depth(path: &Path) -> usize {
    let below_src = path.components().count() - 1;
    if path.ends_with("mod.rs") {
        below_src - 1
    } else {
        below_src
    }
}

/// The first name of a path, or all first names when it begins with a group.
fn first_names(path: &str) -> Vec<String> {
    if path.starts_with('{') {
        children(path).into_iter().map(word).collect()
    } else {
        vec![word(path)]
    }
}

/// The members of the group `{a, b::{c, d}}` that the text begins with, each to the end of the text.
fn children(text: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let mut open = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            break;
        }
        if open == 1 && matches!(character, '{' | ',') {
            members.push(text[at + 1..].trim_start());
        }
    }
    members.retain(|member| !member.starts_with('}'));
    members
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
fn paths_are_found_in_each_form() {
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
