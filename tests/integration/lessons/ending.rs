//! Who ends when, and who makes them.

use std::time::Duration;

use meanwhile::lessons::Cast;
use meanwhile::record::{Activity, LaneOutcome};

use super::{end, lane, play, times, took, when};

/// The program waits for the saver; the watcher has begun, and is cut off.
fn shutdown_waits_for_the_saver_alone(cast: Cast) {
    let told = play("daemon", cast).with("work", 8.0).told();
    let saved = when(&told, "saver", "saved");
    let shut_down = when(&told, "program", "all are done");
    let ended = when(&told, "main", "the program: ");
    assert!(
        saved < shut_down && shut_down < ended,
        "{saved:?} {ended:?}"
    );
    let watcher = lane(&told, "watcher").id;
    let watched = told.said().iter().filter(|said| said.lane == watcher);
    let last = watched.map(|said| said.at).max();
    assert!(last.expect("the watcher began") < ended);
    let closed = lane(&told, "watcher").closed.as_ref();
    let (_, how) = closed.expect("the program has ended, and it with it");
    assert!(matches!(how, LaneOutcome::Failed(_)), "{how:?}");
    assert!(end(&told, "program") >= shut_down);
}

#[test]
fn daemon_with_tasks_waits_for_the_saver_and_cuts_the_watcher_off() {
    shutdown_waits_for_the_saver_alone(Cast::Task);
}

#[test]
fn daemon_with_processes_waits_for_the_saver_and_cuts_the_watcher_off() {
    shutdown_waits_for_the_saver_alone(Cast::Process);
}

#[test]
fn cancel_ends_the_task_that_asks_and_leaves_the_other_alone() {
    let told = play("cancel", Cast::Task).with("work", 12.0).told();
    let asked = when(&told, "main", "asking both");
    let how = &lane(&told, "asks").closed.as_ref().unwrap().1;
    assert_eq!(*how, LaneOutcome::Failed("cancelled".to_owned()));
    let done = when(&told, "deaf", "done, all of it");
    assert!(asked < end(&told, "asks") && end(&told, "asks") < done);
    assert!(when(&told, "main", "deaf, asked: it still runs") < done);
    assert_eq!(
        lane(&told, "deaf").closed.as_ref().unwrap().1,
        LaneOutcome::Returned
    );
}

/// Asked, waited for, killed: each in its turn.
#[test]
fn cancel_ends_the_process_that_minds_a_signal_and_kills_the_other() {
    let told = play("cancel", Cast::Process).with("patience", 8.0).told();
    assert_eq!(
        lane(&told, "asks").closed.as_ref().unwrap().1,
        LaneOutcome::Returned
    );
    let killed = LaneOutcome::Failed("killed by signal 9 (SIGKILL)".to_owned());
    assert_eq!(lane(&told, "deaf").closed.as_ref().unwrap().1, killed);
    let asked = when(&told, "main", "asking both");
    let tidied = when(&told, "asks", "tidied up");
    let going_on = when(&told, "deaf", "going on");
    let killing = when(&told, "main", "killing it");
    assert!(asked < tidied && tidied < killing, "{asked:?} {tidied:?}");
    assert!(asked < going_on && going_on < killing, "{going_on:?}");
    let patience = Duration::from_secs(2);
    let waits = times(&told, "main", Activity::Waits);
    assert!(waits.iter().any(|wait| took(*wait) >= patience));
}
