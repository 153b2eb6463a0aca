//! Timeouts, Ctrl-C and priority.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{NORMAL, Running, code, err, json, out, run, states};

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
