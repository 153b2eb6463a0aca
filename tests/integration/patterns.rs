//! Patterns and folders mean the same in every job.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::util::files::{folder, name, write};

/// Runs a job in a folder.
fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.arg("run").args(args).args(["--priority", "normal"]);
    command.current_dir(folder).stdin(Stdio::null());
    command.output().expect("the program starts")
}

/// The arguments that a command gets, one run each, sorted.
fn given(folder: &Path, inputs: &[&str]) -> Vec<String> {
    let command = ["--", "printf", "%s\\n"];
    let command = [&["command"], inputs, &["--priority", "normal"], &command].concat();
    let mut program = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    program.arg("run").args(command);
    let output = program.current_dir(folder).stdin(Stdio::null()).output();
    let output = output.expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Some music, with hidden and nested files.
fn music() -> tempfile::TempDir {
    let folder = folder();
    for name in [
        "a.wav",
        "b.wav",
        ".hidden.wav",
        "c.txt",
        "sub/d.wav",
        "sub/deep/e.wav",
        ".cache/f.wav",
    ] {
        write(folder.path(), name, "");
    }
    folder
}

#[test]
fn pattern_matches_as_in_a_shell() {
    let folder = music();
    for (pattern, expected) in [
        ("*.wav", &["a.wav", "b.wav"][..]),
        ("?.wav", &["a.wav", "b.wav"]),
        ("[ac].{wav,txt}", &["a.wav", "c.txt"]),
        (".*.wav", &[".hidden.wav"]),
        ("*/*.wav", &["sub/d.wav"]),
        (
            "**/*.wav",
            &["a.wav", "b.wav", "sub/d.wav", "sub/deep/e.wav"],
        ),
        ("sub/**", &["sub/d.wav", "sub/deep/e.wav"]),
        ("**/deep/**/*", &["sub/deep/e.wav"]),
        ("./*.txt", &["./c.txt"]),
        ("s*/", &["sub/d.wav", "sub/deep/e.wav"]),
    ] {
        assert_eq!(given(folder.path(), &[pattern]), expected, "{pattern}");
    }
    let whole = folder.path().join("*.txt");
    let file = folder.path().join("c.txt");
    let expected = [file.to_str().unwrap()];
    assert_eq!(given(folder.path(), &[whole.to_str().unwrap()]), expected);
}

#[test]
fn path_that_exists_is_no_pattern() {
    let folder = music();
    write(folder.path(), "*.wav", "");
    assert_eq!(given(folder.path(), &["*.wav"]), ["*.wav"]);
    write(folder.path(), "[new]/x.wav", "");
    write(folder.path(), "n/y.wav", "");
    assert_eq!(given(folder.path(), &["[new]/?.wav"]), ["[new]/x.wav"]);
    assert_eq!(given(folder.path(), ["\\*.wav"].as_slice()), ["*.wav"]);
}

#[test]
fn every_job_takes_patterns_and_folders() {
    let folder = folder();
    let at = folder.path();
    for (job, file, text) in [
        (&["checksum"][..], "in/a.txt", "abc"),
        (
            &["verify"],
            "in/sub/SHA256SUMS",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n",
        ),
        (
            &["audit", "--against", "new.list", "--renew"],
            "in/b.txt",
            "b",
        ),
        (&["images", "--to", "out"], "in/i.pgm", "P5 1 1 255\nx"),
        (&["fetch"], "in/urls.txt", "ftp://nowhere/\n"),
    ] {
        write(at, file, text);
        write(at, "in/sub/empty", "");
        for input in ["in", "in/**", "i*", "./in/"] {
            let args = [job, &[input, "--format", "json", "--existing", "replace"]].concat();
            let args: &[_] = if job[0] == "images" {
                &args
            } else {
                &args[..args.len() - 2]
            };
            // An audit lists only what its list does not have.
            fs::remove_file(at.join("new.list")).ok();
            let output = run(at, args);
            let text = String::from_utf8_lossy(&output.stdout);
            let last = Path::new(file).file_name().unwrap().to_str().unwrap();
            let expected = if job[0] == "verify" { "empty" } else { last };
            assert!(
                text.contains(expected),
                "{job:?} {input}: {text}\n{}",
                err(&output)
            );
        }
        fs::remove_dir_all(at.join("in")).unwrap();
    }
}

#[test]
fn command_gets_whole_folders_if_asked() {
    let folder = music();
    assert_eq!(
        given(folder.path(), &["sub"]),
        ["sub/d.wav", "sub/deep/e.wav"]
    );
    let whole = given(folder.path(), &["--whole-folders", "sub", "a.wav"]);
    assert_eq!(whole, ["a.wav", "sub"]);
    let once = given(folder.path(), &["--once", "sub", "new"]);
    assert_eq!(once, ["new", "sub/d.wav", "sub/deep/e.wav"]);
}

#[test]
fn pattern_without_match_fails_and_runs_nothing() {
    let folder = music();
    for job in [
        &[
            "command",
            "*.flac",
            "--priority",
            "normal",
            "--",
            "touch",
            "ran",
        ][..],
        &["command", "--once", "*.flac", "--", "touch", "ran"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
        command.arg("run").args(job).current_dir(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            err(&output).contains("Nothing matches *.flac"),
            "{}",
            err(&output)
        );
        assert!(!folder.path().join("ran").exists());
    }
    let output = run(folder.path(), &["checksum", "*.flac", "a.wav"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("a.wav"));
    let output = run(folder.path(), &["checksum", "[z-a]*"]);
    assert!(err(&output).contains("is no pattern"), "{}", err(&output));
}

#[test]
fn run_says_how_many_a_pattern_stands_for() {
    let folder = music();
    let output = run(folder.path(), &["checksum", "*.wav", "sub", ".cache"]);
    let said = err(&output);
    assert!(said.contains("*.wav stands for 2 paths."), "{said}");
    assert!(said.contains("2 folders have 3 files."), "{said}");
}

#[test]
fn names_that_are_not_utf_8_are_matched() {
    let folder = folder();
    write(folder.path(), name(b"caf\xe9.wav"), "");
    write(folder.path(), name(b"d\xff/x.wav"), "");
    let output = run(folder.path(), &["checksum", "*.wav", "*/x.wav"]);
    assert!(output.status.success(), "{}", err(&output));
    let lines = output.stdout.split(|byte| *byte == b'\n');
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), 2);
}

#[test]
fn deep_pattern_enters_no_links() {
    let folder = music();
    symlink(folder.path(), folder.path().join("sub/loop")).unwrap();
    symlink("../a.wav", folder.path().join("sub/link.wav")).unwrap();
    let found = given(folder.path(), &["sub/**/*.wav"]);
    assert_eq!(found, ["sub/d.wav", "sub/deep/e.wav", "sub/link.wav"]);
}
