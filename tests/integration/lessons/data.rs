//! The lessons about channels, pipes and shared data.

use std::time::Duration;

use meanwhile::lessons::{LessonOutcome, RunLog, WorkerKind};
use meanwhile::record::{Activity, Lane};

use super::{closed, finish, lane, length, lesson, spans, time_of};

/// The value arrives while the worker still cleans up; the join returns later.
fn assert_value_before_join(kind: WorkerKind) {
    let log = lesson("queue", kind).with("tidy", 4.0).log();
    assert_eq!(log.result("value"), Some("42"));
    assert_eq!(log.result("worker is alive"), Some("true"));
    let value = time_of(&log, "main", "value: 42");
    let sending = time_of(&log, "worker", "sending");
    let done = time_of(&log, "worker", "done");
    let joined = time_of(&log, "main", "joined");
    assert!(
        sending < value && value < done && done < joined,
        "{sending:?} {value:?} {done:?} {joined:?}"
    );
}

#[test]
fn queue_of_a_task_has_the_value_before_the_join() {
    assert_value_before_join(WorkerKind::Task);
}

#[test]
fn queue_of_a_process_has_the_value_before_the_join() {
    assert_value_before_join(WorkerKind::Process);
}

/// The join of the worker with the large payload times out; if main drains first, it returns.
fn assert_draining_ends_the_deadlock(kind: WorkerKind, values: u64) {
    let log = lesson("queue-deadlock", kind).log();
    let waits = spans(&log, "main", Activity::Waits);
    let [_small, joining, ..] = waits[..] else {
        panic!("main waits more than twice");
    };
    let timeout = Duration::from_millis(500);
    assert!(length(joining) >= timeout, "{joining:?}");
    assert!(time_of(&log, "large", "done") >= joining.1);
    let [_, _, large, drained] = log.table() else {
        panic!("{:?}", log.table());
    };
    assert!(large[1].contains("timed out"), "{large:?}");
    assert!(drained[1].contains("drains"), "{drained:?}");
    for row in [large, drained] {
        assert_eq!(row[2], values.to_string(), "{row:?}");
    }
}

#[test]
fn draining_the_channel_ends_the_queue_deadlock() {
    assert_draining_ends_the_deadlock(WorkerKind::Task, 50);
}

#[test]
fn draining_the_pipe_ends_the_queue_deadlock() {
    assert_draining_ends_the_deadlock(WorkerKind::Process, 50 * 64 * 1024);
}

#[test]
fn queue_deadlock_needs_a_large_payload() {
    let log = lesson("queue-deadlock", WorkerKind::Task)
        .with("payload", 10.0)
        .with("timeout", 60.0)
        .log();
    let large = &log.table()[2];
    assert_eq!(large[1..], ["joins: returned", "10"]);
}

/// Stopping releases a worker that waits for space in a channel, long before the join times out.
#[test]
fn queue_deadlock_can_be_stopped() {
    for kind in [WorkerKind::Task, WorkerKind::Process] {
        let mut run = lesson("queue-deadlock", kind).with("timeout", 60.0).start();
        let waits_for_space = |log: &RunLog| {
            let waits = log.lane("large").ok().and_then(|lane| lane.spans.last());
            waits.is_some_and(|wait| wait.ended.is_none())
        };
        while !waits_for_space(run.log()) {
            assert_eq!(run.outcome(), None);
            run.wait(Duration::from_millis(20));
            run.poll();
        }
        run.stop();
        finish(&mut run);
        assert_eq!(run.outcome(), Some(&LessonOutcome::Stopped));
        let log = run.log();
        assert!(closed(log, "main").0 < Duration::from_secs(15), "{kind}");
        closed(log, "large");
    }
}

/// From the first begin to the last end.
fn total_length(lanes: &[&Lane]) -> Duration {
    let opened = lanes.iter().map(|lane| lane.opened).min();
    let closed = lanes
        .iter()
        .filter_map(|lane| Some(lane.closed.as_ref()?.0));
    let closed = closed.max().expect("a finished run has closed all lanes");
    length((opened.expect("there are lanes"), closed))
}

/// The pauses between read and write in all lanes, in the order of their begin.
fn pauses(log: &RunLog, lanes: &[&Lane]) -> Vec<(Duration, Duration)> {
    let mut pauses: Vec<_> = lanes
        .iter()
        .flat_map(|lane| spans(log, &lane.name, Activity::Sleeps))
        .collect();
    pauses.sort_unstable();
    pauses
}

#[test]
fn shared_counter_loses_unprotected_updates() {
    let log = lesson("shared-counter", WorkerKind::Task)
        .with("tasks", 8.0)
        .with("rounds", 2.0)
        .with("pause", 0.4)
        .log();
    let counted = |how: &str| {
        let row = log.table().iter().find(|row| row[0] == how);
        let row = row.expect("the row exists");
        let counted: u64 = row[1].parse().expect("a number");
        let lost: u64 = row[2].parse().expect("a number");
        assert_eq!(counted + lost, 16, "{row:?}");
        counted
    };
    assert!(counted("unprotected") < 16);
    let lanes = |prefix| log.lanes_with_prefix(prefix).collect::<Vec<_>>();
    let unprotected = total_length(&lanes("unprotected"));
    for fix in ["joined", "locked", "permitted"] {
        assert_eq!(counted(fix), 16, "{fix}");
        let lanes = lanes(fix);
        assert_eq!(lanes.len(), 8, "{fix}");
        let pauses = pauses(&log, &lanes);
        assert!(
            pauses.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{fix}: two pauses overlap"
        );
        let total = total_length(&lanes);
        assert!(total >= Duration::from_millis(1600), "{fix}: {total:?}");
        assert!(total > 2 * unprotected, "{total:?} {unprotected:?}");
    }
    assert_eq!(lane(&log, "joined 1").opened, lanes("joined")[0].opened);
}
