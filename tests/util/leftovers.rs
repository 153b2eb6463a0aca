//! Whether a suite that works with processes leaves a zombie, descriptor or thread behind.
//!
//! The suite runs once more in a process of its own, together with the test that calls [`check`]. The
//! test runner starts tests in alphabetical order, and the module of that test comes last. So all
//! tests of the suite have begun before it. It waits for their ends, because a running test has a
//! thread and the limit of threads allows none. The limits are the resources of a process that runs
//! only that test.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Instant;

use meanwhile_join::process::{Builder, Exit};

use super::files::folder;
use super::gate::TIMEOUT;
use super::resources::Resources;

/// The variable with the file for the limits. It is set in the process without a suite.
const LIMITS_FILE: &str = "MEANWHILE_TEST_LIMITS_FILE";

/// The variable with the limits of files and threads. It is set in the process of a suite.
const LIMITS: &str = "MEANWHILE_TEST_LIMITS";

/// Runs the suite, and the test `name`, which is the caller. `start_shared_threads` starts the threads
/// that serve all later work.
pub(crate) fn check(suite: &str, name: &str, start_shared_threads: fn()) {
    if let Some(file) = env::var_os(LIMITS_FILE) {
        start_shared_threads();
        return write_limits(Path::new(&file));
    }
    if let Ok(limits) = env::var(LIMITS) {
        return wait_for_limits(&limits, start_shared_threads);
    }
    let folder = folder();
    let file = folder.path().join("limits");
    run(test_binary(&["--exact", name]).env(LIMITS_FILE, &file));
    let limits = fs::read_to_string(file).expect("the test of this name ran");
    run(test_binary(&[suite, name]).env(LIMITS, limits));
}

fn test_binary(filter: &[&str]) -> Builder {
    Builder::new(env::current_exe().expect("a test has a file"))
        .args(filter)
        .args(["--include-ignored", "--test-threads=3"])
        .env_remove("RUST_TEST_SHUFFLE")
}

fn run(tests: Builder) {
    let tests = tests.spawn().expect("the test binary starts");
    let exit = tests.join().expect("nothing waits for this test");
    let output = tests.output();
    let (stdout, stderr) = (output.stdout.text(), output.stderr.text());
    assert_eq!(exit, Exit::Code(0), "{stdout}\n{stderr}");
}

fn write_limits(file: &Path) {
    let has = Resources::now();
    // The test runner runs a single test on its own thread, and each of several on one more.
    let limits = format!("{} {}", has.files.len(), has.threads.len() + 1);
    fs::write(file, limits).expect("the caller's own folder");
}

fn wait_for_limits(limits: &str, start_shared_threads: fn()) {
    let threads = Resources::now().threads;
    assert!(
        threads.iter().any(|name| name.trim() == "process reaper"),
        "no test of the suite has begun: {threads:?}"
    );
    start_shared_threads();
    let (files, threads) = limits.split_once(' ').expect("two numbers");
    let (files, threads) = (parse(files), parse(threads));
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

fn parse(number: &str) -> usize {
    number.parse().expect("written by the test itself")
}
