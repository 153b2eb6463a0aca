//! The lessons about stopping workers.

use std::time::Duration;

use meanwhile::lessons::WorkerKind;
use meanwhile::record::{Activity, LaneOutcome};

use super::{closed, lane, length, lesson, spans, time_of};

/// The program waits for the saver and cuts off the watcher.
fn assert_shutdown_waits_for_the_saver(kind: WorkerKind) {
    let log = lesson("daemon", kind).with("work", 8.0).log();
    let saved = time_of(&log, "saver", "saved");
    let shut_down = time_of(&log, "program", "shutdown complete");
    let ended = time_of(&log, "main", "the program: ");
    assert!(
        saved < shut_down && shut_down < ended,
        "{saved:?} {ended:?}"
    );
    let watcher = lane(&log, "watcher").id;
    let messages = log.messages().iter();
    let watched = messages.filter(|message| message.lane == watcher);
    let last = watched.map(|message| message.at).max();
    assert!(last.expect("the watcher began") < ended);
    let (_, end) = closed(&log, "watcher");
    assert!(matches!(end, LaneOutcome::Failed(_)), "{end:?}");
    assert!(closed(&log, "program").0 >= shut_down);
}

#[test]
fn shutdown_waits_for_tasks_but_not_daemons() {
    assert_shutdown_waits_for_the_saver(WorkerKind::Task);
}

#[test]
fn shutdown_waits_for_processes_but_not_daemons() {
    assert_shutdown_waits_for_the_saver(WorkerKind::Process);
}

#[test]
fn cancel_ends_only_the_cooperative_task() {
    let log = lesson("cancel", WorkerKind::Task).with("work", 12.0).log();
    let cancelled = time_of(&log, "main", "cancelling both");
    let (ended, end) = closed(&log, "cooperative");
    assert_eq!(end, LaneOutcome::Failed("cancelled".to_owned()));
    let done = time_of(&log, "unresponsive", "finished all work");
    assert!(cancelled < ended && ended < done);
    assert!(time_of(&log, "main", "unresponsive, cancelled: ") < done);
    assert_eq!(closed(&log, "unresponsive").1, LaneOutcome::Returned);
}

#[test]
fn cancel_kills_the_unresponsive_process() {
    let log = lesson("cancel", WorkerKind::Process)
        .with("patience", 8.0)
        .log();
    assert_eq!(closed(&log, "cooperative").1, LaneOutcome::Returned);
    let killed = LaneOutcome::Failed("killed by signal 9 (SIGKILL)".to_owned());
    assert_eq!(closed(&log, "unresponsive").1, killed);
    let cancelled = time_of(&log, "main", "cancelling both");
    let cleaned_up = time_of(&log, "cooperative", "cleaned up");
    let ignored = time_of(&log, "unresponsive", "ignored");
    let killing = time_of(&log, "main", "killing it");
    assert!(cancelled < cleaned_up && cleaned_up < killing);
    assert!(cancelled < ignored && ignored < killing);
    let timeout = Duration::from_secs(2);
    let waits = spans(&log, "main", Activity::Waits);
    assert!(waits.iter().any(|wait| length(*wait) >= timeout));
}
