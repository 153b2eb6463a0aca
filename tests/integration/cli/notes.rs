//! The sentences about a plan that are neither results nor errors.

use std::fs;

use super::{code, err, json, out, run};

/// A folder without files, and a text without lines.
fn nothing() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("empty/inner")).expect("it is ours");
    fs::write(folder.path().join("list"), "# no URL\n\n").expect("it is ours");
    folder
}

#[test]
fn input_that_brings_no_item_is_named() {
    let folder = nothing();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (empty, list, to) = (path("empty"), path("list"), path("to"));
    let no_files = format!("The folder {empty} has no files.");
    let no_urls = format!("The list {list} has no URLs.");
    let runs: [(&[&str], &str); 3] = [
        (&["checksum", &empty], &no_files),
        (&["images", "--to", &to, &empty], &no_files),
        (&["fetch", &list], &no_urls),
    ];
    for (args, note) in runs {
        let output = run(&[&["run"], args].concat());
        assert_eq!(err(&output), format!("meanwhile: {note}\n"));
        assert_eq!((code(&output), out(&output)), (0, ""));
        let output = run(&[&["run"], args, &["--format", "json"]].concat());
        assert_eq!(json(&output)["notes"], serde_json::json!([note]));
    }
}

#[test]
fn folder_that_another_input_contains_is_no_note() {
    let folder = nothing();
    fs::write(folder.path().join("empty/inner/file"), "x").expect("it is ours");
    let outer = folder.path().join("empty");
    let (outer, inner) = (outer.display().to_string(), outer.join("inner"));
    let inner = inner.display().to_string();
    let output = run(&["run", "checksum", &inner, &outer, &inner]);
    assert_eq!((code(&output), err(&output)), (0, ""));
}
