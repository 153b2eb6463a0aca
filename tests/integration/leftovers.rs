//! The suites that work with processes leave no zombie, descriptor or thread behind.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::jobs::{Options, RunOn, command};
use meanwhile::join::{self, Priority};

use crate::util::leftovers::check;
use crate::util::test_board::{TestBoard, misbehave, spec};

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn isolation_suite_leaves_nothing_behind() {
    let name = "z_leftovers::isolation_suite_leaves_nothing_behind";
    check("isolation::", name, start_shared_threads);
}

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn command_suite_leaves_nothing_behind() {
    let name = "z_leftovers::command_suite_leaves_nothing_behind";
    check("command::", name, start_shared_threads);
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
