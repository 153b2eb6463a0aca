//! Tasks without a closure: promises, and values that are there already.

use std::cell::Cell;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use meanwhile_join::{
    self as join, Builder, CancelToken, Changes, JoinError, OwnedTask, Placement, Promise, Task,
    TaskState,
};

use crate::util::child::in_child;
use crate::util::gate::{Gate, TIMEOUT};

#[test]
fn promise_sent_value_is_joined() {
    let (promise, task) = Promise::new("fetch");
    assert_eq!((task.name(), task.state()), ("fetch", TaskState::Queued));
    assert_eq!(task.info().placement, Placement::Elsewhere);
    let early = task.join_timeout(Duration::from_millis(1));
    assert!(matches!(early, Err(JoinError::TimedOut)));
    let joiner = join::spawn("joiner", {
        let task: Task<u32> = task.clone();
        move |_| task.join().copied()
    });
    promise.send(7).unwrap();
    assert!(matches!(joiner.unwrap().join().unwrap(), Ok(7)));
    assert_eq!(task.state(), TaskState::Returned);
}

#[test]
fn promise_gives_a_value_away_that_is_not_sync() {
    let (promise, task) = Promise::owned("cell");
    promise.send(Cell::new(7)).unwrap();
    assert_eq!(task.join_into().unwrap().get(), 7);
}

#[test]
fn t29_promise_without_a_value_cancels_its_task() {
    let (promise, task) = Promise::<u32>::new("fetch");
    let ended = Gate::new();
    task.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    drop(promise);
    ended.pass();
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    assert!(!task.is_cancel_requested());
    assert!(join::live_tasks().iter().all(|live| live.id != task.id()));
}

#[test]
fn t29_promise_of_a_cancelled_task_returns_value() {
    let (promise, task) = Promise::new("fetch");
    assert!(!promise.is_cancelled());
    assert!(
        join::live_tasks()
            .iter()
            .any(|live| live.id == promise.task_id())
    );
    task.cancel();
    assert!(matches!(task.poll(), Some(Err(JoinError::Cancelled))));
    assert!(promise.is_cancelled());
    assert_eq!(promise.send("too late"), Err("too late"));
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn promise_racing_a_cancel_ends_once() {
    for _ in 0..2_000 {
        let (promise, task) = Promise::owned("raced");
        let start = Gate::new();
        let sender = join::spawn_owned("sender", {
            let start = start.clone();
            move |_| {
                start.pass();
                promise.send(7).is_ok()
            }
        });
        start.open();
        task.cancel();
        let was_sent = sender.unwrap().join_into().unwrap();
        assert_eq!(task.join_into().is_ok(), was_sent);
    }
}

#[test]
fn promise_reports_progress_and_its_end_to_a_window() {
    let (wake, woken) = std::sync::mpsc::channel();
    let changes = Changes::new(move || wake.send(()).unwrap());
    let (promise, task) = Builder::new("fetch").report_to(&changes).promise();
    promise.set_progress(1, 2);
    woken.recv_timeout(TIMEOUT).unwrap();
    assert_eq!(changes.take(9), [task.id()]);
    assert_eq!((task.progress().done, task.progress().total), (1, 2));
    promise.send(()).unwrap();
    woken.recv_timeout(TIMEOUT).unwrap();
    assert_eq!(changes.take(9), [task.id()]);
    assert!(task.is_finished());
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn promise_is_awaited_by_shutdown_unless_a_daemon() {
    in_child(
        "tasks::promises::promise_is_awaited_by_shutdown_unless_a_daemon",
        || {
            let daemon = Builder::new("daemon").daemon(true).promise::<()>();
            let (promise, task) = Promise::<()>::new("awaited");
            let report = join::shutdown_timeout(Duration::from_millis(1));
            let remaining: Vec<_> = report.remaining.iter().map(|task| task.id).collect();
            assert_eq!(remaining, [task.id()]);
            promise.send(()).unwrap();
            assert!(join::shutdown_timeout(TIMEOUT).is_complete());
            drop(daemon);
        },
    );
}

#[test]
fn ready_task_has_its_value_at_once() {
    let task = Task::ready("cached");
    assert!(matches!(task.poll(), Some(Ok(&"cached"))));
    assert_eq!(task.name(), format!("task-{}", task.id().get()));
    assert!(join::live_tasks().iter().all(|live| live.id != task.id()));
    assert_eq!(task.into_output().unwrap(), "cached");
    let mut owned = OwnedTask::ready(Cell::new(7));
    owned.cancel();
    assert_eq!(owned.try_take().unwrap().unwrap().get(), 7);
    let called = Gate::new();
    owned.on_finish({
        let called = called.clone();
        move || called.open()
    });
    called.pass();
}

#[test]
fn t29_cancel_of_a_promise_runs_its_callback_once() {
    let parent = CancelToken::new();
    let (promise, task) = Builder::new("fetch").cancel_token(&parent).promise::<u32>();
    let (send, calls) = channel();
    let callback = || {
        let (send, task) = (send.clone(), task.clone());
        move || send.send(task.state()).unwrap()
    };
    let guard = promise.on_cancel(callback());
    drop(promise.on_cancel(callback()));
    assert!(calls.try_recv().is_err());
    parent.cancel();
    task.cancel();
    // The task had ended by then.
    assert_eq!(calls.try_iter().collect::<Vec<_>>(), [TaskState::Cancelled]);
    promise.on_cancel(callback()).keep();
    assert_eq!(calls.try_iter().count(), 1);
    drop(guard);
    assert_eq!(promise.send(7), Err(7));
}

#[test]
fn t29_cancel_after_the_value_runs_no_callback() {
    for sends in [true, false] {
        let parent = CancelToken::new();
        let (promise, task) = Builder::new("fetch").cancel_token(&parent).promise();
        let (send, calls) = channel::<()>();
        promise.on_cancel(move || send.send(()).unwrap()).keep();
        if sends {
            promise.send(7).unwrap();
        } else {
            drop(promise);
        }
        parent.cancel();
        assert!(calls.try_recv().is_err());
        // The callback goes with the task.
        drop(task);
        assert_eq!(
            calls.recv_timeout(TIMEOUT),
            Err(RecvTimeoutError::Disconnected)
        );
    }
}

#[test]
fn promise_reports_a_message() {
    let (promise, task) = Promise::<u32>::new("promise");
    promise.set_message("connecting");
    assert_eq!(task.progress().message.as_deref(), Some("connecting"));
    drop(promise);
}
