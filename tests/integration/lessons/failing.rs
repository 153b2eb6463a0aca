//! The lessons about workers that fail, and about joins that would deadlock.

use std::collections::BTreeSet;
use std::time::Duration;

use meanwhile::lessons::{RunLog, WorkerKind};
use meanwhile::record::{Activity, LaneOutcome};

use super::{closed, length, lesson, messages_of, spans, time_of};

fn end(log: &RunLog, name: &str) -> LaneOutcome {
    closed(log, name).1
}

/// The row of the table with this first cell.
#[track_caller]
fn row<'a>(log: &'a RunLog, first: &str) -> &'a [String] {
    let row = log.table().iter().find(|row| row[0] == first);
    row.unwrap_or_else(|| panic!("there is no row {first}"))
}

/// The worker panics, and main returns.
fn failed_worker_leaves_main_alone(kind: WorkerKind) -> RunLog {
    let log = lesson("join-error", kind).log();
    assert_eq!(end(&log, "worker"), LaneOutcome::Panicked);
    assert_eq!(end(&log, "main"), LaneOutcome::Returned);
    let [wait, _python] = spans(&log, "main", Activity::Waits)[..] else {
        panic!("main waits for the worker, then for Python");
    };
    let failing = time_of(&log, "worker", "about to fail");
    let continuing = time_of(&log, "main", "continuing");
    assert!(
        failing < wait.1,
        "the join returned before the worker failed"
    );
    assert!(wait.1 <= continuing, "main continued during its join");
    log
}

#[test]
fn join_error_of_a_task_is_its_panic() {
    let log = failed_worker_leaves_main_alone(WorkerKind::Task);
    let outcome = log.result("outcome").unwrap();
    assert!(outcome.contains("join_error.rs:"), "{outcome}");
    assert!(outcome.ends_with(": the disk is full"), "{outcome}");
}

#[test]
fn join_error_of_a_process_is_its_code_and_stderr() {
    let log = failed_worker_leaves_main_alone(WorkerKind::Process);
    assert_eq!(log.result("outcome"), Some("exited with code 101"));
    let line = time_of(&log, "main", "stderr: the disk is full");
    assert!(line <= time_of(&log, "main", "continuing"));
}

#[test]
fn join_error_of_a_process_is_the_chosen_code() {
    let log = lesson("join-error", WorkerKind::Process)
        .with("code", 7.0)
        .log();
    let failed = LaneOutcome::Failed("exited with code 7".to_owned());
    assert_eq!(end(&log, "worker"), failed);
    assert_eq!(log.result("outcome"), Some("exited with code 7"));
    let line = time_of(&log, "main", "stderr: the disk is full");
    assert!(line <= time_of(&log, "main", "continuing"));
}

#[test]
fn join_in_python_does_not_raise_again() {
    for (kind, exitcode) in [
        (WorkerKind::Task, &[][..]),
        (WorkerKind::Process, &["exitcode: 1"]),
    ] {
        let log = failed_worker_leaves_main_alone(kind);
        let printed = [&["about to fail", "join: None"], exitcode, &["continuing"]].concat();
        assert_eq!(messages_of(&log, "Python"), printed);
        assert_eq!(end(&log, "Python"), LaneOutcome::Returned);
        let line = time_of(&log, "main", "Python's stderr: OSError: the disk is full");
        assert!(line >= time_of(&log, "Python", "continuing"));
    }
}

/// Both joins return long before the timeout of the second one.
#[test]
fn join_current_of_a_task_is_refused_at_once() {
    let log = lesson("join-current", WorkerKind::Task)
        .with("timeout", 60.0)
        .log();
    for join in ["join", "join with a timeout"] {
        assert_eq!(log.result(join), Some("cannot join current thread"));
    }
    let [_handle, untimed, timed] = spans(&log, "worker", Activity::Waits)[..] else {
        panic!("the worker waits for its handle and twice for itself");
    };
    for wait in [untimed, timed] {
        let timeout = Duration::from_secs(15);
        assert!(length(wait) < timeout / 2, "{wait:?}");
    }
    assert_eq!(end(&log, "worker"), LaneOutcome::Returned);
}

#[test]
fn process_has_no_handle_to_join_itself() {
    let log = lesson("join-current", WorkerKind::Process).log();
    assert_eq!(log.result("handles to itself"), Some("0"));
    assert_eq!(end(&log, "worker"), LaneOutcome::Returned);
    assert_eq!(
        end(&log, "shell"),
        LaneOutcome::Failed("exited with code 127".to_owned())
    );
}

#[test]
fn join_current_is_refused_in_python() {
    for (kind, words) in [
        (WorkerKind::Task, "join: cannot join current thread"),
        (WorkerKind::Process, "join: can only join a child process"),
    ] {
        let log = lesson("join-current", kind).log();
        let printed = [words, "continuing after the error", "continuing"];
        assert_eq!(messages_of(&log, "Python"), printed);
    }
}

/// These run as processes with either kind of worker.
#[track_caller]
fn assert_fatal_ends(log: &RunLog) {
    let fatal = [
        ("code", "exited with code 7"),
        ("signal", "killed by signal 9 (SIGKILL)"),
        ("abort", "killed by signal 6 (SIGABRT)"),
        ("overflow", "killed by signal 6 (SIGABRT)"),
    ];
    for (name, exit) in fatal {
        assert_eq!(
            end(log, name),
            LaneOutcome::Failed(exit.to_owned()),
            "{name}"
        );
        assert_eq!(row(log, name)[1..3], ["process", exit]);
    }
    assert_eq!(end(log, "main"), LaneOutcome::Returned);
}

#[test]
fn propagation_of_tasks_passes_values_and_panics() {
    let log = lesson("propagation", WorkerKind::Task).log();
    assert_fatal_ends(&log);
    let expected = [
        ("value", LaneOutcome::Returned, "Ok(42)"),
        ("error", LaneOutcome::Returned, "Ok(Err(\"no such file\"))"),
        (
            "panic",
            LaneOutcome::Panicked,
            "Err(Panicked: the disk is full)",
        ),
        (
            "payload",
            LaneOutcome::Panicked,
            "Err(Panicked: non-string payload)",
        ),
    ];
    for (name, lane_end, returns) in expected {
        assert_eq!(end(&log, name), lane_end, "{name}");
        assert_eq!(row(&log, name)[1..3], ["task", returns]);
    }
    assert_eq!(log.table().len(), 9);
}

#[test]
fn propagation_of_processes_passes_codes_and_bytes() {
    let log = lesson("propagation", WorkerKind::Process).log();
    assert_fatal_ends(&log);
    let failed = LaneOutcome::Failed("exited with code 1".to_owned());
    let expected = [
        ("value", LaneOutcome::Returned, "42"),
        ("error", failed, "no such file"),
        ("panic", LaneOutcome::Panicked, "the disk is full"),
        ("payload", LaneOutcome::Panicked, "panicked at"),
    ];
    for (name, lane_end, printed) in expected {
        assert_eq!(end(&log, name), lane_end, "{name}");
        let row = row(&log, name);
        assert!(row[3].contains(printed), "{row:?}");
    }
    assert_eq!(log.table().len(), 9);
}

/// The refused join names its whole cycle, and all tasks return.
#[test]
fn mutual_join_refuses_one_join_of_each_cycle() {
    let log = lesson("mutual", WorkerKind::Task).log();
    let cycles: [&[&str]; 2] = [&["ping", "pong"], &["red", "green", "blue"]];
    for cycle in cycles {
        let refused: Vec<_> = cycle
            .iter()
            .filter_map(|name| row(&log, name)[2].strip_prefix("WouldDeadlock "))
            .collect();
        let [path] = refused[..] else {
            panic!("{refused:?} in {cycle:?}");
        };
        let names: Vec<&str> = path.split(" \u{2192} ").collect();
        let members: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(members, cycle.iter().copied().collect(), "{path}");
        for pair in names.windows(2) {
            assert_eq!(row(&log, pair[0])[1], pair[1], "{path}");
        }
        assert_eq!(names.first(), names.last(), "{path}");
        for name in cycle {
            assert_eq!(end(&log, name), LaneOutcome::Returned, "{name}");
        }
    }
}
