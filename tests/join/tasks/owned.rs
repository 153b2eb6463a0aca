//! Tasks whose value is moved out: by an owned handle, or by the last shared one.

use std::cell::Cell;
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

use meanwhile_join::{self as join, Builder, JoinError, OwnedTask, Pool, TaskState};

use super::held_pool::HeldPool;
use crate::util::child::stderr_of_child;
use crate::util::gate::{Gate, TIMEOUT};

/// A task that returns `value` once the gate is open.
fn gated<T: Send + 'static>(gate: &Gate, value: T) -> OwnedTask<T> {
    let gate = gate.clone();
    join::spawn_owned("gated", move |_| {
        gate.pass();
        value
    })
    .unwrap()
}

/// Blocks until the callbacks of the task run.
fn wait_for_end<T>(task: &OwnedTask<T>) {
    let ended = Gate::new();
    task.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    ended.pass();
}

#[test]
fn t26_owned_value_that_is_not_sync_is_moved_out() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let receiver = join::spawn_owned("receiver", |_| mpsc::channel::<u8>().1).unwrap();
    let cell = Builder::new("cell").spawn_owned_on(&pool, |_| Cell::new(7));
    assert!(receiver.join_into().unwrap().try_recv().is_err());
    assert_eq!(cell.unwrap().join_into().unwrap().get(), 7);
}

#[test]
fn owned_result_is_joined_with_two_question_marks() {
    fn number(text: &'static str) -> Result<u32, Box<dyn Error + Send + Sync>> {
        let task = join::spawn_owned("parse", move |_| text.parse::<u32>())?;
        Ok(task.join_into()??)
    }
    assert_eq!(number("42").unwrap(), 42);
    assert!(number("x").unwrap_err().is::<std::num::ParseIntError>());
}

#[test]
fn t26_owned_timed_join_gives_the_handle_back() {
    let gate = Gate::new();
    let task = gated(&gate, ());
    let id = task.id();
    let task = task.join_timeout_into(Duration::from_millis(1));
    let task = task.unwrap_err();
    assert_eq!(task.id(), id);
    gate.open();
    task.join_timeout_into(TIMEOUT).unwrap().unwrap();
}

#[test]
fn owned_outcome_is_taken_once() {
    let gate = Gate::new();
    let mut task = gated(&gate, 7);
    assert!(task.try_take().is_none());
    gate.open();
    wait_for_end(&task);
    assert_eq!(task.try_take().unwrap().unwrap(), 7);
    assert!(task.try_take().is_none());
    assert_eq!(task.state(), TaskState::Returned);
    assert!(matches!(task.join_into(), Err(JoinError::Taken)));
}

#[test]
fn owned_panic_is_taken_once() {
    let mut task: OwnedTask<()> = join::spawn_owned("panics", |_| panic!("no connection")).unwrap();
    wait_for_end(&task);
    let error = task.try_take().unwrap().unwrap_err();
    assert!(error.to_string().contains("no connection"), "{error}");
    assert!(task.try_take().is_none());
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn t26_owned_panic_never_taken_is_printed_once() {
    let name = "tasks::owned::t26_owned_panic_never_taken_is_printed_once";
    let stderr = stderr_of_child(name, || {
        let gate = Gate::new();
        let panicking = |message: &'static str| -> OwnedTask<()> {
            let gate = gate.clone();
            let task = join::spawn_owned("save", move |_| {
                gate.pass();
                panic!("{message}")
            });
            task.unwrap()
        };
        drop(panicking("the disk is full"));
        let [kept, taken] = ["the disk is gone", "the disk is slow"].map(panicking);
        gate.open();
        assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        drop(kept);
        taken.join_into().unwrap_err();
    });
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches("the disk is full").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("the disk is gone").count(), 1, "{stderr}");
    assert!(!stderr.contains("the disk is slow"), "{stderr}");
}

#[test]
fn owned_cancel_while_queued_never_runs() {
    let held = HeldPool::new();
    let (dropped, receive) = mpsc::channel::<()>();
    let task = Builder::new("queued")
        .spawn_owned_on(&held.pool, move |_| dropped)
        .unwrap();
    assert_eq!(task.state(), TaskState::Queued);
    task.cancel();
    assert!(task.is_cancel_requested());
    assert!(matches!(task.join_into(), Err(JoinError::Cancelled)));
    assert_eq!(receive.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    held.release();
}

#[test]
fn owned_joins_on_the_own_pool_do_not_starve() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let inner_pool = pool.clone();
    let outer = Builder::new("outer").spawn_owned_on(&pool, move |_| {
        let [joined, timed] = [1, 2].map(|n| {
            let inner = Builder::new("inner").spawn_owned_on(&inner_pool, move |_| Cell::new(n));
            inner.unwrap()
        });
        let joined = joined.join_into().unwrap().get();
        joined + timed.join_timeout_into(TIMEOUT).unwrap().unwrap().get()
    });
    assert_eq!(
        outer.unwrap().join_timeout_into(TIMEOUT).unwrap().unwrap(),
        3
    );
}

/// Says on a channel that it was dropped, and panics then.
struct SaysDrop(mpsc::Sender<()>);

impl Drop for SaysDrop {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
        panic!("a destructor that panics");
    }
}

#[test]
fn owned_value_that_is_not_taken_is_dropped_once() {
    let (send, receive) = mpsc::channel();
    let gate = Gate::new();
    drop(gated(&gate, SaysDrop(send.clone())));
    let kept = gated(&gate, SaysDrop(send));
    gate.open();
    receive.recv_timeout(TIMEOUT).unwrap();
    wait_for_end(&kept);
    assert!(receive.try_recv().is_err());
    drop(kept);
    receive.recv_timeout(TIMEOUT).unwrap();
    // The closures are dropped with their senders, and nothing more is sent.
    assert_eq!(
        receive.recv_timeout(TIMEOUT),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}
