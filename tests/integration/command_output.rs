//! The output of `meanwhile run command`: whole, one item after the other, and while they run.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::util::files::folder;

fn meanwhile<S: AsRef<OsStr>>(dir: &Path, args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(["run", "command", "--priority", "normal"]);
    command.args(args).current_dir(dir).stdin(Stdio::null());
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    meanwhile(dir, args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("plain text")
}

/// Starts it with its output piped here.
fn start(dir: &Path, args: &[&str]) -> Child {
    let mut command = meanwhile(dir, args);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

#[test]
fn output_beyond_every_limit_comes_whole() {
    let folder = folder();
    let limits = ["--output-limit", "10", "--workers", "3"];
    let files = ["a", "b", "c"];
    let args = [&limits[..], &files, &["--", "sh", "-c", "seq 1 400000"]].concat();
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0));
    let numbers = (1..=400_000).fold(String::new(), |all, n| all + &format!("{n}\n"));
    assert!(text(&output.stdout) == numbers.repeat(3));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn output_is_seen_and_kept_when_the_program_is_killed() {
    let folder = folder();
    mkfifo(&folder.path().join("never"), Mode::S_IRWXU).unwrap();
    let script = "echo \"$1\"; case $1 in b) read line < never;; esac";
    let args = ["--workers", "1", "a", "b", "--", "sh", "-c", script, "sh"];
    let mut program = start(folder.path(), &args);
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    // The second comes while its command runs.
    assert_eq!(lines.next().unwrap().unwrap(), "a");
    assert_eq!(lines.next().unwrap().unwrap(), "b");
    program.kill().unwrap();
    assert_eq!(program.wait().unwrap().signal(), Some(9));
}

#[test]
fn output_in_the_order_of_ends_waits_for_none() {
    let folder = folder();
    mkfifo(&folder.path().join("gate"), Mode::S_IRWXU).unwrap();
    let script = "case $1 in a) read line < gate;; c) echo > gate; exit;; esac; echo \"$1\"";
    let workers = ["--workers", "2", "--output-order", "end"];
    let args = [
        &workers[..],
        &["a", "b", "c", "--", "sh", "-c", script, "sh"],
    ]
    .concat();
    let output = run(folder.path(), &args);
    assert_eq!(text(&output.stdout), "b\na\n");
}

#[test]
fn closed_stdout_ends_commands_as_a_closed_pipe_does() {
    let folder = folder();
    let mut program = start(folder.path(), &["--", "yes"]);
    let mut stdout = program.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 2]).unwrap();
    drop(stdout);
    assert_eq!(program.wait().unwrap().code(), Some(141));
}

#[test]
fn output_right_after_the_end_belongs_to_the_command() {
    let folder = folder();
    let script = "exec > >(sed 's/^/[log] /'); echo hello";
    for _ in 0..20 {
        let output = run(folder.path(), &["--", "bash", "-c", script]);
        assert_eq!(text(&output.stdout), "[log] hello\n");
        assert_eq!(text(&output.stderr), "");
    }
    let script = "echo one | tee >(cat >&2) >/dev/null";
    let output = run(folder.path(), &["--", "bash", "-c", script]);
    assert_eq!(text(&output.stderr), "one\n");
    let output = run(
        folder.path(),
        &["--format", "json", "--", "bash", "-c", script],
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["items"][0]["output"]["stderr"]["text"], "one\n");
}

#[test]
fn process_that_holds_the_output_is_named() {
    let folder = folder();
    let output = run(folder.path(), &["--", "sh", "-c", "sleep 3 & echo done"]);
    assert_eq!(text(&output.stdout), "done\n");
    let said = text(&output.stderr);
    assert!(
        said.contains("sleep (") && said.contains("may still print"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn late_output_is_shown_or_its_holder_named() {
    let folder = folder();
    for milliseconds in (90..=180).step_by(5) {
        let script = format!("(sleep 0.{milliseconds:03}; echo late) & echo done");
        let output = run(folder.path(), &["--", "bash", "-c", &script]);
        let said = text(&output.stderr);
        match text(&output.stdout) {
            "done\nlate\n" => assert!(!said.contains("not shown"), "{milliseconds}: {said}"),
            shown => {
                assert_eq!(shown, "done\n");
                assert!(said.contains(") may still print"), "{milliseconds}: {said}");
            }
        }
    }
}

#[test]
fn last_words_of_what_is_left_are_shown() {
    let folder = folder();
    let script = "mkfifo began; sh -c 'trap \"sleep 0.3; echo tidied; exit\" TERM; \
                  echo > began; while :; do sleep 0.01; done' & read line < began; echo done";
    let args = ["--leave", "stop", "--", "sh", "-c", script];
    let output = run(folder.path(), &args);
    assert_eq!(text(&output.stdout), "done\ntidied\n");
    let said = text(&output.stderr);
    assert!(!said.contains("not shown"), "{said}");
}

#[test]
fn descendant_that_prints_without_end_holds_none_up() {
    let folder = folder();
    let output = run(folder.path(), &["--", "sh", "-c", "yes & echo done"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stderr).contains("yes ("),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn last_words_of_a_stopped_command_are_shown() {
    let folder = folder();
    // More than waits for its turn, printed by the shell itself.
    let count = "i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done";
    let script = &format!("trap '{count}; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    let args = [
        "--timeout",
        "0.3",
        "--grace",
        "60",
        "--",
        "sh",
        "-c",
        script,
    ];
    let output = run(folder.path(), &args);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 30_001);
    assert_eq!(lines.last(), Some(&"29999"));
}
