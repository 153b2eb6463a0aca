//! Twins that fail, and the queue that runs them. Scripts take the place of windows.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use meanwhile::join::CancelToken;
use meanwhile::join::process::Launcher;
use meanwhile::lab::{RunQueue, TwinOutcome, TwinRun, TwinRunOptions, Variant, WorkKind};

use super::first;
use crate::util::files::folder;
use crate::util::launching::launching_part;

/// A launcher that runs this script as the twin.
fn twins(script: &str) -> (tempfile::TempDir, Launcher) {
    let folder = folder();
    let path = folder.path().join("twin");
    fs::write(&path, format!("#!/bin/sh\n{}{script}\n", launching_part()))
        .expect("the folder is ours");
    let may_run = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&path, may_run).expect("the file is ours");
    (folder, Launcher::of_program(path))
}

fn options(variant: Variant, length: Duration) -> TwinRunOptions {
    TwinRunOptions {
        pattern: first(),
        variant,
        work: WorkKind::Sleep,
        length,
        is_manual: false,
        position: None,
    }
}

/// How two twins end that run this script, one after the other.
fn endings(script: &str) -> Vec<TwinOutcome> {
    let (_folder, launcher) = twins(script);
    let mut queue = RunQueue::new(launcher);
    for variant in Variant::ALL {
        queue.add(options(variant, Duration::ZERO));
    }
    while queue.is_busy() {
        queue.poll(usize::MAX);
        if let Some(run) = queue.run() {
            run.wait(&CancelToken::new());
        }
    }
    queue.done().iter().map(|run| run.ending.clone()).collect()
}

#[track_caller]
fn assert_died(endings: &[TwinOutcome], why: &str) {
    assert_eq!(endings.len(), 2, "the second twin runs too: {endings:?}");
    for ending in endings {
        match ending {
            TwinOutcome::Died(text) => assert!(text.contains(why), "{text}"),
            other => panic!("not dead: {other:?}"),
        }
    }
}

#[test]
fn dead_twin_is_reported_with_its_last_output() {
    let endings = endings("echo no window here >&2; exit 7");
    assert_died(&endings, "code 7: no window here");
}

#[test]
fn twin_that_sends_an_invalid_fact_is_killed() {
    let endings = endings("echo rubbish; exec sleep 60");
    assert_died(&endings, "it sent an invalid fact");
}

#[test]
fn twin_that_dies_in_a_fact_is_reported_by_its_exit() {
    let endings = endings("printf '{\"at_ns\":1,'; exit 7");
    assert_died(&endings, "code 7");
}

#[test]
fn twin_that_sends_too_much_is_killed() {
    // A line without an end is never a fact.
    let endings = endings("exec head -c 100000000 /dev/zero");
    assert_died(&endings, "it sent more data than could be read");
}

#[test]
fn twin_with_lost_facts_is_killed() {
    let missing = r#"{"at_ns":1,"fact":{"DidMiss":{"facts":12}}}"#;
    let endings = endings(&format!("echo '{missing}'; exec sleep 60"));
    assert_died(&endings, "12 facts were lost");
}

#[test]
fn twin_that_never_takes_the_click_was_not_seen() {
    let opened = r#"{"at_ns":1,"fact":{"DidOpen":{}}}"#;
    let over = r#"{"at_ns":2,"fact":"Over"}"#;
    let script = format!("echo '{opened}'; echo '{over}'");
    assert_eq!(endings(&script), [TwinOutcome::Unseen, TwinOutcome::Unseen]);
    let says = TwinOutcome::Unseen.to_string();
    assert!(says.contains("drew nothing"), "{says}");

    let start = r#"{"at_ns":1,"fact":"DidStart"}"#;
    let script = format!("echo '{start}'; echo '{over}'");
    let finished = [TwinOutcome::Finished, TwinOutcome::Finished];
    assert_eq!(endings(&script), finished);
}

#[test]
fn time_left_counts_runs_and_learns_from_them() {
    let over = r#"echo '{"at_ns":1,"fact":"Over"}'"#;
    let (_folder, launcher) = twins(over);
    let mut queue = RunQueue::new(launcher);
    let work = Duration::from_secs(100);
    let before = queue.time_of(work);
    assert!(before > work);
    assert_eq!(queue.time_left(), Duration::ZERO);
    for _ in 0..2 {
        queue.add(options(Variant::Bad, Duration::ZERO));
    }
    assert_eq!(queue.time_left(), 2 * queue.time_of(Duration::ZERO));
    let by_hand = TwinRunOptions {
        is_manual: true,
        ..options(Variant::Bad, work)
    };
    queue.add(by_hand);
    assert_eq!(queue.time_left(), 2 * queue.time_of(Duration::ZERO));
    while queue.is_busy() {
        queue.poll(usize::MAX);
        if let Some(run) = queue.run() {
            run.wait(&CancelToken::new());
        }
    }
    assert_eq!(queue.time_left(), Duration::ZERO);
    assert_ne!(queue.time_of(work), before, "as long as the runs took");
}

#[test]
fn poll_keeps_its_budget_and_the_end_comes_last() {
    let (_folder, launcher) = twins(&clicks_script(5_000));
    let mut run = TwinRun::start(options(Variant::Bad, Duration::ZERO), &launcher).unwrap();
    run.wait(&CancelToken::new());
    loop {
        let before = run.fact_count();
        let has_ended = run.poll(100).is_some();
        assert!(run.fact_count() - before <= 100);
        if has_ended {
            break;
        }
    }
    assert_eq!(run.fact_count(), 5_000);
    assert_eq!(run.facts_since(0).len(), 5_000);
}

#[test]
fn manual_run_keeps_the_facts_of_its_last_seconds() {
    let (_folder, launcher) = twins(&clicks_script(20_000));
    let manual = TwinRunOptions {
        is_manual: true,
        ..options(Variant::Bad, Duration::ZERO)
    };
    let mut run = TwinRun::start(manual, &launcher).unwrap();
    run.wait(&CancelToken::new());
    while run.poll(1_000).is_none() {
        assert!(run.facts_since(0).len() <= 5_001 + 1_000);
    }
    assert_eq!(
        (run.fact_count(), run.facts_since(0).len()),
        (20_000, 5_001)
    );
    assert_eq!(run.facts_since(19_998).len(), 2);
    assert_eq!(run.facts_since(20_000), []);
    assert_eq!(
        run.facts_since(3),
        run.facts_since(0),
        "older facts are dropped"
    );
}

/// A script that prints a click for each millisecond.
fn clicks_script(facts: usize) -> String {
    format!(r#"seq {facts} | sed 's/.*/{{"at_ns":&000000,"fact":"DidClick"}}/'"#)
}

#[test]
fn twin_that_cannot_start_is_reported() {
    let mut queue = RunQueue::new(Launcher::of_program("/nowhere/meanwhile"));
    for variant in Variant::ALL {
        queue.add(options(variant, Duration::ZERO));
    }
    while queue.is_busy() {
        queue.poll(usize::MAX);
    }
    let endings: Vec<_> = queue.done().iter().map(|run| run.ending.clone()).collect();
    assert_died(&endings, "/nowhere/meanwhile");
}

#[test]
fn stop_kills_a_frozen_twin_and_clears_the_queue() {
    let (_folder, launcher) = twins("trap '' TERM; echo >&2; exec sleep 60");
    let mut queue = RunQueue::new(launcher);
    for variant in Variant::ALL {
        queue.add(options(variant, Duration::from_mins(1)));
    }
    queue.poll(usize::MAX);
    queue.stop();
    while queue.is_busy() {
        queue.poll(usize::MAX);
    }
    let endings: Vec<_> = queue.done().iter().map(|run| &run.ending).collect();
    assert_eq!(endings, [&TwinOutcome::Stopped]);
}
