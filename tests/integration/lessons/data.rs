//! Values beside the join: channels, pipes, and what is shared.

use std::time::Duration;

use meanwhile::lessons::{Outcome, RunLog, WorkerKind};
use meanwhile::record::{Activity, Lane};

use super::{end, lane, play, times, took, until_over, when};

/// The value is there while the worker is still tidying up; the join comes after that.
fn the_value_comes_before_the_end(kind: WorkerKind) {
    let log = play("queue", kind).with("tidy", 4.0).log();
    assert_eq!(log.result("value"), Some("42"));
    assert_eq!(log.result("the worker is alive"), Some("true"));
    let value = when(&log, "main", "value: 42");
    let sending = when(&log, "worker", "sending");
    let done = when(&log, "worker", "done");
    let joined = when(&log, "main", "joined");
    assert!(
        sending < value && value < done && done < joined,
        "{sending:?} {value:?} {done:?} {joined:?}"
    );
}

#[test]
fn queue_with_a_task_gives_the_value_before_the_join_returns() {
    the_value_comes_before_the_end(WorkerKind::Task);
}

#[test]
fn queue_with_a_process_gives_the_value_before_the_join_returns() {
    the_value_comes_before_the_end(WorkerKind::Process);
}

/// The worker with the large payload comes to its end only after main has given up joining it; the
/// one that is drained first, before main joins it.
fn only_draining_lets_the_large_one_end(kind: WorkerKind, values: u64) {
    let log = play("queue-deadlock", kind).log();
    let waits = times(&log, "main", Activity::Waits);
    let [_small, joining, ..] = waits[..] else {
        panic!("main waits more than twice");
    };
    let timeout = Duration::from_millis(500);
    assert!(took(joining) >= timeout, "{joining:?}");
    assert!(when(&log, "large", "done") >= joining.1);
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
fn queue_deadlock_with_tasks_ends_when_the_channel_is_drained() {
    only_draining_lets_the_large_one_end(WorkerKind::Task, 50);
}

#[test]
fn queue_deadlock_with_processes_ends_when_the_pipe_is_drained() {
    only_draining_lets_the_large_one_end(WorkerKind::Process, 50 * 64 * 1024);
}

#[test]
fn queue_deadlock_is_no_trap_for_a_payload_that_fits() {
    let log = play("queue-deadlock", WorkerKind::Task)
        .with("payload", 10.0)
        .with("timeout", 60.0)
        .log();
    let large = &log.table()[2];
    assert_eq!(large[1..], ["joins: returned", "10"]);
}

/// A worker that waits for room in a channel is let go by the stop, long before the join of it
/// times out.
#[test]
fn queue_deadlock_can_be_stopped_while_both_wait_for_each_other() {
    for kind in [WorkerKind::Task, WorkerKind::Process] {
        let mut run = play("queue-deadlock", kind).with("timeout", 60.0).start();
        let waits_for_room = |log: &RunLog| {
            let waits = log.lane("large").ok().and_then(|lane| lane.spans.last());
            waits.is_some_and(|wait| wait.ended.is_none())
        };
        while !waits_for_room(run.log()) {
            assert_eq!(run.outcome(), None);
            run.wait(Duration::from_millis(20));
            run.poll();
        }
        run.stop();
        until_over(&mut run);
        assert_eq!(run.outcome(), Some(&Outcome::Stopped));
        let log = run.log();
        assert!(end(log, "main") < Duration::from_secs(15), "{kind}");
        end(log, "large");
    }
}

fn of<'a>(log: &'a RunLog, how: &str) -> Vec<&'a Lane> {
    let lanes = log.timeline().lanes().iter();
    lanes.filter(|lane| lane.name.starts_with(how)).collect()
}

/// From the first that began to the last that ended.
fn lasted(lanes: &[&Lane]) -> Duration {
    let opened = lanes.iter().map(|lane| lane.opened).min();
    let closed = lanes
        .iter()
        .filter_map(|lane| Some(lane.closed.as_ref()?.0));
    let closed = closed.max().expect("they have ended");
    took((opened.expect("there are some"), closed))
}

/// The pauses between reading and writing, of all lanes, by their begin.
fn pauses(log: &RunLog, lanes: &[&Lane]) -> Vec<(Duration, Duration)> {
    let mut pauses: Vec<_> = lanes
        .iter()
        .flat_map(|lane| times(log, &lane.name, Activity::Sleeps))
        .collect();
    pauses.sort_unstable();
    pauses
}

#[test]
fn shared_counter_loses_updates_unless_one_at_a_time_may_add() {
    let log = play("shared-counter", WorkerKind::Task)
        .with("tasks", 8.0)
        .with("rounds", 2.0)
        .with("pause", 0.4)
        .log();
    let counted = |how: &str| {
        let row = log.table().iter().find(|row| row[0] == how);
        let row = row.expect("it was counted so");
        let counted: u64 = row[1].parse().expect("it is a number");
        let lost: u64 = row[2].parse().expect("it is a number");
        assert_eq!(counted + lost, 16, "{row:?}");
        counted
    };
    assert!(counted("unprotected") < 16);
    let unprotected = lasted(&of(&log, "unprotected"));
    for cure in ["joined", "locked", "permitted"] {
        assert_eq!(counted(cure), 16, "{cure}");
        let lanes = of(&log, cure);
        assert_eq!(lanes.len(), 8, "{cure}");
        let pauses = pauses(&log, &lanes);
        assert!(
            pauses.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{cure}: two were at it at once"
        );
        let lasted = lasted(&lanes);
        assert!(lasted >= Duration::from_millis(1600), "{cure}: {lasted:?}");
        assert!(lasted > 2 * unprotected, "{lasted:?} {unprotected:?}");
    }
    assert_eq!(lane(&log, "joined 1").opened, of(&log, "joined")[0].opened);
}
