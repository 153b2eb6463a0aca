//! Ends that were not meant, and joins that can never return.

use std::collections::BTreeSet;
use std::time::Duration;

use meanwhile::lessons::{Cast, Told};
use meanwhile::record::{Activity, LaneOutcome};

use super::{lane, play, said_by, times, took, when};

fn how(told: &Told, who: &str) -> LaneOutcome {
    let closed = lane(told, who).closed.clone();
    closed
        .expect("the run is over, and so is everybody in it")
        .1
}

/// The row of the table that begins with this.
#[track_caller]
fn row<'a>(told: &'a Told, first: &str) -> &'a [String] {
    let row = told.table().iter().find(|row| row[0] == first);
    row.unwrap_or_else(|| panic!("there is no row of {first}"))
}

/// The worker ends by its panic, main as it was meant to, and it was told what happened.
fn main_goes_on_after_a_worker_that_failed(cast: Cast) -> Told {
    let told = play("join-error", cast).told();
    assert_eq!(how(&told, "worker"), LaneOutcome::Panicked);
    assert_eq!(how(&told, "main"), LaneOutcome::Returned);
    let [wait, _python] = times(&told, "main", Activity::Waits)[..] else {
        panic!("main waits for the worker, then for Python");
    };
    let failing = when(&told, "worker", "this goes wrong");
    let continuing = when(&told, "main", "continuing");
    assert!(
        failing < wait.1,
        "the join returned before the worker failed"
    );
    assert!(wait.1 <= continuing, "main went on inside of its join");
    told
}

#[test]
fn join_error_with_a_task_gives_the_panic_as_a_value() {
    let told = main_goes_on_after_a_worker_that_failed(Cast::Task);
    let outcome = told.note("outcome").unwrap();
    assert!(outcome.contains("join_error.rs:"), "{outcome}");
    assert!(outcome.ends_with(": the disk is full"), "{outcome}");
}

#[test]
fn join_error_with_a_process_gives_its_exit_code_and_its_stderr() {
    let told = main_goes_on_after_a_worker_that_failed(Cast::Process);
    assert_eq!(told.note("outcome"), Some("exited with code 101"));
    let line = when(&told, "main", "on its stderr: the disk is full");
    assert!(line <= when(&told, "main", "continuing"));
}

#[test]
fn join_error_with_a_process_gives_the_code_that_it_chooses() {
    let told = play("join-error", Cast::Process).with("code", 7.0).told();
    let end = LaneOutcome::Failed("exited with code 7".to_owned());
    assert_eq!(how(&told, "worker"), end);
    assert_eq!(told.note("outcome"), Some("exited with code 7"));
    let line = when(&told, "main", "on its stderr: the disk is full");
    assert!(line <= when(&told, "main", "continuing"));
}

/// CPython's own lane, not what the lesson makes of it.
#[test]
fn join_error_in_python_raises_nothing_again_in_its_join() {
    for (cast, exitcode) in [(Cast::Task, &[][..]), (Cast::Process, &["exitcode: 1"])] {
        let told = main_goes_on_after_a_worker_that_failed(cast);
        let printed = [
            &["this goes wrong", "join: None"],
            exitcode,
            &["continuing"],
        ]
        .concat();
        assert_eq!(said_by(&told, "Python"), printed);
        assert_eq!(how(&told, "Python"), LaneOutcome::Returned);
        let line = when(
            &told,
            "main",
            "on Python's stderr: OSError: the disk is full",
        );
        assert!(line >= when(&told, "Python", "continuing"));
    }
}

/// Both joins are over long before the timeout of the second, and the task ends as it was meant to.
#[test]
fn join_current_with_a_task_is_refused_at_once_and_the_task_goes_on() {
    let told = play("join-current", Cast::Task)
        .with("timeout", 60.0)
        .told();
    for join in ["join", "join with a timeout"] {
        assert_eq!(told.note(join), Some("cannot join current thread"));
    }
    let [_handle, untimed, timed] = times(&told, "worker", Activity::Waits)[..] else {
        panic!("the worker waits for its handle and twice for itself");
    };
    for wait in [untimed, timed] {
        let timeout = Duration::from_secs(15);
        assert!(took(wait) < timeout / 2, "{wait:?}");
    }
    assert_eq!(how(&told, "worker"), LaneOutcome::Returned);
}

#[test]
fn join_current_with_a_process_finds_no_handle_of_itself_and_goes_on() {
    let told = play("join-current", Cast::Process).told();
    assert_eq!(told.note("handles of itself"), Some("0"));
    assert_eq!(how(&told, "worker"), LaneOutcome::Returned);
    assert_eq!(
        how(&told, "shell"),
        LaneOutcome::Failed("exited with code 127".to_owned())
    );
}

#[test]
fn join_current_in_python_is_refused_in_its_own_words() {
    for (cast, words) in [
        (Cast::Task, "join: cannot join current thread"),
        (Cast::Process, "join: can only join a child process"),
    ] {
        let told = play("join-current", cast).told();
        let printed = [words, "going on all the same", "continuing"];
        assert_eq!(said_by(&told, "Python"), printed);
    }
}

/// What only a process survives, as lanes have it; the cast makes no difference.
#[track_caller]
fn assert_deadly_ends(told: &Told) {
    let deadly = [
        ("code", "exited with code 7"),
        ("signal", "killed by signal 9 (SIGKILL)"),
        ("abort", "killed by signal 6 (SIGABRT)"),
        ("overflow", "killed by signal 6 (SIGABRT)"),
    ];
    for (what, end) in deadly {
        assert_eq!(
            how(told, what),
            LaneOutcome::Failed(end.to_owned()),
            "{what}"
        );
        assert_eq!(row(told, what)[1..3], ["process", end]);
    }
    assert_eq!(how(told, "main"), LaneOutcome::Returned);
}

#[test]
fn propagation_with_tasks_brings_values_and_panics_across() {
    let told = play("propagation", Cast::Task).told();
    assert_deadly_ends(&told);
    let crosses = [
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
    for (what, end, gives) in crosses {
        assert_eq!(how(&told, what), end, "{what}");
        assert_eq!(row(&told, what)[1..3], ["task", gives]);
    }
    assert_eq!(told.table().len(), 9);
}

#[test]
fn propagation_with_processes_brings_codes_signals_and_bytes_across() {
    let told = play("propagation", Cast::Process).told();
    assert_deadly_ends(&told);
    let failed = LaneOutcome::Failed("exited with code 1".to_owned());
    let crosses = [
        ("value", LaneOutcome::Returned, "42"),
        ("error", failed, "no such file"),
        ("panic", LaneOutcome::Panicked, "the disk is full"),
        ("payload", LaneOutcome::Panicked, "panicked at"),
    ];
    for (what, end, printed) in crosses {
        assert_eq!(how(&told, what), end, "{what}");
        assert!(
            row(&told, what)[3].contains(printed),
            "{:?}",
            row(&told, what)
        );
    }
    assert_eq!(told.table().len(), 9);
}

/// One of each ring is refused, with the whole ring in its order; everybody ends as they were meant to.
#[test]
fn mutual_refuses_one_join_of_each_ring_and_lets_all_others_return() {
    let told = play("mutual", Cast::Task).told();
    let rings: [&[&str]; 2] = [&["ping", "pong"], &["red", "green", "blue"]];
    for ring in rings {
        let refused: Vec<_> = ring
            .iter()
            .filter_map(|name| row(&told, name)[2].strip_prefix("WouldDeadlock "))
            .collect();
        let [drawn] = refused[..] else {
            panic!("{refused:?} in {ring:?}");
        };
        let around: Vec<&str> = drawn.split(" \u{2192} ").collect();
        let members: BTreeSet<&str> = around.iter().copied().collect();
        assert_eq!(members, ring.iter().copied().collect(), "{drawn}");
        for pair in around.windows(2) {
            assert_eq!(row(&told, pair[0])[1], pair[1], "{drawn}");
        }
        assert_eq!(around.first(), around.last(), "{drawn}");
        for name in ring {
            assert_eq!(how(&told, name), LaneOutcome::Returned, "{name}");
        }
    }
}
