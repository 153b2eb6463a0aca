//! T34: handles without a type, and callbacks with the outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use meanwhile_join::{self as join, JoinError, Task, TaskState};

use super::held_pool::HeldPool;
use super::select::gated;
use crate::util::gate::{Gate, TIMEOUT};

#[test]
fn t34_untyped_handle_joins_and_cancels() {
    let number = join::spawn("number", |_| 7).unwrap();
    let panics: Task<()> = join::spawn("panics", |_| panic!("failure")).unwrap();
    let endless = join::spawn("endless", |context| -> () {
        loop {
            context.checkpoint();
        }
    })
    .unwrap();
    let any = endless.any();
    assert_eq!((any.id(), any.name()), (endless.id(), "endless"));
    assert!(matches!(
        any.join_timeout(Duration::ZERO),
        Err(JoinError::TimedOut)
    ));
    any.cancel();
    assert!(matches!(any.join(), Err(JoinError::Cancelled)));
    assert_eq!(any.state(), TaskState::Cancelled);
    assert!(number.any().join().is_ok());
    assert!(matches!(panics.any().join(), Err(JoinError::Panicked(_))));
}

#[test]
fn t34_live_task_is_found_by_its_number() {
    let gate = Gate::new();
    let task = gated(&gate, ());
    let id = task.id();
    let found = join::find(id).unwrap();
    assert_eq!(found.id(), id);
    drop((task, found));
    let detached = join::find(id).unwrap();
    gate.open();
    detached.join_timeout(TIMEOUT).unwrap();
    assert!(join::find(id).is_none());
}

#[test]
fn t34_task_is_found_among_others() {
    let held = HeldPool::new();
    let tasks: Vec<_> = (0..3).map(|n| held.pool.spawn(move |_| n).any()).collect();
    let gate = Gate::new();
    let threads: Vec<_> = (0..3).map(|n| gated(&gate, n).any()).collect();
    for task in tasks.iter().chain(&threads) {
        assert_eq!(join::find(task.id()).unwrap().id(), task.id());
    }
    gate.open();
    held.release();
}

#[test]
fn t34_callback_gets_the_outcome_of_each_kind() {
    let (send, outcomes) = mpsc::channel();
    let report = |name: &'static str| {
        let send = send.clone();
        move |outcome: Result<&u32, JoinError>| {
            let text = outcome.map_or_else(|error| error.to_string(), ToString::to_string);
            send.send((name, text)).unwrap();
        }
    };
    let gate = Gate::new();
    let returns = gated(&gate, 7);
    returns.on_outcome(report("returns")).keep();
    gate.open();
    assert_eq!(
        outcomes.recv_timeout(TIMEOUT).unwrap(),
        ("returns", "7".to_owned())
    );
    returns.on_outcome(report("late")).keep();
    assert_eq!(outcomes.try_recv().unwrap(), ("late", "7".to_owned()));
    let cancelled = join::spawn("cancelled", |context| -> u32 {
        loop {
            context.checkpoint();
        }
    })
    .unwrap();
    let guard = cancelled.on_outcome(report("cancelled"));
    cancelled.cancel();
    let (name, text) = outcomes.recv_timeout(TIMEOUT).unwrap();
    assert_eq!((name, &*text), ("cancelled", "the task was cancelled"));
    drop(guard);
}

#[test]
fn t34_callback_taken_back_never_runs() {
    let gate = Gate::new();
    let task = gated(&gate, ());
    let ran = Arc::new(AtomicUsize::new(0));
    let count = || {
        let ran = ran.clone();
        move || {
            ran.fetch_add(1, Ordering::SeqCst);
        }
    };
    let (first, second) = (count(), count());
    let first = task.on_outcome(move |_| first());
    let stays = task.any().on_outcome(move |_| second());
    task.on_finish(count());
    drop(first);
    gate.open();
    task.join_timeout(TIMEOUT).unwrap();
    let last = Gate::new();
    task.on_finish({
        let last = last.clone();
        move || last.open()
    });
    last.pass();
    while Arc::strong_count(&ran) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    drop(stays);
}

#[test]
fn t34_panic_that_a_callback_gets_is_seen() {
    let stderr = crate::util::child::stderr_of_child(
        "tasks::untyped::t34_panic_that_a_callback_gets_is_seen",
        || {
            let (send, outcomes) = mpsc::channel();
            let gate = Gate::new();
            let task: Task<()> = join::spawn("panics", {
                let gate = gate.clone();
                move |_| {
                    gate.pass();
                    panic!("only once")
                }
            })
            .unwrap();
            task.on_outcome(move |outcome| send.send(outcome.is_err()).unwrap())
                .keep();
            drop(task);
            gate.open();
            assert!(outcomes.recv_timeout(TIMEOUT).unwrap());
            assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        },
    );
    assert!(stderr.is_none_or(|stderr| !stderr.contains("only once")));
}
