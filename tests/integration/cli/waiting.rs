//! Timeouts, Ctrl-C and priority.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use serde_json::Value;

use super::{NORMAL, Running, code, err, json, meanwhile, out, run, states};

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
    // The limit covers the start, which takes long where much else runs.
    let args = ["run", "command", "--timeout", "0m3s", "--cpu", "1h30m"];
    let output = run(&[&args[..], &NORMAL, &sleep].concat());
    assert_eq!(code(&output), 1);
    let text = err(&output);
    assert!(text.contains("sleep did not end within 3.00 s"), "{text}");

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

#[cfg(target_os = "linux")]
#[test]
fn timed_out_join_says_what_a_thread_does() {
    let args = ["run", "misbehave", "--end", "ignore-cancel", "--after", "1"];
    let more = ["--join-timeout", "0.2", "--then", "wait", "a"];
    let output = run(&[&args[..], &more].concat());
    assert_eq!(code(&output), 0);
    let text = err(&output);
    assert!(
        text.contains("meanwhile: a: its thread sleeps.\n"),
        "{text}"
    );
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
    for (signal, code, words) in [
        (Signal::SIGTERM, 143, "asked to end"),
        (Signal::SIGHUP, 129, "the terminal was closed"),
    ] {
        let mut running = Running::start("ignore-cancel", &NORMAL);
        let mut stderr = running.0.stderr.take().unwrap();
        let start = Instant::now();
        running.signal(signal);
        let (ended, _) = running.end();
        assert_eq!(ended.code(), Some(code));
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        // What the threads wait for is said as far as it is known.
        let lines = said.lines().filter(|line| !line.contains(": its thread "));
        let lines: Vec<&str> = lines.collect();
        let expected = [
            &format!("meanwhile: {words}; cancelling"),
            "meanwhile: 1 item has ignored the cancel; no longer waiting",
            "meanwhile: 3 items: 3 cancelled",
        ];
        assert_eq!(lines, expected);
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

/// The letter with which the system shows what a process does, such as `T` for stopped.
#[cfg(target_os = "linux")]
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.chars().next()
}

#[cfg(target_os = "linux")]
fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_mins(1), "no {what}");
        std::thread::yield_now();
    }
}

/// The process that this line says is stopped.
#[cfg(target_os = "linux")]
fn stopped_pid(line: &str) -> Pid {
    let said = line.split_once(": a signal has stopped its process ");
    let (pid, advice) = said
        .and_then(|(_, what)| what.split_once("; "))
        .expect("it is named");
    assert_eq!(advice, format!("kill -CONT {pid} continues it\n"));
    Pid::from_raw(pid.parse().expect("a pid is a number"))
}

#[cfg(target_os = "linux")]
#[test]
fn stopped_process_of_an_item_is_named() {
    let script = ["--", "sh", "-c", "kill -STOP $$; echo on"];
    let mut command = meanwhile(&[&["run", "command"], &NORMAL[..], &script].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut line = String::new();
    let stderr = running.0.stderr.as_mut().unwrap();
    BufReader::new(stderr).read_line(&mut line).unwrap();
    kill(stopped_pid(&line), Signal::SIGCONT).unwrap();
    let (ended, out) = running.end();
    assert_eq!((ended.code(), out.as_str()), (Some(0), "on\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn stopped_isolated_worker_is_named() {
    let mut running = Running::start("sleep", &[&["--on", "process"], &NORMAL[..]].concat());
    let parent = running.0.id().to_string();
    let is_worker = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields);
        fields.and_then(|fields| fields.split(' ').nth(1)) == Some(&parent)
            && String::from_utf8_lossy(&line).contains("--meanwhile-worker")
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let workers: Vec<Pid> = pids.filter(is_worker).map(Pid::from_raw).collect();
    for worker in &workers {
        kill(*worker, Signal::SIGSTOP).unwrap();
    }
    // What the workers waited for when the join timed out comes first.
    let stderr = running.0.stderr.as_mut().unwrap();
    let mut lines = BufReader::new(stderr).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("a signal has stopped"));
    let line = line.expect("it is named") + "\n";
    assert!(workers.contains(&stopped_pid(&line)), "{workers:?}: {line}");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_z_stops_the_work_and_its_timers() {
    use std::os::unix::process::CommandExt as _;

    const LIMIT: Duration = Duration::from_secs(4);
    let folder = folder();
    let (pid_file, gate) = (folder.path().join("pid"), folder.path().join("gate"));
    mkfifo(&gate, Mode::S_IRWXU).unwrap();
    let script = format!(
        "echo $$ > {pid}.new; mv {pid}.new {pid}; read line < {gate}; echo finished",
        pid = pid_file.display(),
        gate = gate.display()
    );
    let limit = format!("{}s", LIMIT.as_secs());
    let args = [
        "run",
        "command",
        "--timeout",
        &limit,
        "--join-timeout",
        &limit,
    ];
    let mut command = meanwhile(&[&args[..], &["--", "sh", "-c", &script]].concat());
    // As a shell with job control starts it. Its parent is in another group, and could continue it.
    command.process_group(0).stdout(Stdio::piped());
    let mut running = Running(command.stderr(Stdio::piped()).spawn().unwrap());
    let mut stderr = running.0.stderr.take().unwrap();
    until("command", || pid_file.exists());
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let pids = [running.0.id(), pid.trim().parse().unwrap()];
    running.signal(Signal::SIGTSTP);
    until("stop", || {
        pids.iter().all(|pid| state_of(*pid) == Some('T'))
    });
    let stopped = Instant::now();
    until("pause", || stopped.elapsed() > LIMIT);
    running.signal(Signal::SIGCONT);
    until("command", || state_of(pids[1]) != Some('T'));
    std::fs::write(&gate, "go\n").unwrap();
    let (ended, out) = running.end();
    assert_eq!((ended.code(), out.as_str()), (Some(0), "finished\n"));
    // It is not named as one that something else has stopped.
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(!said.contains("has stopped"), "{said}");
}
