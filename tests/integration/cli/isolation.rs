//! Items in isolated processes.

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{NORMAL, Running, code, err, json, out, run, states};

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
