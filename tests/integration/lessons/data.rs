//! Values beside the join: channels, pipes, and what is shared.

use std::time::Duration;

use meanwhile::lessons::{Cast, Ending, Told};
use meanwhile::record::{Activity, Lane};

use super::{end, lane, play, times, took, until_over, when};

/// The value is there while the worker is still tidying up; the join comes after that.
fn the_value_comes_before_the_end(cast: Cast) {
    let told = play("queue", cast).with("tidy", 4.0).told();
    assert_eq!(told.note("value"), Some("42"));
    assert_eq!(told.note("the worker is alive"), Some("true"));
    let value = when(&told, "main", "value: 42");
    let sending = when(&told, "worker", "sending");
    let done = when(&told, "worker", "done");
    let joined = when(&told, "main", "joined");
    assert!(
        sending < value && value < done && done < joined,
        "{sending:?} {value:?} {done:?} {joined:?}"
    );
}

#[test]
fn queue_with_a_task_gives_the_value_before_the_join_returns() {
    the_value_comes_before_the_end(Cast::Task);
}

#[test]
fn queue_with_a_process_gives_the_value_before_the_join_returns() {
    the_value_comes_before_the_end(Cast::Process);
}

/// The worker with the large payload comes to its end only after main has given up joining it; the
/// one that is drained first, before main joins it.
fn only_draining_lets_the_large_one_end(cast: Cast, values: u64) {
    let told = play("queue-deadlock", cast).told();
    let waits = times(&told, "main", Activity::Waits);
    let [_small, joining, ..] = waits[..] else {
        panic!("main waits more than twice");
    };
    let timeout = Duration::from_millis(500);
    assert!(took(joining) >= timeout, "{joining:?}");
    assert!(when(&told, "large", "done") >= joining.1);
    let [_, _, large, drained] = told.table() else {
        panic!("{:?}", told.table());
    };
    assert!(large[1].contains("timed out"), "{large:?}");
    assert!(drained[1].contains("drains"), "{drained:?}");
    for row in [large, drained] {
        assert_eq!(row[2], values.to_string(), "{row:?}");
    }
}

#[test]
fn queue_deadlock_with_tasks_ends_when_the_channel_is_drained() {
    only_draining_lets_the_large_one_end(Cast::Task, 50);
}

#[test]
fn queue_deadlock_with_processes_ends_when_the_pipe_is_drained() {
    only_draining_lets_the_large_one_end(Cast::Process, 50 * 64 * 1024);
}

#[test]
fn queue_deadlock_is_no_trap_for_a_payload_that_fits() {
    let told = play("queue-deadlock", Cast::Task)
        .with("payload", 10.0)
        .with("timeout", 60.0)
        .told();
    let large = &told.table()[2];
    assert_eq!(large[1..], ["joins: returned", "10"]);
}

/// A worker that waits for room in a channel is let go by the stop, long before the join of it
/// times out.
#[test]
fn queue_deadlock_can_be_stopped_while_both_wait_for_each_other() {
    for cast in [Cast::Task, Cast::Process] {
        let mut run = play("queue-deadlock", cast).with("timeout", 60.0).start();
        let waits_for_room = |told: &Told| {
            let waits = told.lane("large").ok().and_then(|lane| lane.spans.last());
            waits.is_some_and(|wait| wait.ended.is_none())
        };
        while !waits_for_room(run.told()) {
            assert_eq!(run.ending(), None);
            run.rest(Duration::from_millis(20));
            run.poll();
        }
        run.stop();
        until_over(&mut run);
        assert_eq!(run.ending(), Some(&Ending::Stopped));
        let told = run.told();
        assert!(end(told, "main") < Duration::from_secs(15), "{cast}");
        end(told, "large");
    }
}

fn of<'a>(told: &'a Told, how: &str) -> Vec<&'a Lane> {
    let lanes = told.timeline().lanes().iter();
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
fn pauses(told: &Told, lanes: &[&Lane]) -> Vec<(Duration, Duration)> {
    let mut pauses: Vec<_> = lanes
        .iter()
        .flat_map(|lane| times(told, &lane.name, Activity::Sleeps))
        .collect();
    pauses.sort_unstable();
    pauses
}

#[test]
fn shared_counter_loses_updates_unless_one_at_a_time_may_add() {
    let told = play("shared-counter", Cast::Task)
        .with("tasks", 8.0)
        .with("rounds", 2.0)
        .with("pause", 0.4)
        .told();
    let counted = |how: &str| {
        let row = told.table().iter().find(|row| row[0] == how);
        let row = row.expect("it was counted so");
        let counted: u64 = row[1].parse().expect("it is a number");
        let lost: u64 = row[2].parse().expect("it is a number");
        assert_eq!(counted + lost, 16, "{row:?}");
        counted
    };
    assert!(counted("unprotected") < 16);
    let unprotected = lasted(&of(&told, "unprotected"));
    for cure in ["joined", "locked", "permitted"] {
        assert_eq!(counted(cure), 16, "{cure}");
        let lanes = of(&told, cure);
        assert_eq!(lanes.len(), 8, "{cure}");
        let pauses = pauses(&told, &lanes);
        assert!(
            pauses.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{cure}: two were at it at once"
        );
        let lasted = lasted(&lanes);
        assert!(lasted >= Duration::from_millis(1600), "{cure}: {lasted:?}");
        assert!(lasted > 2 * unprotected, "{lasted:?} {unprotected:?}");
    }
    assert_eq!(
        lane(&told, "joined 1").opened,
        of(&told, "joined")[0].opened
    );
}
