//! Crashes: each costs the item that caused it.

use meanwhile::jobs::RunOn;
use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::record::{Crash, JobState};

use super::{crash, error, isolated};
use crate::util::test_board::{TestBoard, misbehave, spec};

const DEADLY: [Misbehaviour; 7] = [
    Misbehaviour::Abort,
    Misbehaviour::Segfault,
    Misbehaviour::StackOverflow,
    Misbehaviour::Allocate,
    Misbehaviour::Exit,
    Misbehaviour::Block,
    Misbehaviour::PanicWhileUnwinding,
];

#[track_caller]
fn crash_of(end: Misbehaviour) -> Crash {
    let mut board = TestBoard::new();
    let job = board.start(isolated(end));
    board.until_ended(job);
    assert_eq!(board.labels(job), ["returned", "crashed", "returned"]);
    assert_eq!(*board.job(job).state(), JobState::Failed);
    assert_eq!(board.job(job).counts().crashed, 1);
    crash(&board, job, 1)
}

#[test]
fn p14_an_abort_costs_one_item() {
    let crash = crash_of(Misbehaviour::Abort);
    assert_eq!((crash.code, crash.signal), (None, Some(6)));
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    let killed = "its worker was killed by signal 6 (SIGABRT)";
    assert!(crash.message.starts_with(killed), "{}", crash.message);
}

#[test]
fn standard_output_of_an_item_goes_to_its_stderr() {
    let crash = crash_of(Misbehaviour::Abort);
    assert_eq!(crash.signal_name, Some("SIGABRT"), "{}", crash.message);
    assert_eq!(crash.stderr, "item 2: simulated abort");
}

#[test]
fn segmentation_fault_costs_one_item() {
    let crash = crash_of(Misbehaviour::Segfault);
    assert_eq!(crash.signal_name, Some("SIGSEGV"));
}

#[test]
fn stack_overflow_costs_one_item_and_is_reported() {
    let crash = crash_of(Misbehaviour::StackOverflow);
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    let reported = crash.stderr.contains("overflowed its stack");
    assert!(reported, "{}", crash.stderr);
}

#[test]
fn endless_allocation_costs_one_item_and_is_reported() {
    let crash = crash_of(Misbehaviour::Allocate);
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    let reported = crash.stderr.contains("memory allocation of");
    assert!(reported, "{}", crash.stderr);
}

#[test]
fn exit_costs_one_item() {
    let crash = crash_of(Misbehaviour::Exit);
    assert_eq!((crash.code, crash.signal), (Some(7), None));
    assert_eq!(crash.message, "its worker exited with code 7");
}

#[test]
fn double_panic_costs_one_item_with_both_messages() {
    let crash = crash_of(Misbehaviour::PanicWhileUnwinding);
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    for message in [
        "with a destructor that panics",
        "simulated panic in a destructor",
    ] {
        assert!(crash.stderr.contains(message), "{}", crash.stderr);
    }
}

#[test]
fn every_item_of_a_job_may_crash() {
    let mut board = TestBoard::new();
    let job = board.start(spec(RunOn::Process, misbehave(Misbehaviour::Abort, 0, 20)));
    board.until_ended(job);
    assert_eq!(board.job(job).counts().crashed, 20);
}

#[test]
fn fatal_items_fail_where_they_are_not_isolated() {
    for place in [RunOn::Pool, RunOn::Thread] {
        for end in DEADLY {
            assert!(end.needs_isolation());
            let mut board = TestBoard::new();
            let job = board.start(spec(place, misbehave(end, 2, 3)));
            board.until_ended(job);
            assert_eq!(board.labels(job), ["returned", "failed", "returned"]);
            let error = error(&board, job, 1);
            assert_eq!(error.kind, "needs_isolation");
            assert!(error.message.contains("on processes"), "{error}");
        }
    }
    let harmless = Misbehaviour::ALL
        .iter()
        .filter(|end| !end.needs_isolation());
    assert_eq!(harmless.count(), Misbehaviour::ALL.len() - DEADLY.len());
}
