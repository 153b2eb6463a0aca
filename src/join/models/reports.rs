//! Models of what a window reads: changes and progress.

use std::sync::Arc;

use super::super::changes::Changes;
use super::super::context::Context;
use super::super::info::Progress;
use super::super::progress::Reports;
use super::super::sync::{AtomicBool, AtomicUsize, Ordering};
use super::{run, task};

#[test]
fn changes_taken_during_the_end_miss_no_end() {
    loom::model(|| {
        let woken = Arc::new(AtomicBool::new(false));
        let changes = Changes::new({
            let woken = woken.clone();
            move || woken.store(true, Ordering::Release)
        });
        let task = task(1, Some(&changes), || ());
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || {
                task.header().set_progress(1, 2);
                run(&task);
            }
        });
        let early = changes.take(usize::MAX);
        let seen_finished = !early.is_empty() && task.is_finished();
        runner.join().expect("the runner ends");
        assert!(woken.load(Ordering::Acquire));
        let late = changes.take(usize::MAX);
        assert!(seen_finished || late == [task.id()]);
    });
}

/// One report is made before the task is taken and one about then. The window that takes it sees the
/// second, now or after another wake.
#[test]
fn progress_before_a_pause_is_not_lost() {
    loom::model(|| {
        let wakes = Arc::new(AtomicUsize::new(0));
        let changes = Changes::new({
            let wakes = wakes.clone();
            move || {
                wakes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let task = task(1, Some(&changes), || ());
        task.header().set_progress(1, 2);
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || task.header().set_progress(2, 2)
        });
        assert_eq!(changes.take(usize::MAX), [task.id()]);
        let seen = task.progress().done;
        runner.join().expect("the runner ends");
        assert!(seen == 2 || changes.is_pending());
        assert_eq!(task.progress().done, 2);
    });
}

#[test]
fn both_numbers_of_a_progress_are_of_one_report() {
    loom::model(|| {
        let cell = Arc::new(Reports::new());
        let writer = loom::thread::spawn({
            let cell = cell.clone();
            move || (1..=3).for_each(|number| cell.set(number, number))
        });
        let Progress { done, total, .. } = cell.get();
        assert_eq!(done, total);
        writer.join().expect("it ends");
        assert_eq!(cell.get().done, 3);
    });
}

#[test]
fn progress_of_two_threads_is_that_of_the_last() {
    loom::model(|| {
        let cell = Arc::new(Reports::new());
        let other = loom::thread::spawn({
            let cell = cell.clone();
            move || cell.set(1, 1)
        });
        cell.set(2, 2);
        other.join().expect("it ends");
        let Progress { done, total, .. } = cell.get();
        assert!(done == total && done > 0);
    });
}

#[test]
fn progress_of_two_parts_at_once_is_their_sum() {
    loom::model(|| {
        let task = task(1, None, || ());
        let parts = Context::new(task.header().clone()).parts(3);
        let (one, two) = (parts.part(1), parts.part(2));
        let other = loom::thread::spawn(move || one.set_progress(5, 5));
        two.set_progress(7, 7);
        other.join().expect("it ends");
        let Progress { done, total, .. } = task.progress();
        assert_eq!((done, total), (3, 3));
    });
}
