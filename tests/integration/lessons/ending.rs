//! Who ends when, and who makes them.

use std::time::Duration;

use meanwhile::lessons::WorkerKind;
use meanwhile::record::{Activity, LaneEnd};

use super::{end, lane, play, times, took, when};

/// The program waits for the saver; the watcher has begun, and is cut off.
fn shutdown_waits_for_the_saver_alone(kind: WorkerKind) {
    let log = play("daemon", kind).with("work", 8.0).log();
    let saved = when(&log, "saver", "saved");
    let shut_down = when(&log, "program", "all are done");
    let ended = when(&log, "main", "the program: ");
    assert!(
        saved < shut_down && shut_down < ended,
        "{saved:?} {ended:?}"
    );
    let watcher = lane(&log, "watcher").id;
    let watched = log.messages().iter().filter(|said| said.lane == watcher);
    let last = watched.map(|said| said.at).max();
    assert!(last.expect("the watcher began") < ended);
    let closed = lane(&log, "watcher").closed.as_ref();
    let (_, how) = closed.expect("the program has ended, and it with it");
    assert!(matches!(how, LaneEnd::Failed(_)), "{how:?}");
    assert!(end(&log, "program") >= shut_down);
}

#[test]
fn daemon_with_tasks_waits_for_the_saver_and_cuts_the_watcher_off() {
    shutdown_waits_for_the_saver_alone(WorkerKind::Task);
}

#[test]
fn daemon_with_processes_waits_for_the_saver_and_cuts_the_watcher_off() {
    shutdown_waits_for_the_saver_alone(WorkerKind::Process);
}

#[test]
fn cancel_ends_the_task_that_asks_and_leaves_the_other_alone() {
    let log = play("cancel", WorkerKind::Task).with("work", 12.0).log();
    let asked = when(&log, "main", "asking both");
    let how = &lane(&log, "asks").closed.as_ref().unwrap().1;
    assert_eq!(*how, LaneEnd::Failed("cancelled".to_owned()));
    let done = when(&log, "deaf", "done, all of it");
    assert!(asked < end(&log, "asks") && end(&log, "asks") < done);
    assert!(when(&log, "main", "deaf, asked: it still runs") < done);
    assert_eq!(
        lane(&log, "deaf").closed.as_ref().unwrap().1,
        LaneEnd::Returned
    );
}

/// Asked, waited for, killed: each in its turn.
#[test]
fn cancel_ends_the_process_that_minds_a_signal_and_kills_the_other() {
    let log = play("cancel", WorkerKind::Process)
        .with("patience", 8.0)
        .log();
    assert_eq!(
        lane(&log, "asks").closed.as_ref().unwrap().1,
        LaneEnd::Returned
    );
    let killed = LaneEnd::Failed("killed by signal 9 (SIGKILL)".to_owned());
    assert_eq!(lane(&log, "deaf").closed.as_ref().unwrap().1, killed);
    let asked = when(&log, "main", "asking both");
    let tidied = when(&log, "asks", "tidied up");
    let going_on = when(&log, "deaf", "going on");
    let killing = when(&log, "main", "killing it");
    assert!(asked < tidied && tidied < killing, "{asked:?} {tidied:?}");
    assert!(asked < going_on && going_on < killing, "{going_on:?}");
    let patience = Duration::from_secs(2);
    let waits = times(&log, "main", Activity::Waits);
    assert!(waits.iter().any(|wait| took(*wait) >= patience));
}
