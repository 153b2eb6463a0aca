//! `meanwhile lesson` on the command line.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use meanwhile::lessons::LessonId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::util::gate::TIMEOUT;
use crate::util::interrupt::hear_interrupt;
use crate::util::lesson_processes::lesson_processes_in;

fn lesson(args: &[&str]) -> Command {
    hear_interrupt();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.arg("lesson").args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = lesson(args).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn list_names_every_lesson() {
    let (code, list, _) = run(&["list"]);
    let listed: Vec<_> = list
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let all: Vec<_> = LessonId::all().map(|id| id.lesson().id).collect();
    assert_eq!((code, listed), (Some(0), all));
}

#[test]
fn run_prints_messages_in_the_order_of_time() {
    for kind in ["task", "process"] {
        let args = [
            "run", "join", "--as", kind, "--speed", "4", "--set", "work=2",
        ];
        let (code, transcript, end) = run(&args);
        assert_eq!(code, Some(0), "{transcript}{end}");
        let lines = transcript.lines().map(|line| {
            let mut words = line.split_whitespace();
            let secs: f64 = words.next().expect("seconds").parse().expect("a number");
            let lane = words.next().expect("a lane").to_owned();
            (secs, lane, words.collect::<Vec<_>>().join(" "))
        });
        let lines: Vec<_> = lines.collect();
        let messages = lines.iter().map(|(_, lane, text)| (&**lane, &**text));
        let messages: Vec<_> = messages.collect();
        let expected = [
            ("main", "waiting for the worker"),
            ("worker", "done"),
            ("main", "continuing"),
        ];
        assert_eq!(messages, expected);
        assert!(lines.is_sorted_by_key(|line| line.0), "{transcript}");
        assert!(
            lines[1].0 - lines[0].0 >= 0.4,
            "the parameter does not set the sleep"
        );
    }
}

#[test]
fn invalid_arguments_are_usage_errors() {
    for (args, expected) in [
        (
            &["run", "nothing"][..],
            "`meanwhile lesson list` prints them",
        ),
        (
            &["run", "mutual", "--as", "process"],
            "does not support `--as process`",
        ),
        (
            &["run", "join", "--set", "naps=3"],
            "its parameters: work (0 to 60)",
        ),
        (
            &["run", "many", "--set", "first=-1"],
            "its parameters: first (0 to 60), second (0 to 60)",
        ),
        (
            &["run", "pool", "--set", "files=2.5"],
            "files (whole, 1 to 100)",
        ),
        (
            &["run", "propagation", "--set", "x=1"],
            "its parameters: none",
        ),
        (
            &["run", "cancel", "--as", "process", "--set", "work=1"],
            "its parameters: patience (0 to 60)",
        ),
        (&["run", "join", "--set", "work"], "expected NAME=NUMBER"),
        (
            &["run", "join", "--speed", "0"],
            "a number from 0.01 to 1000",
        ),
    ] {
        let (code, transcript, error) = run(args);
        assert_eq!(
            (code, transcript.as_str()),
            (Some(2), ""),
            "{args:?}: {error}"
        );
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn missing_temporary_folder_is_reported() {
    let output = lesson(&["run", "join"])
        .env("TMPDIR", "/nowhere")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("the lesson could not be started"), "{error}");
}

#[test]
fn missing_python_is_reported_and_skipped() {
    for id in ["join-timeout", "join-error", "join-current"] {
        let output = lesson(&["run", id, "--speed", "20"])
            .env("PATH", "/nowhere")
            .output()
            .unwrap();
        let transcript = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{transcript}");
        assert!(
            transcript.contains("python3 is not installed"),
            "{transcript}"
        );
        assert!(transcript.contains("not run"), "{transcript}");
    }
}

#[test]
fn different_python_makes_the_run_unexpected() {
    let folder = tempfile::tempdir().unwrap();
    let python = folder.path().join("python3");
    std::fs::write(&python, "#!/bin/sh\necho 'join: 7'\n").unwrap();
    std::fs::set_permissions(&python, Permissions::from_mode(0o755)).unwrap();
    for id in ["join-timeout", "join-error", "join-current"] {
        let output = lesson(&["run", id, "--speed", "20"])
            .env("PATH", folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{id}: {error}");
        assert!(error.contains("unexpected: "), "{error}");
    }
}

/// The test kills the worker, so that it never prints that it is done.
#[test]
fn unexpected_run_exits_with_1_and_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = lesson(&["run", "join", "--as", "process", "--set", "work=60"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let waiting = lines.next().unwrap().unwrap();
    assert!(waiting.contains("waiting for the worker"), "{waiting}");
    let began = Instant::now();
    let worker = loop {
        match lesson_processes_in(folder.path())[..] {
            [worker] => break worker,
            // The environment of a new process can't be read at once.
            [] => assert!(began.elapsed() < TIMEOUT, "no child appears"),
            _ => panic!("the lesson has one child"),
        }
    };
    kill(Pid::from_raw(worker.cast_signed()), Signal::SIGKILL).unwrap();
    let continuing = lines.next().unwrap().unwrap();
    assert!(continuing.contains("continuing"), "{continuing}");
    let output = running.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("unexpected: worker never printed"),
        "{error}"
    );
}

#[test]
fn unwritable_transcript_ends_the_lesson() {
    let folder = tempfile::tempdir().unwrap();
    let output = lesson(&["run", "strategies", "--as", "process"])
        .env("TMPDIR", folder.path())
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = output.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("the transcript"), "{error}");
    assert_eq!(lesson_processes_in(folder.path()), [0; 0]);
    assert!(folder.path().read_dir().unwrap().next().is_none());
}

#[test]
fn ctrl_c_stops_a_lesson_and_its_program() {
    let mut running = lesson(&["run", "join", "--as", "process", "--set", "work=60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    assert!(
        lines
            .next()
            .unwrap()
            .unwrap()
            .contains("waiting for the worker")
    );
    let pid = Pid::from_raw(running.id().try_into().unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    assert!(lines.next().is_none(), "all processes have closed the pipe");
    assert_eq!(running.wait_with_output().unwrap().status.signal(), Some(2));
}

/// Runs the lesson `join` with its trace in this file.
fn run_traced(work: &str, trace: &Path) {
    let trace = trace.to_str().expect("plain text");
    let settings = ["--speed", "20", "--set", work, "--trace", trace];
    let (code, _, end) = run(&[&["run", "join"], &settings[..]].concat());
    assert_eq!(code, Some(0), "{end}");
}

#[test]
fn traces_of_two_runs_are_compared() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let [short, long] = ["short", "long"].map(|name| folder.path().join(name));
    run_traced("work=1", &short);
    run_traced("work=5", &long);
    let compared = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
        command.args(["trace", "compare"]).args([&short, &long]);
        let output = command.args(args).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).expect("it prints text")
    };
    let text = compared(&[]);
    assert!(text.contains("longer: "), "{text}");
    let json: Value = serde_json::from_str(&compared(&["--json"])).expect("it is JSON");
    let differences = json["differences"].as_array().expect("a list");
    let longer = differences.iter().filter(|it| it["change"] == "longer");
    let states: Vec<_> = longer.map(|it| &it["state"]).collect();
    assert!(states.contains(&&json!("waits")), "{json:#}");
    assert_eq!(json["left_out"], 0);
    let one = compared(&["--limit", "1"]);
    assert!(one.contains("… and ") && one.lines().count() == 3, "{one}");
}

#[test]
fn trace_that_cant_be_written_costs_no_transcript() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let nowhere = folder.path().join("none/trace");
    let nowhere = nowhere.to_str().expect("plain text");
    let (code, transcript, end) = run(&["run", "join", "--speed", "20", "--trace", nowhere]);
    assert_eq!(code, Some(1), "{end}");
    assert!(
        !transcript.is_empty() && end.contains("as expected"),
        "{end}"
    );
    assert!(end.contains(nowhere), "{end}");
}

#[test]
fn comparison_of_what_is_no_trace_fails_in_a_line() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let [trace, other] = ["trace", "other"].map(|name| folder.path().join(name));
    run_traced("work=1", &trace);
    std::fs::write(&other, "no trace").expect("the folder is ours");
    let compared = |args: &[&OsStr]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
        let output = command.args(["trace", "compare"]).args(args).output();
        let output = output.expect("the program starts");
        let said = String::from_utf8(output.stderr).expect("it prints text");
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1));
        said
    };
    let said = compared(&[trace.as_ref(), other.as_ref()]);
    assert!(said.contains("can't be read as a trace"), "{said}");
    let group = ["--group", "nothing"].map(OsStr::new);
    let said = compared(&[&[trace.as_ref(), trace.as_ref()], &group[..]].concat());
    assert!(said.contains("has no group `nothing`"), "{said}");
}
