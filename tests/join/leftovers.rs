//! The tests of processes leave no zombie, descriptor or thread behind.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use meanwhile_join::process::Builder;
use meanwhile_join::{Builder as TaskBuilder, Priority};

use crate::util::leftovers::check;

#[test]
#[ignore = "runs a suite once more; tests/all.sh runs it"]
fn process_suite_leaves_nothing_behind() {
    let name = "z_leftovers::process_suite_leaves_nothing_behind";
    check("process::", name, start_shared_threads);
}

/// Starts a background task and a process with a callback, and so the threads that serve all later
/// ones.
fn start_shared_threads() {
    let task = TaskBuilder::new("background").priority(Priority::Background);
    task.spawn(|_| ()).unwrap().join().unwrap();
    Builder::new("true").spawn().unwrap().join().unwrap();
    // For a process with the normal priority, a background thread asks the spawner.
    let spawns = TaskBuilder::new("spawns").priority(Priority::Background);
    let normal = Builder::new("true").priority(Priority::Normal);
    let spawns = spawns.spawn(|_| normal.spawn().unwrap().join().unwrap());
    spawns.unwrap().join().unwrap();
}
