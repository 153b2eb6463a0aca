//! Timeouts, Ctrl-C and priority.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;

use super::{NORMAL, Running, code, err, json, out, run, states};

use crate::util::files::folder;
#[cfg(target_os = "linux")]
use crate::util::policy::idle_threads_of;

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
fn times_may_have_units() {
    let sleep = ["--", "sleep", "86400"];
    let args = ["run", "command", "--timeout", "0m0.1s", "--cpu", "1h30m"];
    let output = run(&[&args[..], &sleep].concat());
    assert_eq!(code(&output), 1);
    let text = err(&output);
    assert!(text.contains("sleep did not end within 100 ms"), "{text}");

    let output = run(&[&["run", "command", "--timeout", "5x"][..], &sleep].concat());
    assert_eq!(code(&output), 2);
    let text = err(&output);
    assert!(text.contains("such as `90s`, `5m` or `1h30m`"), "{text}");
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
    // An item that has not begun when the timeout expires is cancelled.
    let more = [
        "--join-timeout",
        "1",
        "--priority",
        "normal",
        "--format",
        "json",
    ];
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
    let waited = err(&output).strip_prefix("meanwhile: still running after 1");
    assert!(
        waited.is_some_and(|text| text.ends_with(" ms\n")),
        "{}",
        err(&output)
    );
    assert_eq!(out(&output), "a is done\n");
}

#[test]
fn signals_cancel_print_results_and_set_the_status() {
    for (signal, status) in [
        // A shell ends its script after a program that died by it.
        (Signal::SIGINT, (None, Some(2))),
        (Signal::SIGTERM, (Some(143), None)),
        (Signal::SIGHUP, (Some(129), None)),
    ] {
        let running = Running::start("sleep", &[&["--format", "json"], &NORMAL[..]].concat());
        running.signal(signal);
        let (ended, out) = running.end();
        assert_eq!((ended.code(), ended.signal()), status);
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
    let (ended, out) = running.end();
    assert_eq!(ended.signal(), Some(2));
    assert_eq!(out, "");
}

#[test]
fn system_that_asks_for_the_end_gets_it_in_time() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let running = Running::start("ignore-cancel", &[]);
        let start = Instant::now();
        running.signal(signal);
        let (ended, _) = running.end();
        assert_eq!(ended.code(), Some(code));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}

/// The command that starts the program with a signal ignored.
#[cfg(target_os = "linux")]
fn ignoring(signal: &str, args: &[&str]) -> Command {
    let mut command = Command::new("env");
    command.arg(format!("--ignore-signal={signal}"));
    command.arg(env!("CARGO_BIN_EXE_meanwhile")).args(args);
    command
}

#[cfg(target_os = "linux")]
#[test]
fn signals_ignored_at_the_start_stay_ignored() {
    let folder = folder();
    let gate = folder.path().join("gate");
    for signal in [Signal::SIGHUP, Signal::SIGINT] {
        mkfifo(&gate, Mode::S_IRWXU).unwrap();
        let script = format!(
            "echo started; read line < {}; echo finished",
            gate.display()
        );
        let args = [
            "run",
            "command",
            "--priority",
            "normal",
            "--",
            "sh",
            "-c",
            &script,
        ];
        let mut command = ignoring(signal.as_str(), &args);
        let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "started");
        running.signal(signal);
        std::fs::write(&gate, "\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "finished");
        assert_eq!(running.0.wait().unwrap().code(), Some(0));
        std::fs::remove_file(&gate).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn exits_are_known_if_child_signals_are_ignored() {
    let args = [
        "run", "command", "--expect", "3", "--", "sh", "-c", "exit 3",
    ];
    let output = ignoring("CHLD", &args).output().unwrap();
    assert_eq!((code(&output), err(&output)), (0, ""));
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
