//! The command line, as users and scripts see it: the built program in a process of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::util::policy::idle_threads_of;

fn meanwhile(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    meanwhile(args).output().expect("the program starts")
}

/// For a job that must finish in time: at background priority it would wait for all other load.
const NORMAL: [&str; 2] = ["--priority", "normal"];

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("plain names")
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("plain names")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("stdout is JSON")
}

fn states(json: &Value) -> Vec<&str> {
    let items = json["items"].as_array().expect("items are a list");
    items
        .iter()
        .map(|item| item["state"].as_str().expect("a state is a word"))
        .collect()
}

/// A running child. Dropping it kills the child.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Running {
    /// Starts a job whose second item never ends. Returns when the job runs.
    fn start(end: &str, args: &[&str]) -> Self {
        let base = [
            "run",
            "misbehave",
            "--item",
            "2",
            "--after",
            "1000",
            "--end",
            end,
        ];
        let mut command = meanwhile(&[&base, args].concat());
        command.args(["--join-timeout", "1", "--then", "wait"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut running = Self(child.expect("the program starts"));
        // The message about the join shows that the job runs.
        let mut line = String::new();
        let stderr = running.0.stderr.as_mut().expect("it is piped");
        let read = BufReader::new(stderr).read_line(&mut line);
        read.expect("stderr is text");
        assert!(line.contains("still running after "), "{line}");
        running
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().try_into().expect("a pid is an i32"));
        kill(pid, signal).expect("the child was not reaped");
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut out = String::new();
        let mut stdout = self.0.stdout.take().expect("it is piped");
        stdout.read_to_string(&mut out).expect("stdout is text");
        let status = self.0.wait().expect("it is our child");
        (status.code(), out)
    }
}

#[test]
fn successful_job_prints_results_and_exits_0() {
    for place in ["pool", "thread", "process"] {
        let output = run(&["run", "misbehave", "--on", place, "a", "b"]);
        assert_eq!(code(&output), 0);
        assert_eq!(out(&output), "a is done\nb is done\n");
        assert_eq!(err(&output), "");
    }
}

#[test]
fn failed_item_prints_error_and_exits_1() {
    let output = run(&[
        "run",
        "misbehave",
        "--end",
        "error",
        "--item",
        "1",
        "a",
        "b",
    ]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "b is done\n");
    assert!(
        err(&output).starts_with("meanwhile: a: simulated failure\n"),
        "{}",
        err(&output)
    );
}

#[test]
fn panicked_item_prints_message_and_location() {
    let output = run(&[
        "run",
        "misbehave",
        "--end",
        "panic-string",
        "--item",
        "2",
        "a",
        "b",
    ]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "a is done\n");
    let lines: Vec<&str> = err(&output).lines().collect();
    assert!(
        lines[0].starts_with("meanwhile: b panicked at "),
        "{lines:?}"
    );
    assert!(lines[0].ends_with(": simulated panic in b"), "{lines:?}");
    assert_eq!(lines[1..], ["meanwhile: 2 items: 1 returned, 1 panicked"]);
}

#[test]
fn json_is_one_document_with_all_items() {
    for end in ["panic-str", "panic-string", "panic-other", "panic-in-drop"] {
        let output = run(&[
            "run",
            "misbehave",
            "--format",
            "json",
            "--end",
            end,
            "--item",
            "2",
        ]);
        assert_eq!(code(&output), 1);
        assert_eq!(err(&output), "");
        let json = json(&output);
        assert_eq!(json["job"], "misbehave");
        assert_eq!(json["state"], "failed");
        assert!(json["elapsed_secs"].as_f64().unwrap() >= 0.0);
        assert_eq!(states(&json), ["returned", "panicked", "returned"]);
        let panic = &json["items"][1]["panic"];
        assert!(
            panic["location"]
                .as_str()
                .unwrap()
                .contains("misbehave/mod.rs:")
        );
        assert!(!panic["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn panic_while_planning_is_printed_and_exits_1() {
    let output = run(&["run", "misbehave", "--end", "panic-in-plan", "--item", "2"]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "item 1 is done\n");
    assert!(
        err(&output).contains("the job itself panicked at "),
        "{}",
        err(&output)
    );
}

#[test]
fn join_timeout_cancels_the_job_and_exits_3() {
    let args = [
        "run",
        "misbehave",
        "--end",
        "sleep",
        "--item",
        "2",
        "--after",
        "1000",
    ];
    let more = ["--join-timeout", "1", "--format", "json"];
    let output = run(&[&args[..], &more, &NORMAL].concat());
    assert_eq!(code(&output), 3);
    assert!(
        err(&output).contains("still running after "),
        "{}",
        err(&output)
    );
    let json = json(&output);
    assert_eq!(json["state"], "timed_out");
    assert_eq!(states(&json)[1], "cancelled");
}

#[test]
fn unresponsive_job_is_abandoned_after_grace() {
    let start = Instant::now();
    let args = [
        "run",
        "misbehave",
        "--end",
        "ignore-cancel",
        "--after",
        "1000",
        "a",
    ];
    let more = ["--join-timeout", "0.1", "--format", "json"];
    let output = run(&[&args[..], &more].concat());
    assert_eq!(code(&output), 3);
    assert_eq!(states(&json(&output)), ["timed_out"]);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn join_timeout_then_wait_keeps_waiting() {
    let args = ["run", "misbehave", "--end", "sleep", "--after", "0.5", "a"];
    let more = ["--join-timeout", "0.1", "--then", "wait"];
    let output = run(&[&args[..], &more].concat());
    assert_eq!(code(&output), 0);
    assert_eq!(err(&output), "meanwhile: still running after 0.1 s\n");
    assert_eq!(out(&output), "a is done\n");
}

#[test]
fn ctrl_c_cancels_prints_results_and_exits_130() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let running = Running::start("sleep", &[&["--format", "json"], &NORMAL[..]].concat());
        running.signal(signal);
        let (code, out) = running.end();
        assert_eq!(code, Some(130));
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["state"], "cancelled");
        assert_eq!(states(&json), ["returned", "cancelled", "returned"]);
    }
}

#[test]
fn second_ctrl_c_exits_at_once() {
    let mut running = Running::start("ignore-cancel", &[]);
    // Signals that are pending at the same time are delivered as one, so two may not be enough.
    let start = Instant::now();
    while running.0.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(30));
        running.signal(Signal::SIGINT);
        std::thread::yield_now();
    }
    let (code, out) = running.end();
    assert_eq!(code, Some(130));
    assert_eq!(out, "");
}

#[test]
#[cfg(target_os = "linux")]
fn workers_are_idle_unless_priority_is_normal() {
    for place in ["pool", "thread"] {
        let idle = |args: &[&str]| {
            let running = Running::start("sleep", &[&["--on", place], args].concat());
            idle_threads_of(running.0.id())
        };
        assert!(idle(&[]) > 0, "{place}");
        assert!(idle(&["--priority", "background"]) > 0, "{place}");
        assert_eq!(idle(&["--priority", "normal"]), 0, "{place}");
    }
}

#[test]
fn wrong_usage_exits_2_and_help_0() {
    for args in [
        &["run"][..],
        &["run", "nothing"],
        &["run", "checksum"],
        &["run", "misbehave", "--workers", "0"],
        &["run", "misbehave", "--priority", "high"],
        &["run", "misbehave", "--join-timeout", "-1"],
        &["run", "misbehave", "--join-timeout", "soon"],
        &["run", "misbehave", "--end", "well"],
    ] {
        let output = run(args);
        assert_eq!(code(&output), 2, "{args:?}");
        assert_eq!(out(&output), "");
        assert!(err(&output).contains("--help"), "{}", err(&output));
    }
    assert_eq!(code(&run(&["--help"])), 0);
    assert_eq!(code(&run(&["--version"])), 0);
}

#[test]
fn closed_stdout_is_not_an_error() {
    let args = ["run", "misbehave", "--count", "50000"];
    let child = meanwhile(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = Running(child.unwrap());
    drop(running.0.stdout.take());
    let mut err = String::new();
    running
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    let is_progress = |line: &str| line.contains(" of ") && line.contains(" items");
    assert!(err.lines().all(is_progress), "{err}");
}

#[test]
fn full_disk_on_stdout_prints_error_and_exits_1() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = meanwhile(&["run", "misbehave", "a"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).starts_with("meanwhile: the result could not be written"),
        "{}",
        err(&output)
    );
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("abc"), "abc").expect("it is ours");
    fs::write(folder.path().join("empty"), "").expect("it is ours");
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

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

const TEN: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn run_isolated(args: &[&str]) -> Output {
    run(&[&["run", "misbehave", "--on", "process"], args].concat())
}

#[test]
fn abort_costs_one_of_ten_isolated_items() {
    let output = run_isolated(&[&["--end", "abort", "--item", "4"], &TEN[..]].concat());
    assert_eq!(code(&output), 1);
    let mut done: Vec<&str> = out(&output).lines().collect();
    done.sort_unstable();
    let others = TEN.iter().filter(|name| **name != "d");
    let expected: Vec<String> = others.map(|name| format!("{name} is done")).collect();
    assert_eq!(done, expected);
    let lines: Vec<&str> = err(&output).lines().collect();
    let crashed = "meanwhile: d crashed: its worker was killed by signal 6 (SIGABRT)";
    assert!(lines[0].starts_with(crashed), "{lines:?}");
    let rest = [
        "    d: simulated abort",
        "meanwhile: 10 items: 9 returned, 1 crashed",
    ];
    assert_eq!(lines[1..], rest);
}

#[test]
fn crash_prints_last_output_of_the_worker() {
    let output = run_isolated(&["--end", "stack-overflow", "a", "b"]);
    assert_eq!(code(&output), 1);
    let overflowed = |line: &str| line.starts_with("    ") && line.contains("overflowed its stack");
    assert!(err(&output).lines().any(overflowed), "{}", err(&output));
}

#[test]
fn crash_in_json_has_exit_and_stderr() {
    let output = run_isolated(&["--end", "exit", "--format", "json", "a", "b"]);
    assert_eq!(code(&output), 1);
    let json = json(&output);
    assert_eq!(json["state"], "failed");
    assert_eq!(states(&json), ["crashed", "returned"]);
    let expected = serde_json::json!({
        "message": "its worker exited with code 7", "code": 7,
        "signal": null, "signal_name": null, "core_dumped": false, "stderr": ""});
    assert_eq!(json["items"][0]["crash"], expected);
}

#[test]
fn join_timeout_ends_blocked_isolated_item() {
    let args = ["--end", "block", "--join-timeout", "3", "a", "b"];
    let output = run_isolated(&[&args[..], &NORMAL].concat());
    assert_eq!(code(&output), 3);
    assert_eq!(out(&output), "b is done\n");
    // If the machine is too busy to end a worker in time, it is abandoned and ends with the program.
    let ends = ["1 returned, 1 cancelled\n", "1 returned, 1 timed out\n"];
    let ended = ends.iter().any(|end| err(&output).ends_with(end));
    assert!(ended, "{}", err(&output));
}

#[test]
fn fatal_end_is_refused_on_the_pool() {
    let output = run(&["run", "misbehave", "--end", "abort", "a", "b"]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "b is done\n");
    assert!(
        err(&output).contains("run it on processes"),
        "{}",
        err(&output)
    );
}

#[test]
fn workers_die_soon_after_the_program_is_killed() {
    let running = Running::start("block", &["--on", "process", "--workers", "2"]);
    let pid = running.0.id();
    let mut workers = processes_named("meanwhile-worke", pid);
    while workers.is_empty() {
        workers = processes_named("meanwhile-worke", pid);
    }
    running.signal(Signal::SIGKILL);
    let start = Instant::now();
    while workers.iter().any(|worker| is_alive(*worker)) {
        assert!(start.elapsed() < Duration::from_mins(1), "workers live on");
        std::thread::yield_now();
    }
}

/// The children of a process with this name.
fn processes_named(name: &str, parent: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").expect("Linux has it").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.split_once(") ").map_or("", |(_, rest)| rest);
        stat.contains(&format!("({name})")) && rest.split(' ').nth(1) == Some(&parent.to_string())
    })
    .collect()
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}
