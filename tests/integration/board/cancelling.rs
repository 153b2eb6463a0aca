//! Cancelling jobs, and the end of the board.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::jobs::{JobSpec, RunOn};
use meanwhile::join;
use meanwhile::record::{JobId, JobState};

use crate::util::test_board::{FOREVER, PLACES, TestBoard, misbehave, sleeping_job, spec};

#[test]
fn cancel_keeps_finished_items() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(sleeping_job(place, 3));
        board.until("all but the sleeping item end", |record| {
            let counts = record.job(job).unwrap().counts();
            counts.returned == 2 && counts.running == 1
        });
        board.cancel(job);
        board.until_ended(job);
        assert_eq!(board.labels(job), ["cancelled", "returned", "returned"]);
        assert_eq!(*board.job(job).state(), JobState::Cancelled);
        assert!(board.job(job).cancel_requested_at().is_some());
    }
}

#[test]
fn items_queued_at_cancel_never_start() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let options = misbehave::Options {
            after: FOREVER,
            ..misbehave(Misbehaviour::Sleep, 0, 1_000)
        };
        let job = board.start(spec(place, options));
        board.until("both workers are busy", |record| {
            let job = record.job(job).unwrap();
            job.counts().running == 2 && job.is_planned()
        });
        board.cancel(job);
        board.until_ended(job);
        let counts = board.job(job).counts();
        assert_eq!((counts.cancelled, counts.total()), (1_000, 1_000));
        let items = board.job(job).items().iter();
        assert_eq!(items.filter(|item| item.started_at.is_some()).count(), 2);
    }
}

#[test]
fn repeated_or_late_cancel_changes_nothing() {
    let mut board = TestBoard::new();
    let job = board.start(sleeping_job(RunOn::Pool, 1));
    board.cancel(job);
    board.cancel(job);
    board.until_ended(job);
    let requested_at = board.job(job).cancel_requested_at();
    board.cancel(job);
    board.time_out(job);
    board.poll();
    assert_eq!(board.job(job).cancel_requested_at(), requested_at);
    assert_eq!(*board.job(job).state(), JobState::Cancelled);
}

#[test]
fn job_that_ignores_cancel_returns() {
    // An isolated item that ignores the cancel loses its worker.
    for place in [RunOn::Pool, RunOn::Thread] {
        let mut board = TestBoard::new();
        let options = misbehave::Options {
            after: 0.5,
            ..misbehave(Misbehaviour::IgnoreCancel, 1, 1)
        };
        let job = board.start(spec(place, options));
        board.until("it runs", |record| {
            record.job(job).unwrap().counts().running == 1
        });
        board.cancel(job);
        board.until_ended(job);
        assert_eq!(*board.job(job).state(), JobState::Returned);
        assert!(board.job(job).cancel_requested_at().is_some());
    }
}

#[test]
fn time_out_ends_job_as_timed_out() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(sleeping_job(place, 2));
        board.time_out(job);
        board.until_ended(job);
        assert_eq!(*board.job(job).state(), JobState::TimedOut);
    }
}

#[test]
fn shutdown_cancels_and_keeps_its_timeout() {
    let mut board = TestBoard::new();
    let ignores = misbehave::Options {
        after: 3.0,
        ..misbehave(Misbehaviour::IgnoreCancel, 1, 1)
    };
    let ignoring = board.start(spec(RunOn::Pool, ignores));
    board.start(sleeping_job(RunOn::Thread, 2));
    board.until("the item that ignores the cancel runs", |record| {
        record.job(ignoring).unwrap().counts().running == 1
    });
    let start = Instant::now();
    assert_eq!(board.shutdown(Duration::from_millis(300)), 1);
    drop(board);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn dropping_the_board_cancels_its_jobs() {
    let mut board = TestBoard::new();
    let job = board.start(JobSpec {
        inputs: vec![PathBuf::from("dropped with its board")].into(),
        ..sleeping_job(RunOn::Thread, 0)
    });
    board.until("it runs", |record| {
        record.job(job).unwrap().counts().running == 1
    });
    drop(board);
    let tasks = join::live_tasks();
    assert!(
        tasks
            .iter()
            .all(|task| !task.name.contains("dropped with its board"))
    );
}

#[test]
fn jobs_count_up_and_only_ended_ones_are_removed() {
    let mut board = TestBoard::new();
    let first = board.start(sleeping_job(RunOn::Pool, 1));
    let second = board.start(spec(RunOn::Pool, misbehave(Misbehaviour::Return, 1, 1)));
    assert_eq!((first, second), (JobId::new(1), JobId::new(2)));
    board.until_ended(second);
    board.remove(first);
    board.remove(second);
    board.cancel(first);
    board.until_ended(first);
    assert_eq!(*board.job(first).state(), JobState::Cancelled);
}
