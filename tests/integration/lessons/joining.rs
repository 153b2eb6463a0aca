use meanwhile::lessons::Cast;
use meanwhile::record::Activity;

use super::{play, times};

/// The wait covers the worker's sleep, and ends with the worker.
fn main_waits_as_long_as_the_worker_sleeps(cast: Cast) {
    let told = play("join", cast).told();
    let [sleep] = times(&told, "worker", Activity::Sleeps)[..] else {
        panic!("the worker sleeps once");
    };
    let [wait] = times(&told, "main", Activity::Waits)[..] else {
        panic!("main waits once");
    };
    assert!(
        wait.1 >= sleep.1,
        "the join returned before the worker woke"
    );
    let waited = told.when("main", "waiting").expect("it is said");
    let done = told.when("worker", "done").expect("it is said");
    let continuing = told.when("main", "continuing").expect("it is said");
    assert!(
        waited < done && done < continuing,
        "{waited:?} {done:?} {continuing:?}"
    );
}

#[test]
fn join_with_a_task_continues_after_the_worker_is_done() {
    main_waits_as_long_as_the_worker_sleeps(Cast::Task);
}

#[test]
fn join_with_a_process_continues_after_the_worker_is_done() {
    main_waits_as_long_as_the_worker_sleeps(Cast::Process);
}
