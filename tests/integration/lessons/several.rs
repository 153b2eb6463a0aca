//! Several workers at once.

use std::time::Duration;

use meanwhile::lessons::{RunLog, WorkerKind};
use meanwhile::record::{Activity, Lane};

use super::{end, lane, play, times, took};

fn span(log: &RunLog, who: &str) -> (Duration, Duration) {
    let [sleep] = times(log, who, Activity::Sleeps)[..] else {
        panic!("{who} sleeps once");
    };
    sleep
}

/// Those whose name begins so, in the order in which they began.
fn called<'a>(log: &'a RunLog, name: &str) -> Vec<&'a Lane> {
    let lanes = log.timeline().lanes().iter();
    lanes.filter(|lane| lane.name.starts_with(name)).collect()
}

/// When somebody said it, for the first time.
#[track_caller]
fn said(log: &RunLog, who: &str, what: &str) -> Duration {
    log.time_of(who, what).expect("it is said")
}

fn two_workers_run_side_by_side(kind: WorkerKind) {
    let log = play("many", kind)
        .with("first", 4.0)
        .with("second", 8.0)
        .log();
    let (first, second) = (span(&log, "first"), span(&log, "second"));
    assert!(second.0 < first.1, "the second waited for the first");
    let waits = times(&log, "main", Activity::Waits);
    assert!(waits[0].1 >= first.1 && waits[1].1 >= second.1);
    let waited: Duration = waits.iter().copied().map(took).sum();
    let slept = took(first) + took(second);
    assert!(waited < slept, "{waited:?} of {slept:?}");
    let alive = log.table()[1..].iter().map(|row| (&*row[1], &*row[2]));
    let expected = [("true", "true"), ("false", "true"), ("false", "false")];
    assert_eq!(alive.collect::<Vec<_>>(), expected);
}

#[test]
fn many_tasks_that_are_started_first_and_joined_then_run_side_by_side() {
    two_workers_run_side_by_side(WorkerKind::Task);
}

#[test]
fn many_processes_that_are_started_first_and_joined_then_run_side_by_side() {
    two_workers_run_side_by_side(WorkerKind::Process);
}

#[test]
fn many_joined_in_the_other_order_take_no_longer() {
    let log = play("many", WorkerKind::Task)
        .with("first", 8.0)
        .with("second", 4.0)
        .log();
    assert_eq!(log.table()[2], ["first joined", "false", "false"]);
    assert!(span(&log, "second").1 < said(&log, "main", "first joined"));
}

fn only_what_is_joined_is_complete(kind: WorkerKind) {
    let log = play("strategies", kind)
        .with("work", 4.0)
        .with("workers", 2.0)
        .log();
    let results = log.table()[1..].iter().map(|row| row[2].as_str());
    let results: Vec<_> = results.collect();
    assert_eq!((results[0], results[2], results[3]), ("2", "2", "2"));
    assert_ne!(results[1], "2", "all was there without a join");

    let measured = said(&log, "main", "started, not joined");
    let left = called(&log, "not joined");
    assert_eq!(left.len(), 2);
    let still_runs = |lane: &&Lane| said(&log, &lane.name, "done") > measured;
    assert!(left.iter().any(still_runs), "all had ended without a join");

    let in_turn = span(&log, "one by one 1").1 <= span(&log, "one by one 2").0;
    assert!(in_turn, "one by one, and yet side by side");
    let (first, second) = (span(&log, "all 1"), span(&log, "all 2"));
    assert!(second.0 < first.1, "side by side, and yet one by one");
    let measured = said(&log, "main", "started all");
    assert!(first.1 < measured && second.1 < measured);
}

#[test]
fn strategies_with_tasks_show_that_only_what_is_joined_is_complete() {
    only_what_is_joined_is_complete(WorkerKind::Task);
}

#[test]
fn strategies_with_processes_show_that_only_what_is_joined_is_complete() {
    only_what_is_joined_is_complete(WorkerKind::Process);
}

/// Nine files for three threads; the first file takes five times as long as any other.
#[test]
fn pool_threads_share_the_files() {
    let log = play("pool", WorkerKind::Task)
        .with("work", 1.2)
        .with("files", 9.0)
        .log();
    let threads = called(&log, "worker-");
    let mut names: Vec<_> = threads.iter().map(|lane| lane.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["worker-1", "worker-2", "worker-3"]);

    let mut sleeps = Vec::new();
    for name in names {
        assert!(end(&log, name) > lane(&log, name).opened);
        let own = times(&log, name, Activity::Sleeps);
        assert!(!own.is_empty(), "{name} had nothing to do");
        let is_in_turn = own.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(is_in_turn, "{name} did two files at once");
        let idle = times(&log, name, Activity::Waits);
        assert_eq!(idle.len(), own.len(), "{name} waits after each file");
        assert!(idle.iter().zip(&own).all(|(wait, work)| wait.0 >= work.1));
        sleeps.extend(own);
    }
    assert_eq!(sleeps.len(), 9);
    let files = |lane: &&Lane| times(&log, &lane.name, Activity::Sleeps).len();
    let has_first = |lane: &&Lane| log.time_of(&lane.name, "file 1:").is_ok();
    let held_up = threads.iter().copied().find(has_first);
    let held_up = held_up.expect("the first file was done");
    let most = threads.iter().map(files).max();
    assert!(most > Some(files(&held_up)), "nobody did more instead");
    let busy: Duration = sleeps.iter().copied().map(took).sum();
    let began = sleeps.iter().map(|sleep| sleep.0).min().unwrap();
    let ended = sleeps.iter().map(|sleep| sleep.1).max().unwrap();
    let all = took((began, ended));
    assert!(all * 3 < busy * 2, "{all:?} for {busy:?} of work");
    assert!(ended < said(&log, "main", "everything is joined"));
}

#[test]
fn a_pool_of_one_thread_does_all_files_in_their_order() {
    let log = play("pool", WorkerKind::Task).with("threads", 1.0).log();
    let worker = lane(&log, "worker-1").id;
    let files = log.messages().iter().filter(|said| said.lane == worker);
    let files = files.map(|said| said.text.split(':').next());
    let in_order = (1..=12).map(|n| format!("file {n}"));
    assert!(files.flatten().eq(in_order));
}
