//! The promises of `join::process`, tested with real children. The tests `p4_…` are for row P4 of
//! `src/join/process/CONFORMANCE.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod adopting;
#[cfg(not(other_unix))]
mod ahead;
mod checking;
mod converting;
mod dropping;
#[cfg(not(other_unix))]
mod escaping;
#[cfg(not(other_unix))]
mod foreign;
mod guarding;
mod holding;
mod joining;
mod launching;
mod lines;
#[cfg(not(other_unix))]
mod orphans;
mod output;
mod pipelines;
#[cfg(not(other_unix))]
mod prioritizing;
mod programs;
mod reading;
mod reaping;
mod reporting;
mod settings;
mod signalling;
mod spawning;
mod stopping;
mod streams;
mod users;
mod writing;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::time::Instant;

use meanwhile_join::process::{Builder, Launcher, Process};

use crate::util::gate::TIMEOUT;

/// A shell that runs `script`.
fn shell(script: &str) -> Builder {
    Builder::new("/bin/sh").args(["-c", script])
}

/// The path of a program that tests use as their launcher in place of [`launching_program`].
const OTHER_LAUNCHER: &str = "MEANWHILE_TEST_LAUNCHER";

/// A launcher that uses the program.
fn launcher() -> Launcher {
    let other = std::env::var_os(OTHER_LAUNCHER).map(PathBuf::from);
    Launcher::of_program(other.unwrap_or_else(launching_program))
}

/// A program whose `main` installs a launcher: an example, because the library has no program.
fn launching_program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(std::path::Path::parent).unwrap();
    built.join("examples/limits")
}

/// Reads the piped output of a process up to this line. Returns the lines before it.
fn wait_for_line(process: &Process, line: &str) -> Vec<String> {
    let stdout = BufReader::new(process.take_stdout().unwrap());
    let mut before = Vec::new();
    for text in stdout.lines().map_while(Result::ok) {
        if text == line {
            return before;
        }
        before.push(text);
    }
    panic!(
        "the process ended before it printed {line:?}: {:?}",
        process.join()
    );
}

/// Waits until a condition holds, and lets other threads run meanwhile. Fails after [`TIMEOUT`].
#[track_caller]
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "{what}: not within {TIMEOUT:?}");
        std::thread::yield_now();
    }
}

/// Whether a process with this pid runs; a zombie does not.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| {
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        !matches!(state, Some('Z' | 'X'))
    })
}
