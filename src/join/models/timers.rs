//! Models of delayed calls and of slots.

use std::sync::Arc;
use std::time::Instant;

use super::super::changes::Changes;
use super::super::slot_run::Run;
use super::super::sync::{AtomicBool, Ordering, current_thread, park};
use super::super::timer::Timers;
use super::{DropCheck, owned_task, three_threads};

#[test]
fn delayed_call_racing_its_removal_goes_once() {
    loom::model(|| {
        let timers = Arc::new(Timers::new());
        let called = Arc::new(AtomicBool::new(false));
        let dropped = Arc::new(AtomicBool::new(false));
        let callback = {
            let (called, check) = (called.clone(), DropCheck(dropped.clone()));
            Box::new(move || {
                called.store(true, Ordering::Relaxed);
                drop(check);
            })
        };
        let now = Instant::now();
        let key = timers.insert(now, callback);
        let last = timers.insert(now, Box::new(|| ()));
        let remover = loom::thread::spawn({
            let timers = timers.clone();
            move || timers.remove(key)
        });
        let batch = timers.next_due();
        while let Some(call) = timers.begin(batch) {
            call();
        }
        remover.join().expect("it ends");
        timers.remove(last);
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn call_added_while_the_timer_sleeps_wakes_it() {
    loom::model(|| {
        let timers = Arc::new(Timers::new());
        let adder = loom::thread::spawn({
            let timers = timers.clone();
            move || timers.insert(Instant::now(), Box::new(|| ()))
        });
        let batch = timers.next_due();
        assert!(timers.begin(batch).is_some());
        adder.join().expect("it ends");
    });
}

/// The timer starts the task of a slot that is being cleared.
#[test]
fn delayed_start_racing_a_cancel_is_cancelled() {
    loom::model(|| {
        let run = Run::waiting();
        let task = owned_task(1, None, || ());
        let header = Arc::clone(task.header());
        let timer = loom::thread::spawn({
            let run = run.clone();
            move || {
                let mut did_start = false;
                run.start(None, || {
                    did_start = true;
                    Ok(task)
                });
                did_start
            }
        });
        run.cancel();
        let did_start = timer.join().expect("it ends");
        assert_eq!(header.cancel().is_requested(), did_start);
        run.start(None, || panic!("nothing starts after a cancel"));
    });
}

/// A frame that finds the slot loading sleeps until it is woken.
#[test]
fn window_is_woken_for_the_end_of_a_delayed_start() {
    three_threads(|| {
        let window = current_thread();
        let changes = Changes::new(move || window.unpark());
        let run = Run::waiting();
        let timer = loom::thread::spawn({
            let (run, changes) = (run.clone(), changes.clone());
            move || {
                run.start(Some(&changes), || {
                    let task = owned_task(1, Some(&changes), || 7);
                    let header = Arc::clone(task.header());
                    loom::thread::spawn(move || {
                        if header.run() {
                            header.settle();
                        }
                    });
                    Ok(task)
                });
            }
        });
        let value = loop {
            changes.take(usize::MAX);
            let news = run.take_news();
            if !news.is_loading {
                break news.value;
            }
            park();
        };
        assert_eq!(value, Some(7));
        timer.join().expect("it ends");
    });
}

/// A task ends while a frame looks at its slot and the timer wants to start the next one.
#[test]
fn outcome_racing_the_next_start_is_not_lost() {
    three_threads(|| {
        let task = owned_task(1, None, || 7);
        let header = Arc::clone(task.header());
        let run = Run::of(task);
        let runner = loom::thread::spawn(move || {
            if header.run() {
                header.settle();
            }
        });
        let timer = loom::thread::spawn({
            let run = run.clone();
            move || run.start(None, || Ok(owned_task(2, None, || 8)))
        });
        let early = run.take_news();
        runner.join().expect("it ends");
        timer.join().expect("it ends");
        let late = run.take_news();
        assert!(early.is_loading || early.value.is_some());
        assert_eq!(early.value.or(late.value), Some(7));
    });
}
