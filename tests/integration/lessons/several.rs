//! The lessons about several workers.

use std::time::Duration;

use meanwhile::lessons::{RunLog, WorkerKind};
use meanwhile::record::{Activity, Lane};

use super::{closed, lane, length, lesson, spans, time_of};

fn sleep_of(log: &RunLog, name: &str) -> (Duration, Duration) {
    let [sleep] = spans(log, name, Activity::Sleeps)[..] else {
        panic!("{name} sleeps once");
    };
    sleep
}

fn assert_side_by_side(kind: WorkerKind) {
    let log = lesson("many", kind)
        .with("first", 4.0)
        .with("second", 8.0)
        .log();
    let (first, second) = (sleep_of(&log, "first"), sleep_of(&log, "second"));
    assert!(second.0 < first.1, "the second waited for the first");
    let waits = spans(&log, "main", Activity::Waits);
    assert!(waits[0].1 >= first.1 && waits[1].1 >= second.1);
    let waited: Duration = waits.iter().copied().map(length).sum();
    let slept = length(first) + length(second);
    assert!(waited < slept, "{waited:?} of {slept:?}");
    let alive = log.table()[1..].iter().map(|row| (&*row[1], &*row[2]));
    let expected = [("true", "true"), ("false", "true"), ("false", "false")];
    assert_eq!(alive.collect::<Vec<_>>(), expected);
}

#[test]
fn two_tasks_run_side_by_side() {
    assert_side_by_side(WorkerKind::Task);
}

#[test]
fn two_processes_run_side_by_side() {
    assert_side_by_side(WorkerKind::Process);
}

#[test]
fn order_of_two_joins_does_not_matter() {
    let log = lesson("many", WorkerKind::Task)
        .with("first", 8.0)
        .with("second", 4.0)
        .log();
    assert_eq!(log.table()[2], ["first joined", "false", "false"]);
    assert!(sleep_of(&log, "second").1 < time_of(&log, "main", "first joined"));
}

fn assert_only_joined_work_is_complete(kind: WorkerKind) {
    let log = lesson("strategies", kind)
        .with("work", 4.0)
        .with("workers", 2.0)
        .log();
    let results = log.table()[1..].iter().map(|row| row[2].as_str());
    let results: Vec<_> = results.collect();
    assert_eq!((results[0], results[2], results[3]), ("2", "2", "2"));
    assert_ne!(results[1], "2", "all results were there without a join");

    let measured = time_of(&log, "main", "start, do not join");
    let not_joined: Vec<_> = log.lanes_with_prefix("not joined").collect();
    assert_eq!(not_joined.len(), 2);
    let still_runs = |lane: &&Lane| time_of(&log, &lane.name, "done") > measured;
    let any_runs = not_joined.iter().any(still_runs);
    assert!(any_runs, "all had ended without a join");

    let in_turn = sleep_of(&log, "one by one 1").1 <= sleep_of(&log, "one by one 2").0;
    assert!(in_turn, "the workers of `one by one` overlap");
    let (first, second) = (sleep_of(&log, "all 1"), sleep_of(&log, "all 2"));
    assert!(second.0 < first.1, "the workers of `all` do not overlap");
    let measured = time_of(&log, "main", "start all");
    assert!(first.1 < measured && second.1 < measured);
}

#[test]
fn strategy_without_join_of_tasks_is_incomplete() {
    assert_only_joined_work_is_complete(WorkerKind::Task);
}

#[test]
fn strategy_without_join_of_processes_is_incomplete() {
    assert_only_joined_work_is_complete(WorkerKind::Process);
}

/// Nine files for three threads; the first file takes five times as long as any other.
#[test]
fn threads_of_a_pool_share_the_files() {
    let log = lesson("pool", WorkerKind::Task)
        .with("work", 1.2)
        .with("files", 9.0)
        .log();
    let threads: Vec<_> = log.lanes_with_prefix("worker-").collect();
    let mut names: Vec<_> = threads.iter().map(|lane| lane.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["worker-1", "worker-2", "worker-3"]);

    let mut sleeps = Vec::new();
    for name in names {
        assert!(closed(&log, name).0 > lane(&log, name).opened);
        let own = spans(&log, name, Activity::Sleeps);
        assert!(!own.is_empty(), "{name} had nothing to do");
        let is_in_turn = own.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(is_in_turn, "{name} did two files at once");
        let idle = spans(&log, name, Activity::Waits);
        assert_eq!(idle.len(), own.len(), "{name} waits after each file");
        assert!(idle.iter().zip(&own).all(|(wait, work)| wait.0 >= work.1));
        sleeps.extend(own);
    }
    assert_eq!(sleeps.len(), 9);
    let files = |lane: &&Lane| spans(&log, &lane.name, Activity::Sleeps).len();
    let has_first = |lane: &&Lane| log.time_of(&lane.name, "file 1:").is_ok();
    let busiest = threads.iter().copied().find(has_first);
    let busiest = busiest.expect("the first file was done");
    let most = threads.iter().map(files).max();
    assert!(most > Some(files(&busiest)), "no thread did more files");
    let busy: Duration = sleeps.iter().copied().map(length).sum();
    let began = sleeps.iter().map(|sleep| sleep.0).min().unwrap();
    let ended = sleeps.iter().map(|sleep| sleep.1).max().unwrap();
    let all = length((began, ended));
    assert!(all * 3 < busy * 2, "{all:?} for {busy:?} of work");
    assert!(ended < time_of(&log, "main", "all files are done"));
}

#[test]
fn pool_of_one_thread_keeps_the_order() {
    let log = lesson("pool", WorkerKind::Task).with("threads", 1.0).log();
    let worker = lane(&log, "worker-1").id;
    let messages = log.messages().iter();
    let files = messages.filter(|message| message.lane == worker);
    let files = files.map(|message| message.text.split(':').next());
    let in_order = (1..=12).map(|n| format!("file {n}"));
    assert!(files.flatten().eq(in_order));
}
