//! Models of code that runs at the end of a task: callbacks and followers. Those of a single follower
//! are in `handles`.

use std::sync::Arc;

use super::super::any_task;
use super::super::current;
use super::super::error::JoinError;
use super::super::promise::Promise;
use super::super::registry;
use super::super::sync::{AtomicBool, AtomicUsize, Ordering};
use super::three_threads;

fn ended<T>(thread: loom::thread::JoinHandle<T>) -> T {
    thread.join().expect("it ends")
}

/// The callback runs once, on the thread that ends the first task or on the one that adds it. Its join
/// comes back.
#[test]
fn callback_added_at_the_end_joins_another_task() {
    three_threads(|| {
        let (promise, first) = Promise::new("first");
        let (other_promise, other) = Promise::new("other");
        let joined = Arc::new(AtomicUsize::new(0));
        let ends_first = loom::thread::spawn(move || promise.send(1).is_ok());
        let ends_other = loom::thread::spawn(move || other_promise.send(2).is_ok());
        first.on_finish({
            let joined = joined.clone();
            move || {
                let value = other.join().copied().expect("sent");
                joined.fetch_add(value, Ordering::Relaxed);
            }
        });
        assert!(ended(ends_first) && ended(ends_other));
        assert_eq!(joined.load(Ordering::Relaxed), 2);
    });
}

/// The value is taken while a callback runs that holds a handle, or before that.
#[test]
fn value_is_taken_once_the_callback_has_run() {
    three_threads(|| {
        let (promise, task) = Promise::new("seven");
        task.on_outcome(|_| ()).keep();
        let sender = loom::thread::spawn(move || promise.send(7).is_ok());
        task.join().expect("sent");
        assert_eq!(task.into_output().expect("the only handle"), 7);
        assert!(ended(sender));
    });
}

/// Two tasks whose callbacks join the other one: both have ended by then.
#[test]
fn callbacks_joining_each_others_task_both_end() {
    three_threads(|| {
        let (promises, tasks): (Vec<_>, Vec<_>) =
            [1, 2].map(|_| Promise::new("task")).into_iter().unzip();
        let joined = Arc::new(AtomicUsize::new(0));
        for (task, other) in [(&tasks[0], &tasks[1]), (&tasks[1], &tasks[0])] {
            let (other, joined) = (other.clone(), joined.clone());
            task.on_finish(move || {
                other.join().expect("sent");
                joined.fetch_add(1, Ordering::Relaxed);
            });
        }
        let senders = promises
            .into_iter()
            .map(|promise| loom::thread::spawn(move || promise.send(()).is_ok()));
        let senders: Vec<_> = senders.collect();
        assert!(senders.into_iter().all(ended));
        assert_eq!(joined.load(Ordering::Relaxed), 2);
    });
}

/// The function runs once, now or at the end, and the joiner gets its value.
#[test]
fn map_of_a_task_that_ends_meanwhile_runs_once() {
    three_threads(|| {
        let (promise, leader) = Promise::owned("leader");
        let calls = Arc::new(AtomicUsize::new(0));
        let sender = loom::thread::spawn(move || promise.send(7).is_ok());
        let mapped = leader.map({
            let calls = calls.clone();
            move |value| {
                calls.fetch_add(1, Ordering::Relaxed);
                value + 1
            }
        });
        let joiner = loom::thread::spawn(move || mapped.join_into().expect("sent"));
        assert!(ended(sender));
        assert_eq!(ended(joiner), 8);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    });
}

/// The last of two followers is cancelled: it or the first one may have begun.
#[test]
fn last_follower_cancelled_while_the_source_ends() {
    three_threads(|| {
        let (promise, leader) = Promise::owned("leader");
        let calls = Arc::new(AtomicUsize::new(0));
        let count = || {
            let calls = calls.clone();
            move |()| {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        let last = leader.map(count()).map(count());
        let sender = loom::thread::spawn(move || promise.send(()).is_ok());
        let header = last.header().clone();
        let canceller = loom::thread::spawn(move || registry::cancel(&header));
        let joined = last.join_into();
        let is_sent = ended(sender);
        ended(canceller);
        match joined {
            Ok(()) => assert!(is_sent && calls.load(Ordering::Relaxed) == 2),
            Err(error) => {
                assert!(matches!(error, JoinError::Cancelled));
                assert!(calls.load(Ordering::Relaxed) < 2);
            }
        }
    });
}

/// A task finds its follower in the list of live tasks as soon as that is there, and joins it.
#[test]
fn join_of_a_follower_that_is_just_made_is_refused() {
    three_threads(|| {
        let (promise, leader) = Promise::owned("leader");
        let leader_id = leader.id();
        let joiner = loom::thread::spawn(move || {
            let current = current::enter(leader_id);
            let live = registry::live_tasks();
            let follower = live.iter().find(|task| task.id != leader_id);
            let joined = follower
                .and_then(|task| any_task::find(task.id))
                .map(|task| task.join());
            drop(current);
            assert!(matches!(
                joined,
                None | Some(Err(JoinError::WouldDeadlock { .. }))
            ));
            promise.send(()).is_ok()
        });
        let ran = Arc::new(AtomicBool::new(false));
        let follower = leader.map({
            let ran = ran.clone();
            move |()| ran.store(true, Ordering::Relaxed)
        });
        follower.join_into().expect("sent");
        assert!(ended(joiner));
        assert!(ran.load(Ordering::Relaxed));
    });
}
