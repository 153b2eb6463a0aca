//! Lists from standard input and from pipes.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Output, Stdio};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{Running, code, err, meanwhile, out};

const ABC: &str = "900150983cd24fb0d6963f7d28e17f72";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("abc"), "abc").expect("it is ours");
    folder
}

/// Verifies a list that is written to standard input.
fn check(folder: &Path, list: &str, text: &[u8]) -> Output {
    run_with(folder, &["run", "checksum", "--check", list], text)
}

/// Runs the program with this text on standard input.
fn run_with(folder: &Path, args: &[&str], text: &[u8]) -> Output {
    let mut command = meanwhile(args);
    command.current_dir(folder).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(text).expect("the program reads it");
    drop(stdin);
    child.wait_with_output().expect("it is our child")
}

#[test]
fn list_on_standard_input_is_verified() {
    let folder = folder();
    for list in ["-", "/dev/stdin", "/dev/fd/0"] {
        let output = check(folder.path(), list, format!("{ABC}  abc\n").as_bytes());
        assert_eq!((code(&output), out(&output)), (0, "abc: OK\n"), "{list}");
    }
    let output = check(folder.path(), "-", format!("{ABC}  gone\n").as_bytes());
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("gone"), "{}", err(&output));
}

#[test]
fn standard_input_has_a_checksum() {
    let folder = folder();
    let run = |args: &[&str], text: &str| run_with(folder.path(), args, text.as_bytes());
    let output = run(
        &["run", "checksum", "--algorithm", "md5", "abc", "-"],
        "abc",
    );
    let lines = format!("{ABC}  abc\n{ABC}  -\n");
    assert_eq!((code(&output), out(&output)), (0, &*lines));
    // More than one read takes, in a list elsewhere.
    let long = "0123456789abcdef".repeat(20_000);
    let list = folder.path().join("list");
    let args = ["run", "checksum", "--algorithm", "sha256", "--output"];
    let output = run(&[&args[..], &[list.to_str().unwrap(), "-"]].concat(), &long);
    assert_eq!((code(&output), err(&output)), (0, ""));
    let list = fs::read_to_string(list).expect("it was written");
    fs::write(folder.path().join("long"), long).expect("it is ours");
    let sha256sum = std::process::Command::new("sha256sum")
        .stdin(File::open(folder.path().join("long")).expect("it was written"))
        .output();
    assert_eq!(list, out(&sha256sum.expect("it is installed")));
}

#[test]
fn standard_input_is_verified_by_its_digest() {
    let folder = folder();
    let verify = |text: &str| {
        let args = ["run", "verify", "--digest", ABC, "-"];
        run_with(folder.path(), &args, text.as_bytes())
    };
    let output = verify("abc");
    assert_eq!((code(&output), out(&output)), (0, "-: OK\n"));
    let output = verify("other");
    assert_eq!((code(&output), out(&output)), (1, "-: FAILED\n"));
    // What a list calls so is a file.
    let output = check(folder.path(), "-", format!("{ABC}  -\n").as_bytes());
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("- does not exist"),
        "{}",
        err(&output)
    );
}

#[test]
fn worker_process_does_not_read_standard_input() {
    let folder = folder();
    let args = ["run", "checksum", "--on", "process", "-"];
    let output = run_with(folder.path(), &args, b"abc");
    assert_eq!((code(&output), out(&output)), (1, ""));
    let error = err(&output);
    assert!(error.contains("let the job run in this one"), "{error}");
}

#[test]
fn audit_takes_its_list_from_standard_input() {
    let folder = folder();
    let audit = |args: &[&str], text: &str| {
        let args = [&["run", "audit", "abc", "--against", "-"], args].concat();
        run_with(folder.path(), &args, text.as_bytes())
    };
    let own = "# Meanwhile audit 1\n# md5 bytes=3 modified=5\n";
    for head in ["", own] {
        let output = audit(&[], &format!("{head}{ABC}  abc\n"));
        let lines = "touched: abc\n";
        assert_eq!((code(&output), out(&output)), (0, lines), "{head}");
        let zeros = "0".repeat(32);
        let output = audit(&[], &format!("{head}{zeros}  abc\n"));
        let lines = "changed: abc\n";
        assert_eq!((code(&output), out(&output)), (0, lines), "{head}");
    }
    let output = audit(&["--renew"], "");
    assert!(
        err(&output).contains("can't be renewed"),
        "{}",
        err(&output)
    );
}

#[test]
fn list_in_a_named_pipe_is_verified() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
    let mut command = meanwhile(&["run", "checksum", "--check", "pipe"]);
    command.current_dir(folder.path());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    // Opening it waits for the reader.
    let mut writer = File::create(&pipe).expect("the program opens the pipe");
    writeln!(writer, "{ABC}  abc").expect("the program reads it");
    drop(writer);
    let output = child.wait_with_output().expect("it is our child");
    assert_eq!((code(&output), out(&output)), (0, "abc: OK\n"));
}

#[test]
fn silent_pipe_does_not_block_a_cancel() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
    for list in ["pipe", "-"] {
        let mut command = meanwhile(&["run", "checksum", "--check", list]);
        command.args(["--join-timeout", "0", "--then", "wait"]);
        command.current_dir(folder.path()).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running(command.spawn().expect("the program starts"));
        let stdin = running.0.stdin.take();
        running.wait_until_joined();
        running.signal(Signal::SIGINT);
        let (status, _) = running.end();
        assert_eq!(status.signal(), Some(Signal::SIGINT as i32), "{list}");
        drop(stdin);
    }
}

#[test]
fn name_with_a_line_break_forges_no_result() {
    let folder = folder();
    let name = "gone: OK\nabc";
    fs::write(folder.path().join(name), "abc").expect("it is ours");
    let list = format!("\\{ABC}  gone: OK\\nabc\n");
    let output = check(folder.path(), "-", list.as_bytes());
    let line = "\"gone: OK\\nabc\": OK\n";
    assert_eq!((code(&output), out(&output)), (0, line));
}

#[test]
fn quiet_and_status_print_less() {
    let folder = folder();
    let zeros = "0".repeat(32);
    let list = format!("{ABC}  abc\n{zeros}  abc\n");
    fs::write(folder.path().join("list"), list).expect("it is ours");
    let run = |flag: &str| {
        let mut command = meanwhile(&["run", "verify", flag, "list"]);
        command.current_dir(folder.path());
        command.output().expect("the program starts")
    };
    let quiet = run("--quiet");
    assert_eq!((code(&quiet), out(&quiet)), (1, "abc: FAILED\n"));
    assert!(
        err(&quiet).ends_with("2 items: 1 OK, 1 differ\n"),
        "{}",
        err(&quiet)
    );
    let status = run("--status");
    assert_eq!((code(&status), out(&status), err(&status)), (1, "", ""));
}

#[test]
fn output_file_gets_the_lines_of_all_files() {
    let folder = folder();
    let zeros = "0".repeat(32);
    let list = format!("{ABC}  abc\n{zeros}  abc\n{ABC}  gone\n");
    fs::write(folder.path().join("list"), list).expect("it is ours");
    for (flag, expected) in [
        (None, "abc: OK\nabc: FAILED\ngone: FAILED open or read\n"),
        (Some("--quiet"), "abc: FAILED\ngone: FAILED open or read\n"),
        (Some("--status"), ""),
    ] {
        let mut command = meanwhile(&["run", "verify", "--output", "lines", "list"]);
        command.args(flag).current_dir(folder.path());
        let output = command.output().expect("the program starts");
        assert_eq!((code(&output), out(&output)), (1, ""), "{flag:?}");
        let lines = fs::read_to_string(folder.path().join("lines"));
        assert_eq!(lines.expect("it was written"), expected, "{flag:?}");
    }
}

#[test]
fn output_never_replaces_what_was_read() {
    let folder = folder();
    let list = format!("{ABC}  abc\n");
    fs::write(folder.path().join("list"), &list).expect("it is ours");
    std::os::unix::fs::symlink("list", folder.path().join("link")).expect("it is ours");
    fs::hard_link(folder.path().join("abc"), folder.path().join("hard")).expect("it is ours");
    let checksum = ["run", "checksum", "--format", "json", "abc"];
    for (args, file) in [
        (&["run", "verify", "list"][..], "list"),
        (&["run", "verify", "list"], "link"),
        (&["run", "verify", "list"], "abc"),
        (&["run", "verify", "--format", "json", "list"], "hard"),
        (&checksum, "abc"),
        (&checksum, "hard"),
    ] {
        let mut command = meanwhile(&[args, &["--output", file]].concat());
        let output = command.current_dir(folder.path()).output();
        let output = output.expect("the program starts");
        assert_eq!(code(&output), 1, "{args:?} {file}");
        let advice = "choose another name";
        assert!(err(&output).contains(advice), "{}", err(&output));
        let read = |name| fs::read_to_string(folder.path().join(name)).expect("it is there");
        assert_eq!(
            (read("abc"), read("list")),
            ("abc".to_owned(), list.clone())
        );
    }
}

#[test]
fn lines_of_files_are_those_of_sha256sum() {
    let folder = folder();
    let zeros = "0".repeat(64);
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let list = format!("{zeros}  abc\n{sha256}  abc\n{zeros}  gone\n");
    fs::write(folder.path().join("SHA256SUMS"), list).expect("it is ours");
    let run = |command: &mut std::process::Command| {
        command.current_dir(folder.path());
        command.output().expect("the program starts")
    };
    for flag in [None, Some("--quiet"), Some("--ignore-missing")] {
        let ours = run(meanwhile(&["run", "verify", "SHA256SUMS"]).args(flag));
        let theirs = run(std::process::Command::new("sha256sum")
            .args(["-c", "SHA256SUMS"])
            .args(flag));
        assert_eq!(out(&ours), out(&theirs), "{flag:?}");
        assert!(out(&ours).starts_with("abc: FAILED\n"), "{flag:?}");
    }
    // A list that is missing is no file of a list.
    let output = run(&mut meanwhile(&["run", "verify", "SHA1SUMS"]));
    assert_eq!((code(&output), out(&output)), (1, ""));
}

#[test]
fn list_of_another_algorithm_is_suspected() {
    let folder = folder();
    let zeros = "0".repeat(32);
    let list = format!("{zeros}  abc\n{zeros} *abc\n");
    let output = check(folder.path(), "-", list.as_bytes());
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("another algorithm"),
        "{}",
        err(&output)
    );
}

#[test]
fn flags_of_a_check_need_it() {
    let output = meanwhile(&["run", "checksum", "--quiet", "x"]).output();
    let output = output.expect("the program starts");
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("--check"), "{}", err(&output));
}
