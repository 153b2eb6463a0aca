//! Wake-ups, polls and counts.

use std::time::Duration;

use meanwhile::board::JobBoard;
use meanwhile::jobs::RunOn;
use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::record::{JobId, JoinOutcome, Record};

use crate::util::test_board::{PLACES, TestBoard, misbehave, sleeping_job, spec};

#[test]
fn polling_only_on_wake_ups_misses_no_end() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board
            .board
            .start(spec(place, misbehave(Misbehaviour::Error, 2, 3)))
            .unwrap();
        board.join(job, None);
        let timeout = Duration::from_mins(1);
        while !board
            .record
            .job(job)
            .is_some_and(|job| job.state().is_ended())
        {
            board.woken.recv_timeout(timeout).expect("the end wakes");
            board.poll();
        }
        assert_eq!(board.job(job).active_joins().count(), 0);
    }
}

#[test]
fn idle_board_never_wakes_and_wants_no_poll() {
    let mut board = TestBoard::new();
    assert_eq!(board.wants_poll_in(), None);
    let job = board.start(spec(RunOn::Pool, misbehave(Misbehaviour::PanicStr, 1, 3)));
    board.until_ended(job);
    board.poll();
    while board.woken.try_recv().is_ok() {}
    assert_eq!(board.wants_poll_in(), None);
    assert!(
        board
            .woken
            .recv_timeout(Duration::from_millis(200))
            .is_err()
    );
    assert_eq!(board.poll(), 0);
}

#[test]
fn poll_keeps_its_budget_and_requests_the_next() {
    const BUDGET: usize = 50;
    let mut board = JobBoard::new(|| {});
    let mut record = Record::default();
    let job = board
        .start(spec(RunOn::Pool, misbehave(Misbehaviour::Return, 1, 1_000)))
        .unwrap();
    assert_eq!(board.join_blocking(job, None), JoinOutcome::Joined);
    let mut polls = 0;
    loop {
        let events = board.poll(BUDGET);
        // The board's own events come on top: the job's start and end, the join and its end.
        assert!(events.len() <= BUDGET + 4, "{}", events.len());
        for event in events {
            record.apply(event);
        }
        polls += 1;
        if record.job(job).unwrap().state().is_ended() {
            break;
        }
        assert_eq!(board.wants_poll_in(), Some(Duration::ZERO));
    }
    assert!(polls >= 3_000 / BUDGET);
    assert_eq!(record.job(job).unwrap().counts().returned, 1_000);
    assert_eq!(board.wants_poll_in(), None);
}

#[test]
fn end_is_reported_while_another_job_floods() {
    const BUDGET: usize = 50;
    let mut board = JobBoard::new(|| {});
    let mut record = Record::default();
    let flood = misbehave(Misbehaviour::Return, 1, 5_000);
    let flood = board.start(spec(RunOn::Pool, flood)).unwrap();
    board.join_blocking(flood, None);
    let job = board
        .start(spec(RunOn::Pool, misbehave(Misbehaviour::Return, 1, 1)))
        .unwrap();
    let join = board.join(job, Some(Duration::from_mins(1)));
    board.join_blocking(job, None);
    let mut polls = 0;
    while !record.job(job).is_some_and(|job| job.state().is_ended()) {
        for event in board.poll(BUDGET) {
            record.apply(event);
        }
        polls += 1;
    }
    assert!(polls <= 2, "reported after {polls} polls");
    assert!(!record.job(flood).unwrap().state().is_ended());
    let job = record.job(job).unwrap();
    assert_eq!(job.counts().returned, 1);
    let (_, outcome) = job.joins()[join.index()].ended.unwrap();
    assert_eq!(outcome, JoinOutcome::Joined);
}

#[test]
fn every_job_gets_its_turn_in_small_polls() {
    const JOBS: usize = 10;
    let mut board = JobBoard::new(|| {});
    let mut record = Record::default();
    let jobs: Vec<JobId> = (0..JOBS)
        .map(|_| {
            let job = misbehave(Misbehaviour::Return, 1, 500);
            board.start(spec(RunOn::Pool, job)).unwrap()
        })
        .collect();
    for &job in &jobs {
        board.join_blocking(job, None);
    }
    for _ in 0..2 * JOBS {
        for event in board.poll(20) {
            record.apply(event);
        }
    }
    let found = |job: &JobId| record.job(*job).unwrap().items().len();
    assert!(jobs.iter().all(|job| found(job) > 0));
}

#[test]
fn board_counts_running_items() {
    let mut board = TestBoard::new();
    assert_eq!(board.running(), 0);
    let job = board.start(sleeping_job(RunOn::Pool, 1));
    board.until("it runs", |record| {
        record.job(job).unwrap().counts().running == 1
    });
    board.poll();
    assert_eq!(board.running(), 1);
    assert!(board.is_busy());
    board.cancel(job);
    board.until_ended(job);
    board.poll();
    assert_eq!(board.running(), 0);
    assert!(!board.is_busy());
}
