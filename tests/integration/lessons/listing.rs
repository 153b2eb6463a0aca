//! Who is alive.

use meanwhile::lessons::{RunLog, WorkerKind};
use meanwhile::record::Activity;

use super::{play, times, when};

/// A second between two ends.
const STEP: f64 = 4.0;

fn rows(log: &RunLog) -> Vec<(&str, &str)> {
    let rows = log.table().iter().skip(1);
    rows.map(|row| (&*row[0], &*row[1])).collect()
}

/// Each row names those, and only those, who had begun and not ended by then.
fn assert_as_in_the_lanes(log: &RunLog) {
    for row in &log.table()[1..] {
        let at = when(log, "main", &row.join(" · "));
        for worker in ["alpha", "beta", "gamma"] {
            let [(_, ended)] = times(log, worker, Activity::Sleeps)[..] else {
                panic!("{worker} sleeps once");
            };
            let is_listed = row[1].split(", ").any(|name| name == worker);
            let lives = row[0] != "before" && at < ended;
            assert_eq!(is_listed, lives, "{worker}, {}", row[0]);
        }
    }
    let waits = times(log, "main", Activity::Waits);
    let beta = times(log, "beta", Activity::Sleeps)[0];
    assert!(waits[0].1 >= beta.1, "beta was not waited for");
}

#[test]
fn enumerate_with_tasks_lists_who_lives_and_the_one_that_asks() {
    let log = play("enumerate", WorkerKind::Task).with("step", STEP).log();
    let expected = [
        ("before", "lesson enumerate"),
        ("all started", "lesson enumerate, alpha, beta, gamma"),
        ("beta joined", "lesson enumerate, gamma"),
        ("all joined", "lesson enumerate"),
    ];
    assert_eq!(rows(&log), expected);
    assert_as_in_the_lanes(&log);
    assert!(log.time_of("main", "that is me").is_ok());
}

#[test]
fn enumerate_with_processes_lists_who_lives_and_never_the_one_that_asks() {
    let log = play("enumerate", WorkerKind::Process)
        .with("step", STEP)
        .log();
    let expected = [
        ("before", ""),
        ("all started", "alpha, beta, gamma"),
        ("beta joined", "gamma"),
        ("all joined", ""),
    ];
    assert_eq!(rows(&log), expected);
    assert_as_in_the_lanes(&log);
}

/// Whoever ends before they are found is missing in the list, and nobody minds.
#[test]
fn enumerate_goes_well_also_when_all_have_ended_before_they_are_found() {
    for kind in [WorkerKind::Task, WorkerKind::Process] {
        play("enumerate", kind).with("step", 0.0).log();
    }
}
