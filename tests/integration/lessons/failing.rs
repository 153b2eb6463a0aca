//! Ends that were not meant, and joins that can never return.

use std::collections::BTreeSet;
use std::time::Duration;

use meanwhile::lessons::{RunLog, WorkerKind};
use meanwhile::record::{Activity, LaneEnd};

use super::{lane, play, said_by, times, took, when};

fn how(log: &RunLog, who: &str) -> LaneEnd {
    let closed = lane(log, who).closed.clone();
    closed
        .expect("the run is over, and so is everybody in it")
        .1
}

/// The row of the table that begins with this.
#[track_caller]
fn row<'a>(log: &'a RunLog, first: &str) -> &'a [String] {
    let row = log.table().iter().find(|row| row[0] == first);
    row.unwrap_or_else(|| panic!("there is no row of {first}"))
}

/// The worker ends by its panic, main as it was meant to, and it was log what happened.
fn main_goes_on_after_a_worker_that_failed(kind: WorkerKind) -> RunLog {
    let log = play("join-error", kind).log();
    assert_eq!(how(&log, "worker"), LaneEnd::Panicked);
    assert_eq!(how(&log, "main"), LaneEnd::Returned);
    let [wait, _python] = times(&log, "main", Activity::Waits)[..] else {
        panic!("main waits for the worker, then for Python");
    };
    let failing = when(&log, "worker", "this goes wrong");
    let continuing = when(&log, "main", "continuing");
    assert!(
        failing < wait.1,
        "the join returned before the worker failed"
    );
    assert!(wait.1 <= continuing, "main went on inside of its join");
    log
}

#[test]
fn join_error_with_a_task_gives_the_panic_as_a_value() {
    let log = main_goes_on_after_a_worker_that_failed(WorkerKind::Task);
    let outcome = log.result("outcome").unwrap();
    assert!(outcome.contains("join_error.rs:"), "{outcome}");
    assert!(outcome.ends_with(": the disk is full"), "{outcome}");
}

#[test]
fn join_error_with_a_process_gives_its_exit_code_and_its_stderr() {
    let log = main_goes_on_after_a_worker_that_failed(WorkerKind::Process);
    assert_eq!(log.result("outcome"), Some("exited with code 101"));
    let line = when(&log, "main", "on its stderr: the disk is full");
    assert!(line <= when(&log, "main", "continuing"));
}

#[test]
fn join_error_with_a_process_gives_the_code_that_it_chooses() {
    let log = play("join-error", WorkerKind::Process)
        .with("code", 7.0)
        .log();
    let end = LaneEnd::Failed("exited with code 7".to_owned());
    assert_eq!(how(&log, "worker"), end);
    assert_eq!(log.result("outcome"), Some("exited with code 7"));
    let line = when(&log, "main", "on its stderr: the disk is full");
    assert!(line <= when(&log, "main", "continuing"));
}

/// CPython's own lane, not what the lesson makes of it.
#[test]
fn join_error_in_python_raises_nothing_again_in_its_join() {
    for (kind, exitcode) in [
        (WorkerKind::Task, &[][..]),
        (WorkerKind::Process, &["exitcode: 1"]),
    ] {
        let log = main_goes_on_after_a_worker_that_failed(kind);
        let printed = [
            &["this goes wrong", "join: None"],
            exitcode,
            &["continuing"],
        ]
        .concat();
        assert_eq!(said_by(&log, "Python"), printed);
        assert_eq!(how(&log, "Python"), LaneEnd::Returned);
        let line = when(
            &log,
            "main",
            "on Python's stderr: OSError: the disk is full",
        );
        assert!(line >= when(&log, "Python", "continuing"));
    }
}

/// Both joins are over long before the timeout of the second, and the task ends as it was meant to.
#[test]
fn join_current_with_a_task_is_refused_at_once_and_the_task_goes_on() {
    let log = play("join-current", WorkerKind::Task)
        .with("timeout", 60.0)
        .log();
    for join in ["join", "join with a timeout"] {
        assert_eq!(log.result(join), Some("cannot join current thread"));
    }
    let [_handle, untimed, timed] = times(&log, "worker", Activity::Waits)[..] else {
        panic!("the worker waits for its handle and twice for itself");
    };
    for wait in [untimed, timed] {
        let timeout = Duration::from_secs(15);
        assert!(took(wait) < timeout / 2, "{wait:?}");
    }
    assert_eq!(how(&log, "worker"), LaneEnd::Returned);
}

#[test]
fn join_current_with_a_process_finds_no_handle_of_itself_and_goes_on() {
    let log = play("join-current", WorkerKind::Process).log();
    assert_eq!(log.result("handles of itself"), Some("0"));
    assert_eq!(how(&log, "worker"), LaneEnd::Returned);
    assert_eq!(
        how(&log, "shell"),
        LaneEnd::Failed("exited with code 127".to_owned())
    );
}

#[test]
fn join_current_in_python_is_refused_in_its_own_words() {
    for (kind, words) in [
        (WorkerKind::Task, "join: cannot join current thread"),
        (WorkerKind::Process, "join: can only join a child process"),
    ] {
        let log = play("join-current", kind).log();
        let printed = [words, "going on all the same", "continuing"];
        assert_eq!(said_by(&log, "Python"), printed);
    }
}

/// What only a process survives, as lanes have it; the kind makes no difference.
#[track_caller]
fn assert_deadly_ends(log: &RunLog) {
    let deadly = [
        ("code", "exited with code 7"),
        ("signal", "killed by signal 9 (SIGKILL)"),
        ("abort", "killed by signal 6 (SIGABRT)"),
        ("overflow", "killed by signal 6 (SIGABRT)"),
    ];
    for (what, end) in deadly {
        assert_eq!(how(log, what), LaneEnd::Failed(end.to_owned()), "{what}");
        assert_eq!(row(log, what)[1..3], ["process", end]);
    }
    assert_eq!(how(log, "main"), LaneEnd::Returned);
}

#[test]
fn propagation_with_tasks_brings_values_and_panics_across() {
    let log = play("propagation", WorkerKind::Task).log();
    assert_deadly_ends(&log);
    let crosses = [
        ("value", LaneEnd::Returned, "Ok(42)"),
        ("error", LaneEnd::Returned, "Ok(Err(\"no such file\"))"),
        (
            "panic",
            LaneEnd::Panicked,
            "Err(Panicked: the disk is full)",
        ),
        (
            "payload",
            LaneEnd::Panicked,
            "Err(Panicked: non-string payload)",
        ),
    ];
    for (what, end, gives) in crosses {
        assert_eq!(how(&log, what), end, "{what}");
        assert_eq!(row(&log, what)[1..3], ["task", gives]);
    }
    assert_eq!(log.table().len(), 9);
}

#[test]
fn propagation_with_processes_brings_codes_signals_and_bytes_across() {
    let log = play("propagation", WorkerKind::Process).log();
    assert_deadly_ends(&log);
    let failed = LaneEnd::Failed("exited with code 1".to_owned());
    let crosses = [
        ("value", LaneEnd::Returned, "42"),
        ("error", failed, "no such file"),
        ("panic", LaneEnd::Panicked, "the disk is full"),
        ("payload", LaneEnd::Panicked, "panicked at"),
    ];
    for (what, end, printed) in crosses {
        assert_eq!(how(&log, what), end, "{what}");
        assert!(
            row(&log, what)[3].contains(printed),
            "{:?}",
            row(&log, what)
        );
    }
    assert_eq!(log.table().len(), 9);
}

/// One of each ring is refused, with the whole ring in its order; everybody ends as they were meant to.
#[test]
fn mutual_refuses_one_join_of_each_ring_and_lets_all_others_return() {
    let log = play("mutual", WorkerKind::Task).log();
    let rings: [&[&str]; 2] = [&["ping", "pong"], &["red", "green", "blue"]];
    for ring in rings {
        let refused: Vec<_> = ring
            .iter()
            .filter_map(|name| row(&log, name)[2].strip_prefix("WouldDeadlock "))
            .collect();
        let [drawn] = refused[..] else {
            panic!("{refused:?} in {ring:?}");
        };
        let around: Vec<&str> = drawn.split(" \u{2192} ").collect();
        let members: BTreeSet<&str> = around.iter().copied().collect();
        assert_eq!(members, ring.iter().copied().collect(), "{drawn}");
        for pair in around.windows(2) {
            assert_eq!(row(&log, pair[0])[1], pair[1], "{drawn}");
        }
        assert_eq!(around.first(), around.last(), "{drawn}");
        for name in ring {
            assert_eq!(how(&log, name), LaneEnd::Returned, "{name}");
        }
    }
}
