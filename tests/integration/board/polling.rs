//! Wake-ups, polls and counts.

use std::time::Duration;

use meanwhile::board::JobBoard;
use meanwhile::jobs::RunOn;
use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::record::{JoinOutcome, Record};

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
