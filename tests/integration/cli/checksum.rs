//! `meanwhile run checksum`.

use std::fs;
use std::path::Path;

use super::{code, err, json, out, run, states};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("abc"), "abc").expect("it is ours");
    fs::write(folder.path().join("empty"), "").expect("it is ours");
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

#[test]
fn checksums_print_like_sha256sum() {
    let folder = folder();
    let file = folder.path().join("abc");
    let output = run(&["run", "checksum", "--algorithm", "sha256", path(&file)]);
    assert_eq!(code(&output), 0);
    assert_eq!(out(&output), format!("{ABC}  {}\n", file.display()));
}

#[test]
fn json_of_checksums_has_digests() {
    let folder = folder();
    let args = [
        "run",
        "checksum",
        "--algorithm",
        "sha256",
        "--format",
        "json",
    ];
    let output = run(&[&args[..], &[path(folder.path())]].concat());
    assert_eq!(code(&output), 0);
    let json = json(&output);
    assert_eq!(states(&json), ["returned", "returned"]);
    assert_eq!(json["items"][0]["output"]["digest"], ABC);
}

#[test]
fn missing_file_fails_alone() {
    let folder = folder();
    let (file, missing) = (folder.path().join("abc"), folder.path().join("missing"));
    let output = run(&[
        "run",
        "checksum",
        "--algorithm",
        "sha256",
        path(&missing),
        path(&file),
    ]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), format!("{ABC}  {}\n", file.display()));
    assert!(err(&output).contains(path(&missing)), "{}", err(&output));
}

#[test]
fn list_is_saved_and_verified() {
    let folder = folder();
    let list = folder.path().join("list.sha256");
    let (abc, empty) = (folder.path().join("abc"), folder.path().join("empty"));
    let args = [
        "run",
        "checksum",
        "--algorithm",
        "sha256",
        "--output",
        path(&list),
    ];
    let output = run(&[&args[..], &[path(&abc), path(&empty)]].concat());
    assert_eq!((code(&output), out(&output)), (0, ""));

    let check = ["run", "checksum", "--check", path(&list)];
    let output = run(&check);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(
        out(&output),
        format!("{}: OK\n{}: OK\n", abc.display(), empty.display())
    );

    fs::write(&abc, "abd").unwrap();
    let output = run(&check);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), format!("{}: OK\n", empty.display()));
    assert!(err(&output).contains(path(&abc)), "{}", err(&output));
}
