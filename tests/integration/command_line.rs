//! `meanwhile run command`, as users and scripts see it.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::util::files::{folder, write};
use super::util::interrupt::hear_interrupt;
use super::util::sleeper::Sleeper;

fn meanwhile<S: AsRef<OsStr>>(args: &[S]) -> Command {
    hear_interrupt();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    // These tests run beside others.
    command.args(["run", "command", "--priority", "normal"]);
    command.args(args);
    command.stdin(Stdio::null());
    command
}

fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    meanwhile(args).output().expect("the program starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("plain text")
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("plain text")
}

#[test]
fn output_comes_in_the_order_of_the_files() {
    // The first takes longest.
    let text = "case $1 in a) sleep 0.3;; esac; echo \"$1\"; echo \"about $1\" >&2";
    let output = run(&["--shell", "--workers", "3", "a", "b", "c", "--", text]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output), "a\nb\nc\n");
    assert_eq!(err(&output), "about a\nabout b\nabout c\n");
}

#[test]
fn output_is_passed_through_unchanged() {
    let folder = folder();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let file = write(folder.path(), "f", &bytes);
    let output = run(&[file.as_os_str(), "--".as_ref(), "cat".as_ref()]);
    assert_eq!(code(&output), 0);
    assert!(output.stdout == bytes);
}

#[test]
fn hostile_file_name_is_one_argument_in_a_shell() {
    let folder = folder();
    let hostile = folder.path().join(OsStr::from_bytes(b"$(exit 9);\xff '\n"));
    let mut args: Vec<OsString> = vec![hostile.clone().into()];
    args.extend(["--", "printf", "%s\\0", "{}"].map(OsString::from));
    let output = run(&args);
    assert_eq!(code(&output), 0);
    let expected = [hostile.as_os_str().as_bytes(), b"\0"].concat();
    assert_eq!(output.stdout, expected);
}

#[test]
fn failed_run_prints_its_output_and_exits_1() {
    let output = run(&["--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output), "out\n");
    let lines: Vec<&str> = err(&output).lines().collect();
    assert_eq!(
        lines,
        [
            "err",
            "meanwhile: sh exited with code 3, but 0 was expected",
            "meanwhile: 1 item: 1 failed"
        ]
    );
    let output = run(&["--expect", "3", "--", "sh", "-c", "exit 3"]);
    assert_eq!(code(&output), 0);
}

#[test]
fn join_timeout_leaves_no_process_and_exits_3() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let text = format!("trap \"\" TERM; {sleep} & {sleep}");
    let start = Instant::now();
    let output = run(&[
        "--join-timeout",
        "1",
        "--grace",
        "0.5",
        "--",
        "sh",
        "-c",
        &text,
    ]);
    assert_eq!(code(&output), 3, "{}", err(&output));
    let said = err(&output)
        .lines()
        .find(|line| line.contains(": cancelled: asked "));
    let (asked, killed) = said
        .and_then(|said| said.split_once(" to end, killed "))
        .unwrap();
    assert!(
        asked.contains("sh (") && killed.contains("sh ("),
        "{said:?}"
    );
    assert!(sleeper.running().is_empty());
    assert!(start.elapsed() < Duration::from_mins(1));
}

#[test]
fn json_of_a_stopped_run_names_killed_processes() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let text = format!("trap \"\" TERM; {sleep} & echo early; {sleep}; {sleep}");
    let args = [
        "--format",
        "json",
        "--timeout",
        "1",
        "--grace",
        "0.2",
        "--",
        "sh",
        "-c",
    ];
    let output = run(&[&args[..], &[&text]].concat());
    assert_eq!(code(&output), 1);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let item = &json["items"][0];
    assert_eq!(item["error"]["kind"], "timed_out");
    assert_eq!(item["output"]["stdout"]["text"], "early\n");
    let asked = item["output"]["stopped"]["asked"].as_array().unwrap();
    let is_shell = |name: &Value| name.as_str().is_some_and(|name| name.starts_with("sh ("));
    assert!(asked.iter().any(is_shell), "{asked:?}");
    assert!(
        !item["output"]["stopped"]["forced"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(sleeper.running().is_empty());
}

#[test]
fn ctrl_c_leaves_no_process() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let text = format!("trap '' TERM; {sleep} & {sleep}; {sleep}");
    let mut running = Running::start(&["--grace", "0.2", "--", "sh", "-c", &text]);
    running.until(|| sleeper.running().len() == 2);
    running.signal(Signal::SIGINT);
    // It dies by the signal. A process that was killed may take a moment to end.
    assert_eq!(running.end(), None);
    until(|| sleeper.running().is_empty());
}

#[test]
fn killed_program_leaves_no_process() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let text = format!("trap '' TERM; {sleep} & {sleep}; {sleep}");
    let mut running = Running::start(&["--", "sh", "-c", &text]);
    running.until(|| sleeper.running().len() == 2);
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end(), None);
    until(|| sleeper.running().is_empty());
}

#[test]
fn kill_while_stopping_a_tree_leaves_no_process() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (leader, shell) = (path("leader"), path("shell"));
    let sleep = sleeper.command();
    let inner = format!("trap '' TERM; {sleep}; {sleep}");
    let text = format!("sh -c \"{inner}\" {shell} & wait");
    let mut running = Running::start(&["--grace", "1000", "--", "sh", "-c", &text, &leader]);
    let tree_runs = || count_with(&shell) == 1 && sleeper.running().len() == 1;
    running.until(tree_runs);
    running.signal(Signal::SIGINT);
    // The arguments of the program have it too.
    running.until(|| count_with(&leader) == 1);
    assert!(tree_runs());
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end(), None);
    until(|| count_with(&shell) == 0 && sleeper.running().is_empty());
}

/// The number of processes with this argument, which is a path in the folder of a test.
fn count_with(argument: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let has_argument = |line: &Vec<u8>| {
        let mut words = line.split(|&byte| byte == 0);
        words.any(|word| word == argument.as_bytes())
    };
    lines.filter(has_argument).count()
}

/// The running program. Dropping it kills the program.
struct Running(Child);

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut command = meanwhile(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("the program starts"))
    }

    fn until(&mut self, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            let status = self.0.try_wait().expect("it is our child");
            assert!(status.is_none(), "it ended early");
            assert!(start.elapsed() < Duration::from_mins(1), "timed out");
            std::thread::yield_now();
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        kill(pid, signal).expect("the child was not reaped");
    }

    fn end(mut self) -> Option<i32> {
        self.0.wait().expect("it is our child").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits for processes that are not children of the test.
fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "left behind");
        std::thread::yield_now();
    }
}

#[test]
fn limits_are_set_by_the_launcher() {
    let output = run(&["--memory", "100", "--", "sh", "-c", "ulimit -v"]);
    assert_eq!(out(&output), "102400\n", "{}", err(&output));
    let output = run(&["--cpu", "1", "--", "sh", "-c", "while :; do :; done"]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("SIGXCPU") || err(&output).contains("SIGKILL"),
        "{}",
        err(&output)
    );
}

#[test]
fn dropped_output_is_counted_in_a_document() {
    let limit = ["--format", "json", "--output-limit", "7"];
    let output = run(&[&limit[..], &["--", "seq", "1", "9"]].concat());
    assert_eq!(code(&output), 0);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stdout = &json["items"][0]["output"]["stdout"];
    assert_eq!(stdout["text"], "7\n8\n9\n");
    assert!(stdout["begins_within_line"].is_null(), "{stdout}");
    assert_eq!(
        (&stdout["dropped"], &stdout["total"]),
        (&12.into(), &18.into())
    );
}

#[test]
fn document_says_that_output_begins_within_a_line() {
    let limit = ["--format", "json", "--output-limit", "4"];
    let output = run(&[&limit[..], &["--", "printf", "one\\n12345678\\n"]].concat());
    assert_eq!(code(&output), 0);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stdout = &json["items"][0]["output"]["stdout"];
    assert_eq!(stdout["text"], "678\n");
    assert_eq!(stdout["begins_within_line"], true);
}

#[test]
fn usage_error_exits_2_and_help_has_placeholders() {
    for args in [
        &[][..],
        &["file"],
        &["--"],
        &["--", "echo", "{}"],
        &["--expect", "no", "--", "true"],
        &["--env", "NAME", "--", "true"],
        &["--prefix", "'", "--", "true"],
        &["--timeout", "-1", "--", "true"],
    ] {
        let output = run(args);
        assert_eq!(code(&output), 2, "{args:?} {}", err(&output));
        assert_eq!(out(&output), "");
    }
    let output = run(&["--help"]);
    assert_eq!(code(&output), 0);
    for place in ["{}", "{name}", "{stem}", "{dir}", "\"$1\""] {
        assert!(out(&output).contains(place), "{place}");
    }
}

#[test]
fn environment_folder_and_prefix_are_applied() {
    let folder = folder();
    fs::create_dir(folder.path().join("in it")).unwrap();
    let dir = folder.path().join("in it").canonicalize().unwrap();
    let output = meanwhile(&[
        "--env", "A=1", "--env", "B=2 3", "--prefix", "env C=4", "--dir",
    ])
    .arg(&dir)
    .args(["--", "sh", "-c", "pwd -P; echo $A-$B-$C"])
    .output()
    .unwrap();
    assert_eq!(out(&output), format!("{}\n1-2 3-4\n", dir.display()));
}
