//! The lesson about a single join.

use meanwhile::lessons::WorkerKind;
use meanwhile::record::Activity;

use super::{lesson, spans, time_of};

/// Main waits until the worker ends.
fn assert_main_waits_for_the_worker(kind: WorkerKind) {
    let log = lesson("join", kind).log();
    let [sleep] = spans(&log, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let [wait] = spans(&log, "main", Activity::Waits)[..] else {
        panic!("main waits once");
    };
    assert!(
        wait.1 >= sleep.1,
        "the join returned before the worker woke"
    );
    let waited = time_of(&log, "main", "waiting");
    let done = time_of(&log, "worker", "done");
    let continuing = time_of(&log, "main", "continuing");
    assert!(
        waited < done && done < continuing,
        "{waited:?} {done:?} {continuing:?}"
    );
}

#[test]
fn join_of_a_task_returns_after_its_end() {
    assert_main_waits_for_the_worker(WorkerKind::Task);
}

#[test]
fn join_of_a_process_returns_after_its_end() {
    assert_main_waits_for_the_worker(WorkerKind::Process);
}
