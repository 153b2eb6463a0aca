//! The lesson about listing live workers.

use meanwhile::lessons::{RunLog, WorkerKind};
use meanwhile::record::Activity;

use super::{lesson, spans, time_of};

/// The workers end a second apart.
const STEP: f64 = 4.0;

fn rows(log: &RunLog) -> Vec<(&str, &str)> {
    let rows = log.table().iter().skip(1);
    rows.map(|row| (&*row[0], &*row[1])).collect()
}

/// Each row lists exactly the workers that were alive at its time.
fn assert_rows_match_the_lanes(log: &RunLog) {
    for row in &log.table()[1..] {
        let at = time_of(log, "main", &row.join(" · "));
        for worker in ["alpha", "beta", "gamma"] {
            let [(_, ended)] = spans(log, worker, Activity::Sleeps)[..] else {
                panic!("{worker} sleeps once");
            };
            let is_listed = row[1].split(", ").any(|name| name == worker);
            let is_alive = row[0] != "before" && at < ended;
            assert_eq!(is_listed, is_alive, "{worker}, {}", row[0]);
        }
    }
    let waits = spans(log, "main", Activity::Waits);
    let beta = spans(log, "beta", Activity::Sleeps)[0];
    assert!(waits[0].1 >= beta.1, "beta was not joined");
}

#[test]
fn enumerate_lists_live_tasks_and_the_caller() {
    let log = lesson("enumerate", WorkerKind::Task)
        .with("step", STEP)
        .log();
    let expected = [
        ("before", "lesson enumerate"),
        ("all started", "lesson enumerate, alpha, beta, gamma"),
        ("beta joined", "lesson enumerate, gamma"),
        ("all joined", "lesson enumerate"),
    ];
    assert_eq!(rows(&log), expected);
    assert_rows_match_the_lanes(&log);
    assert!(log.time_of("main", "the current task").is_ok());
}

#[test]
fn active_children_never_lists_the_caller() {
    let log = lesson("enumerate", WorkerKind::Process)
        .with("step", STEP)
        .log();
    let expected = [
        ("before", ""),
        ("all started", "alpha, beta, gamma"),
        ("beta joined", "gamma"),
        ("all joined", ""),
    ];
    assert_eq!(rows(&log), expected);
    assert_rows_match_the_lanes(&log);
}

#[test]
fn enumerate_accepts_workers_that_have_ended() {
    for kind in [WorkerKind::Task, WorkerKind::Process] {
        lesson("enumerate", kind).with("step", 0.0).log();
    }
}
