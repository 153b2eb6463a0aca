use meanwhile::lessons::WorkerKind;
use meanwhile::record::Activity;

use super::{play, times};

/// The wait covers the worker's sleep, and ends with the worker.
fn main_waits_as_long_as_the_worker_sleeps(kind: WorkerKind) {
    let log = play("join", kind).log();
    let [sleep] = times(&log, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let [wait] = times(&log, "main", Activity::Waits)[..] else {
        panic!("main waits once");
    };
    assert!(
        wait.1 >= sleep.1,
        "the join returned before the worker woke"
    );
    let waited = log.time_of("main", "waiting").expect("it is said");
    let done = log.time_of("worker", "done").expect("it is said");
    let continuing = log.time_of("main", "continuing").expect("it is said");
    assert!(
        waited < done && done < continuing,
        "{waited:?} {done:?} {continuing:?}"
    );
}

#[test]
fn join_with_a_task_continues_after_the_worker_is_done() {
    main_waits_as_long_as_the_worker_sleeps(WorkerKind::Task);
}

#[test]
fn join_with_a_process_continues_after_the_worker_is_done() {
    main_waits_as_long_as_the_worker_sleeps(WorkerKind::Process);
}
