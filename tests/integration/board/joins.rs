//! Waiting for jobs, in the background and blocking.

use std::time::{Duration, Instant};

use meanwhile::jobs::RunOn;
use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::record::{EventKind, JobState, JoinOutcome};

use crate::util::test_board::{PLACES, TestBoard, misbehave, sleeping_job, spec};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn timed_out_join_is_never_early_and_job_goes_on() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(sleeping_job(place, 1));
        let first = board.join(job, Some(SHORT));
        board.until("the join ends", |record| {
            let job = record.job(job).unwrap();
            !job.joins().is_empty() && job.active_joins().next().is_none()
        });
        let join = board.job(job).joins()[0].clone();
        assert_eq!(join.id, first);
        assert_eq!(join.ended.unwrap().1, JoinOutcome::TimedOut);
        assert!(join.waited(board.now()) >= SHORT);
        assert_eq!(*board.job(job).state(), JobState::Running);

        board.join(job, None);
        board.cancel(job);
        board.until_ended(job);
        assert_eq!(
            board.job(job).joins()[1].ended.unwrap().1,
            JoinOutcome::Joined
        );
    }
}

#[test]
fn join_ends_after_its_job_in_the_record() {
    let mut board = TestBoard::new();
    let job = board.start(sleeping_job(RunOn::Pool, 1));
    board.join(job, None);
    board.join(job, Some(Duration::MAX));
    board.cancel(job);
    let mut ends = Vec::new();
    while ends.len() < 3 {
        let due = board.wants_poll_in().unwrap();
        // It fails when the poll is due.
        board.woken.recv_timeout(due).ok();
        for event in board.board.poll(100) {
            match event.kind {
                EventKind::JobDidFinish { .. } => ends.push("job"),
                EventKind::JoinDidEnd { .. } => ends.push("join"),
                _ => {}
            }
        }
    }
    assert_eq!(ends, ["job", "join", "join"]);
}

#[test]
fn joins_of_ended_job_end_at_once() {
    let mut board = TestBoard::new();
    let job = board.start(spec(RunOn::Pool, misbehave(Misbehaviour::Return, 1, 1)));
    board.until_ended(job);
    for _ in 0..1_000 {
        board.join(job, None);
        assert_eq!(board.join_blocking(job, None), JoinOutcome::Joined);
    }
    board.poll();
    let joins = board.job(job).joins();
    assert_eq!(joins.len(), 2_000);
    assert!(
        joins
            .iter()
            .all(|join| join.ended.unwrap().1 == JoinOutcome::Joined)
    );
}

#[test]
fn detach_ends_joins_and_job_runs_on() {
    let mut board = TestBoard::new();
    let job = board.start(sleeping_job(RunOn::Pool, 1));
    board.join(job, None);
    board.join(job, Some(Duration::from_secs(1_000)));
    assert!(board.next_deadline().is_some());
    board.detach(job);
    board.poll();
    let joins = board.job(job).joins();
    assert!(
        joins
            .iter()
            .all(|join| join.ended.unwrap().1 == JoinOutcome::Detached)
    );
    assert_eq!(board.next_deadline(), None);
    assert_eq!(*board.job(job).state(), JobState::Running);
}

#[test]
fn blocking_join_returns_at_deadline_or_job_end() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(sleeping_job(place, 1));
        let start = Instant::now();
        assert_eq!(board.join_blocking(job, Some(SHORT)), JoinOutcome::TimedOut);
        assert!(start.elapsed() >= SHORT);
        board.cancel(job);
        assert_eq!(board.join_blocking(job, None), JoinOutcome::Joined);
        board.poll();
        assert_eq!(*board.job(job).state(), JobState::Cancelled);
        assert!(board.job(job).joins().iter().all(|join| join.blocking));
    }
}
