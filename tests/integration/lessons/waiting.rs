//! The lessons about timeouts and finished workers.

use std::time::Duration;

use meanwhile::lessons::WorkerKind;
use meanwhile::record::Activity;

use super::{length, lesson, messages_of, spans, time_of};

/// The first join times out, the worker continues, and the second join returns at its end.
fn assert_timeout_leaves_the_worker_running(kind: WorkerKind) {
    let log = lesson("join-timeout", kind).log();
    let [sleep] = spans(&log, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let [first, second, _python] = spans(&log, "main", Activity::Waits)[..] else {
        panic!("main waits twice for the worker, then for Python");
    };
    assert!(length(first) >= Duration::from_millis(500));
    assert!(first.1 < sleep.1, "the first join waited for the worker");
    assert!(
        second.1 >= sleep.1,
        "the second join did not wait for the worker"
    );
    let running = time_of(&log, "main", "still running");
    let done = time_of(&log, "worker", "done");
    let ended = time_of(&log, "main", "has ended");
    assert!(running < done && done < ended);
    assert_eq!(log.table()[1][1..3], ["Err(TimedOut)", "true"]);
    assert_eq!(log.table()[2][1..3], ["Ok", "false"]);

    // The join of CPython returns None in both cases.
    let printed = [
        "join: None",
        "is_alive: True",
        "done",
        "join: None",
        "is_alive: False",
    ];
    assert_eq!(messages_of(&log, "Python"), printed);
    assert_eq!(log.table()[1][3..], ["None", "True"]);
    assert_eq!(log.table()[2][3..], ["None", "False"]);
}

#[test]
fn join_timeout_of_a_task_leaves_it_running() {
    assert_timeout_leaves_the_worker_running(WorkerKind::Task);
}

#[test]
fn join_timeout_of_a_process_leaves_it_running() {
    assert_timeout_leaves_the_worker_running(WorkerKind::Process);
}

/// Both threads of CPython print at the same time.
#[test]
fn python_prints_whole_lines() {
    for _ in 0..6 {
        let lesson = lesson("join-timeout", WorkerKind::Task);
        let log = lesson.with("work", 1.0).with("timeout", 1.0).log();
        let mut printed = messages_of(&log, "Python");
        printed.retain(|line| !line.starts_with("is_alive: "));
        printed.sort_unstable();
        assert_eq!(printed, ["done", "join: None", "join: None"]);
    }
}

/// The join returns when the worker ends, long before the timeout.
fn assert_long_timeout_ends_with_the_worker(kind: WorkerKind) {
    let log = lesson("join-timeout", kind).with("timeout", 10.0).log();
    let [sleep] = spans(&log, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let first = spans(&log, "main", Activity::Waits)[0];
    assert!(first.1 >= sleep.1, "the join returned before the worker");
    assert!(length(first) < Duration::from_millis(2_500));
    let running = log.time_of("main", "still running");
    running.expect_err("the worker has ended by then");
    for row in &log.table()[1..] {
        assert_eq!(row[1..], ["Ok", "false", "None", "False"]);
    }
}

#[test]
fn join_timeout_of_a_task_returns_at_its_end() {
    assert_long_timeout_ends_with_the_worker(WorkerKind::Task);
}

#[test]
fn join_timeout_of_a_process_returns_at_its_end() {
    assert_long_timeout_ends_with_the_worker(WorkerKind::Process);
}

fn assert_joins_of_a_finished_worker_agree(kind: WorkerKind, expected: &str) {
    let log = lesson("join-finished", kind).with("late", 6.0).log();
    let done = time_of(&log, "worker", "done");
    let waits = spans(&log, "main", Activity::Waits);
    assert_eq!(waits.len(), 3);
    assert!(waits.iter().all(|wait| wait.0 > done), "a join came early");
    let returned = log.table()[1..].iter().map(|row| row[1].as_str());
    assert_eq!(returned.collect::<Vec<_>>(), [expected; 3]);
}

#[test]
fn joins_of_a_finished_task_return_the_same_value() {
    assert_joins_of_a_finished_worker_agree(WorkerKind::Task, "a result");
}

#[test]
fn joins_of_a_finished_process_return_the_same_exit() {
    assert_joins_of_a_finished_worker_agree(WorkerKind::Process, "exited with code 0");
}

#[test]
fn early_join_waits_and_later_ones_do_not() {
    let log = lesson("join-finished", WorkerKind::Task)
        .with("late", 0.0)
        .log();
    let done = time_of(&log, "worker", "done");
    let [first, again, and_again] = spans(&log, "main", Activity::Waits)[..] else {
        panic!("main joins three times");
    };
    assert!(first.0 < done, "main joined too late");
    assert!(first.1 >= done, "the first join did not wait");
    for wait in [again, and_again] {
        assert!(
            length(wait) < length(first) / 2,
            "{wait:?}: it waited again"
        );
    }
}
