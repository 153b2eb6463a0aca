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
            let mut args = [job, &[input, "--format", "json"]].concat();
            if job[0] == "images" {
                args.extend(["--existing", "overwrite"]);
            }
            // An audit lists only what its list does not have.
            fs::remove_file(at.join("new.list")).ok();
            let output = run(at, &args);
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
}

#[test]
fn text_that_is_no_valid_pattern_is_a_name() {
    let folder = music();
    for text in ["[z-a]*", "{", "a{b", "[x"] {
        assert_eq!(given(folder.path(), &[text]), [text]);
        let output = run(folder.path(), &["checksum", text]);
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(text), "{}", err(&output));
    }
    let name = name(b"\xff{*");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(["run", "command"]).arg(name);
    command.args(["--", "printf", "%s"]).stdin(Stdio::null());
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.stdout, b"\xff{*", "{}", err(&output));
}

#[test]
fn run_says_how_many_a_pattern_stands_for() {
    let folder = music();
    let output = run(folder.path(), &["checksum", "*.wav", "sub"]);
    assert_eq!(err(&output), "meanwhile: *.wav stands for 2 paths.\n");
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

#[test]
fn url_and_words_of_a_command_are_no_patterns() {
    let folder = music();
    let url = "http://nowhere/?x=[1]&y={a}*";
    assert_eq!(given(folder.path(), &[url]), [url]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    program.args(["run", "command", "--", "printf", "%s\n", url, "*.wav", "[x"]);
    program.current_dir(folder.path()).stdin(Stdio::null());
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, format!("{url}\n*.wav\n[x\n"));
    // A URL that can't be fetched is named as it is.
    let output = run(folder.path(), &["fetch", "ftp://nowhere/?x=1"]);
    assert!(!err(&output).contains("matches"), "{}", err(&output));
}

#[test]
fn verify_reads_the_lists_at_every_depth() {
    let folder = folder();
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for at in ["in", "in/sub", "in/sub/deep", "in/.hidden"] {
        write(folder.path(), format!("{at}/abc.txt"), "abc");
        let list = format!("{sha256}  abc.txt\n");
        write(folder.path(), format!("{at}/SHA256SUMS"), list);
    }
    // Only the list beside it names this one.
    write(folder.path(), "in/sub/only", "abc");
    let list = format!("{sha256}  only\n");
    write(folder.path(), "in/sub/more.sha256", list);
    for input in ["in", "i?"] {
        let output = run(folder.path(), &["verify", input, "--format", "json"]);
        assert!(output.status.success(), "{}", err(&output));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("in/sub/only"), "{text}");
        assert!(text.contains("in/sub/deep/abc.txt"), "{text}");
        assert!(text.contains("in/.hidden/abc.txt"), "{text}");
    }
}
