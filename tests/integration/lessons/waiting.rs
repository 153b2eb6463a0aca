//! One worker that takes longer or shorter than one waits.

use std::time::Duration;

use meanwhile::lessons::WorkerKind;
use meanwhile::record::Activity;

use super::{play, said_by, times, took};

/// The first join gives up in time, the worker goes on, the second join sees its end.
fn a_join_that_times_out_leaves_the_worker_alone(kind: WorkerKind) {
    let log = play("join-timeout", kind).log();
    let [sleep] = times(&log, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let [first, second, _python] = times(&log, "main", Activity::Waits)[..] else {
        panic!("main waits twice for the worker, then for Python");
    };
    assert!(took(first) >= Duration::from_millis(500));
    assert!(first.1 < sleep.1, "the timeout waited for the worker");
    assert!(second.1 >= sleep.1, "the worker was not waited for");
    let running = log.time_of("main", "still running").expect("it is said");
    let done = log.time_of("worker", "done").expect("it is said");
    let ended = log.time_of("main", "has ended").expect("it is said");
    assert!(running < done && done < ended);
    assert_eq!(log.table()[1][1..3], ["Err(TimedOut)", "true"]);
    assert_eq!(log.table()[2][1..3], ["Ok", "false"]);

    // CPython's join says nothing of the time, and its worker goes on as ours does.
    let printed = [
        "join: None",
        "is_alive: True",
        "done",
        "join: None",
        "is_alive: False",
    ];
    assert_eq!(said_by(&log, "Python"), printed);
    assert_eq!(log.table()[1][3..], ["None", "True"]);
    assert_eq!(log.table()[2][3..], ["None", "False"]);
}

#[test]
fn join_timeout_with_a_task_gives_up_and_leaves_it_running() {
    a_join_that_times_out_leaves_the_worker_alone(WorkerKind::Task);
}

#[test]
fn join_timeout_with_a_process_gives_up_and_leaves_it_running() {
    a_join_that_times_out_leaves_the_worker_alone(WorkerKind::Process);
}

/// Both of CPython's threads print at the same time.
#[test]
fn join_timeout_in_python_prints_whole_lines_also_where_work_and_timeout_are_the_same() {
    for _ in 0..6 {
        let play = play("join-timeout", WorkerKind::Task);
        let log = play.with("work", 1.0).with("timeout", 1.0).log();
        let mut printed = said_by(&log, "Python");
        printed.retain(|line| !line.starts_with("is_alive: "));
        printed.sort_unstable();
        assert_eq!(printed, ["done", "join: None", "join: None"]);
    }
}

/// The join returns with the worker; the rest of its time is not waited for.
fn a_long_timeout_ends_with_the_worker(kind: WorkerKind) {
    let log = play("join-timeout", kind).with("timeout", 10.0).log();
    let [sleep] = times(&log, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let first = times(&log, "main", Activity::Waits)[0];
    assert!(first.1 >= sleep.1, "the join returned before the worker");
    assert!(took(first) < Duration::from_millis(2_500));
    let running = log.time_of("main", "still running");
    running.expect_err("it has ended by then");
    for row in &log.table()[1..] {
        assert_eq!(row[1..], ["Ok", "false", "None", "False"]);
    }
}

#[test]
fn join_timeout_with_a_task_that_ends_sooner_returns_with_it() {
    a_long_timeout_ends_with_the_worker(WorkerKind::Task);
}

#[test]
fn join_timeout_with_a_process_that_ends_sooner_returns_with_it() {
    a_long_timeout_ends_with_the_worker(WorkerKind::Process);
}

fn what_has_ended_is_joined_again_and_again(kind: WorkerKind, given: &str) {
    let log = play("join-finished", kind).with("late", 6.0).log();
    let done = log.time_of("worker", "done").expect("it is said");
    let waits = times(&log, "main", Activity::Waits);
    assert_eq!(waits.len(), 3);
    assert!(waits.iter().all(|wait| wait.0 > done), "a join came early");
    let gives = log.table()[1..].iter().map(|row| row[1].as_str());
    assert_eq!(gives.collect::<Vec<_>>(), [given; 3]);
}

#[test]
fn join_finished_with_a_task_gives_the_same_result_each_time() {
    what_has_ended_is_joined_again_and_again(WorkerKind::Task, "a result");
}

#[test]
fn join_finished_with_a_process_gives_the_same_exit_each_time() {
    what_has_ended_is_joined_again_and_again(WorkerKind::Process, "exited with code 0");
}

#[test]
fn join_finished_with_a_main_that_is_early_waits_once() {
    let log = play("join-finished", WorkerKind::Task)
        .with("late", 0.0)
        .log();
    let done = log.time_of("worker", "done").expect("it is said");
    let [first, again, and_again] = times(&log, "main", Activity::Waits)[..] else {
        panic!("main joins three times");
    };
    assert!(first.0 < done, "main was not early");
    assert!(first.1 >= done, "the first join did not wait");
    for wait in [again, and_again] {
        assert!(took(wait) < took(first) / 2, "{wait:?}: it waited again");
    }
}
