//! The command line, as users and scripts see it: the built program in a process of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the program it started, which it also ends"
)]

#[cfg(target_os = "linux")]
mod awake;
mod checksum;
#[cfg(target_os = "linux")]
mod escaping;
mod isolation;
#[cfg(target_os = "linux")]
mod join_pid;
#[cfg(target_os = "linux")]
mod limits;
mod lists;
mod notes;
mod output;
#[cfg(target_os = "linux")]
mod terminal;
mod trace;
#[cfg(target_os = "linux")]
mod trace_readers;
mod waiting;
#[cfg(target_os = "linux")]
mod why;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::util::interrupt::hear_interrupt;

fn meanwhile(args: &[&str]) -> Command {
    hear_interrupt();
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
        running.wait_until_joined();
        running
    }

    /// Waits for the message about the join, which shows that the job runs.
    fn wait_until_joined(&mut self) {
        let mut line = String::new();
        let stderr = self.0.stderr.as_mut().expect("it is piped");
        let read = BufReader::new(stderr).read_line(&mut line);
        read.expect("stderr is text");
        assert!(line.contains("still running after "), "{line}");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().try_into().expect("a pid is an i32"));
        kill(pid, signal).expect("the child was not reaped");
    }

    fn end(mut self) -> (ExitStatus, String) {
        let mut out = String::new();
        let mut stdout = self.0.stdout.take().expect("it is piped");
        stdout.read_to_string(&mut out).expect("stdout is text");
        let status = self.0.wait().expect("it is our child");
        (status, out)
    }
}
