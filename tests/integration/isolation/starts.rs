//! Starting workers: without a launcher, and where the system refuses.

use std::fs;
use std::time::{Duration, Instant};

use meanwhile::board::JobBoard;
use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::jobs::{JobSpec, RunOn};
use meanwhile::join::process::Launcher;

use super::workers::workers;
use super::{error, isolated, one_item};
use crate::util::child::in_child_with;
use crate::util::test_board::{TestBoard, misbehave, spec};

#[test]
fn without_a_launcher_items_fail_with_that_reason() {
    let mut board = TestBoard::with(|board| board);
    let job = board.start(isolated(Misbehaviour::Abort));
    board.until_ended(job);
    assert_eq!(board.labels(job), ["failed"; 3]);
    let error = error(&board, job, 0);
    assert_eq!(error.kind, "no_worker");
    assert!(error.message.contains("launcher"), "{error}");
}

#[test]
fn missing_launcher_fails_items_with_its_path() {
    let launcher = Launcher::of_program("/nowhere/meanwhile");
    let mut board = TestBoard::with(|board: JobBoard| board.with_launcher(launcher));
    let job = board.start(isolated(Misbehaviour::Return));
    board.until_ended(job);
    assert_eq!(board.labels(job), ["failed"; 3]);
    let error = error(&board, job, 0);
    assert_eq!(error.kind, "no_worker");
    assert!(error.message.contains("/nowhere/meanwhile"), "{error}");
}

#[test]
fn items_wait_for_a_worker_when_starts_are_refused() {
    const WORKERS: usize = 8;
    let name = "isolation::starts::items_wait_for_a_worker_when_starts_are_refused";
    in_child_with("ulimit -n 64", name, || {
        let mut board = TestBoard::new();
        // The descriptors that serve all processes are opened once and stay.
        let job = board.start(one_item());
        board.until_ended(job);
        // A worker needs three pipes.
        let _hogs = leave_room_for(2 * WORKERS);
        let options = misbehave::Options {
            after: 0.05,
            ..misbehave(Misbehaviour::Return, 1, 3 * WORKERS)
        };
        let job = board.start(JobSpec {
            workers: WORKERS,
            ..spec(RunOn::Process, options)
        });
        let mut most = 0;
        board.until("all end", |record| {
            most = most.max(workers().len());
            record.job(job).unwrap().state().is_ended()
        });
        assert_eq!(board.labels(job), ["returned"; 3 * WORKERS]);
        assert!(most < WORKERS, "the system refused nothing");
    });
}

#[test]
fn item_fails_when_no_worker_starts_or_runs() {
    let name = "isolation::starts::item_fails_when_no_worker_starts_or_runs";
    in_child_with("ulimit -n 64", name, || {
        let mut board = TestBoard::new();
        let job = board.start(one_item());
        board.until_ended(job);
        let hogs = leave_room_for(0);
        let started_at = Instant::now();
        let job = board.start(isolated(Misbehaviour::Return));
        board.until_ended(job);
        assert!(
            started_at.elapsed() >= Duration::from_millis(100),
            "it was not retried"
        );
        assert_eq!(board.labels(job), ["failed"; 3]);
        let error = error(&board, job, 0);
        assert_eq!(error.kind, "no_worker");
        assert!(error.message.contains("too many files are open"), "{error}");
        drop(hogs);
        let job = board.start(isolated(Misbehaviour::Return));
        board.until_ended(job);
        assert_eq!(board.labels(job), ["returned"; 3]);
    });
}

/// Opens files up to the limit, then closes `files` of them.
fn leave_room_for(files: usize) -> Vec<fs::File> {
    let mut hogs = Vec::new();
    while let Ok(hog) = fs::File::open("/dev/null") {
        hogs.push(hog);
    }
    hogs.truncate(hogs.len() - files);
    hogs
}
