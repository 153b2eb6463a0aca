//! After all tests of a suite that works with processes: what they have left behind.
//!
//! Each suite runs once more, in a process of its own, beside a test that waits until the others
//! have ended and then looks at what the process has. More than another process has in which that
//! test ran alone is left behind by the suite.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::Instant;

use meanwhile::jobs::misbehave::End;
use meanwhile::jobs::{Options, RunOn, command};
use meanwhile::join::process::{Builder, Exit, Process};

use crate::util::gate::LIMIT;
use crate::util::left::Left;
use crate::util::test_board::{TestBoard, misbehave, spec};

/// In the process of a suite: how many files and threads one without it has. In that one: nothing.
const ALLOWED: &str = "MEANWHILE_TEST_ALLOWED";

/// What the process without a suite says before how much it has.
const HAS: &str = "it has ";

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn the_suite_of_processes_leaves_no_zombie_no_descriptor_and_no_thread() {
    gate(
        "process::",
        "after::the_suite_of_processes_leaves_no_zombie_no_descriptor_and_no_thread",
    );
}

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn the_suite_of_isolation_leaves_no_zombie_no_descriptor_and_no_thread() {
    gate(
        "isolation::",
        "after::the_suite_of_isolation_leaves_no_zombie_no_descriptor_and_no_thread",
    );
}

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn the_suite_of_commands_leaves_no_zombie_no_descriptor_and_no_thread() {
    gate(
        "command::",
        "after::the_suite_of_commands_leaves_no_zombie_no_descriptor_and_no_thread",
    );
}

fn gate(suite: &str, name: &str) {
    if let Ok(allowed) = std::env::var(ALLOWED) {
        return look(&allowed);
    }
    let alone = said_by(&runner(name, &["--exact"], ""));
    let has = alone.lines().find_map(|line| line.strip_prefix(HAS));
    let runner = runner(name, &[suite, "--test-threads=3"], has.expect(&alone));
    let said = said_by(&runner);
    assert!(!said.contains("running 1 test\n"), "there is no {suite}");
    assert_eq!(runner.join().unwrap(), Exit::Code(0), "{said}");
}

/// The runner of tests, for this one and those that `arguments` choose.
fn runner(name: &str, arguments: &[&str], allowed: &str) -> Process {
    Builder::new(std::env::current_exe().unwrap())
        .args([name, "--include-ignored"])
        .args(arguments)
        .env(ALLOWED, allowed)
        .stdin_piped()
        .stdout_piped()
        .spawn()
        .unwrap()
}

/// All that the runner says. When only one test is left it is that which waits, and may go on.
fn said_by(runner: &Process) -> String {
    let mut said = String::new();
    let (mut tests, mut ended) = (None, 0);
    for line in BufReader::new(runner.take_stdout().unwrap()).lines() {
        let line = line.unwrap();
        let count = line
            .strip_prefix("running ")
            .and_then(|rest| rest.split(' ').next());
        tests = tests.or(count.and_then(|count| count.parse::<usize>().ok()));
        ended += usize::from(line.starts_with("test ") && line.contains(" ... "));
        if tests == Some(ended + 1) {
            drop(runner.take_stdin());
        }
        said += &line;
        said.push('\n');
    }
    said
}

/// The test itself, in the process of the suite or in the one without.
fn look(allowed: &str) {
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .unwrap();
    start_what_serves_all();
    let is_left = |left: &Left| format!("{} {}", left.files.len(), left.threads.len());
    let mut numbers = allowed
        .split(' ')
        .map_while(|number| number.parse::<usize>().ok());
    let (Some(files), Some(threads)) = (numbers.next(), numbers.next()) else {
        // Not `println!`, which the runner keeps for itself.
        let has = format!("{HAS}{}\n", is_left(&Left::now()));
        return std::io::stdout().write_all(has.as_bytes()).unwrap();
    };
    let asked = Instant::now();
    loop {
        let left = Left::now();
        if left.zombies.is_empty() && left.files.len() <= files && left.threads.len() <= threads {
            return;
        }
        assert!(
            asked.elapsed() < LIMIT,
            "{files} files and {threads} threads may be: {left:#?}"
        );
        std::thread::yield_now();
    }
}

/// What is started once, with the first process of each kind, and serves all that follow.
fn start_what_serves_all() {
    let mut desk = TestBoard::new();
    let command = command::Options {
        command: command::CommandLine::Line("true".to_owned()),
        ..command::Options::default()
    };
    let mut job = spec(RunOn::Process, misbehave(End::Return, 1, 1));
    for options in [job.options.clone(), Options::Command(command)] {
        job.options = options;
        let job = desk.start(job.clone());
        desk.until_ended(job);
    }
}
