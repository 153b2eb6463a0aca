//! The suites that work with processes leave no zombie, descriptor or thread behind.
//!
//! Each suite runs once more in a process of its own, together with one of these tests. The test
//! runner starts tests in alphabetical order, and the name of this module comes last. So all tests
//! of the suite have begun before the one from here. It waits for their ends, because a running
//! test has a thread and the limit of threads allows none. The limits are the resources of a
//! process that runs only that test.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::env;
use std::fs;
use std::path::Path;
use std::time::Instant;

use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::jobs::{Options, RunOn, command};
use meanwhile::join::process::{Builder, Exit};
use meanwhile::join::{self, Priority};

use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::resources::Resources;
use crate::util::test_board::{TestBoard, misbehave, spec};

/// The variable with the file for the limits. It is set in the process without a suite.
const LIMITS_FILE: &str = "MEANWHILE_TEST_LIMITS_FILE";

/// The variable with the limits of files and threads. It is set in the process of a suite.
const LIMITS: &str = "MEANWHILE_TEST_LIMITS";

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn process_suite_leaves_nothing_behind() {
    let name = "z_leftovers::process_suite_leaves_nothing_behind";
    check("process::", name);
}

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn isolation_suite_leaves_nothing_behind() {
    let name = "z_leftovers::isolation_suite_leaves_nothing_behind";
    check("isolation::", name);
}

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn command_suite_leaves_nothing_behind() {
    let name = "z_leftovers::command_suite_leaves_nothing_behind";
    check("command::", name);
}

fn check(suite: &str, name: &str) {
    if let Some(file) = env::var_os(LIMITS_FILE) {
        return write_limits(Path::new(&file));
    }
    if let Ok(limits) = env::var(LIMITS) {
        return wait_for_limits(&limits);
    }
    let folder = folder();
    let file = folder.path().join("limits");
    run(test_binary(&["--exact", name]).env(LIMITS_FILE, &file));
    let limits = fs::read_to_string(file).expect("the test of this name ran");
    run(test_binary(&[suite, name]).env(LIMITS, limits));
}

fn test_binary(filter: &[&str]) -> Builder {
    Builder::new(env::current_exe().unwrap())
        .args(filter)
        .args(["--include-ignored", "--test-threads=3"])
        .env_remove("RUST_TEST_SHUFFLE")
}

fn run(tests: Builder) {
    let tests = tests.spawn().unwrap();
    let exit = tests.join().unwrap();
    let output = tests.output();
    let (stdout, stderr) = (output.stdout.text(), output.stderr.text());
    assert_eq!(exit, Exit::Code(0), "{stdout}\n{stderr}");
}

fn write_limits(file: &Path) {
    start_shared_threads();
    let has = Resources::now();
    let limits = format!("{} {}", has.files.len(), has.threads.len());
    fs::write(file, limits).unwrap();
}

fn wait_for_limits(limits: &str) {
    let threads = Resources::now().threads;
    assert!(
        threads.iter().any(|name| name.trim() == "process reaper"),
        "no test of the suite has begun: {threads:?}"
    );
    start_shared_threads();
    let (files, threads) = limits.split_once(' ').unwrap();
    let (files, threads) = (files.parse().unwrap(), threads.parse().unwrap());
    let start = Instant::now();
    loop {
        let left = Resources::now();
        if left.are_within(files, threads) {
            return;
        }
        // The last tests of the suite may just have begun.
        assert!(
            start.elapsed() < 2 * TIMEOUT,
            "the limits are {files} files and {threads} threads: {left:#?}"
        );
        std::thread::yield_now();
    }
}

/// Starts a background task and a process of each kind, and so the threads that serve all later
/// ones.
fn start_shared_threads() {
    let task = join::Builder::new("background").priority(Priority::Background);
    task.spawn(|_| ()).unwrap().join().unwrap();
    let mut board = TestBoard::new();
    let command = command::Options {
        command: command::CommandLine::Line("true".to_owned()),
        ..command::Options::default()
    };
    let mut job = spec(RunOn::Process, misbehave(Misbehaviour::Return, 1, 1));
    for options in [job.options.clone(), Options::Command(command)] {
        job.options = options;
        let job = board.start(job.clone());
        board.until_ended(job);
    }
}
