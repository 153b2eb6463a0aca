//! Many items on few threads.

use std::path::PathBuf;

use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::jobs::{JobSpec, RunOn};
use meanwhile::join;

use crate::util::test_board::{TestBoard, misbehave, spec};

#[test]
fn many_items_end_with_few_tasks_at_once() {
    const ITEMS: usize = 100_000;
    let inputs = (0..ITEMS).map(|number| PathBuf::from(format!("tiny {number}")));
    let mut board = TestBoard::new();
    let job = board.start(JobSpec {
        inputs: inputs.collect(),
        ..spec(RunOn::Pool, misbehave(Misbehaviour::Return, 1, 0))
    });
    let mut most = 0;
    board.until("all end", |record| {
        let tasks = join::live_tasks();
        most = most.max(
            tasks
                .iter()
                .filter(|task| task.name.contains("tiny"))
                .count(),
        );
        record.job(job).unwrap().state().is_ended()
    });
    assert_eq!(board.job(job).counts().returned, ITEMS);
    assert!(most <= 200, "{most} tasks at once for 2 workers");
}

#[test]
fn threads_never_exceed_workers() {
    let inputs = (0..200).map(|number| PathBuf::from(format!("thrifty {number}")));
    let mut board = TestBoard::new();
    let options = misbehave::Options {
        after: 0.001,
        ..misbehave(Misbehaviour::Return, 0, 0)
    };
    let job = board.start(JobSpec {
        inputs: inputs.collect(),
        workers: 3,
        ..spec(RunOn::Thread, options)
    });
    board.until("all end", |record| {
        let tasks = join::live_tasks();
        let alive = tasks
            .iter()
            .filter(|task| task.name.contains("thrifty"))
            .count();
        assert!(alive <= 3, "{alive} threads for 3 workers");
        record.job(job).unwrap().state().is_ended()
    });
}
