//! T33: a join inside of a task, which a cancel of that task ends.

use std::sync::mpsc;

use meanwhile_join::{self as join, Cancelled, Context, JoinError, Pool, Task, cancellable};

use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};

/// A task that passes the gate and returns 7.
fn gated(gate: &Gate) -> Task<u32> {
    let gate = gate.clone();
    join::spawn("gated", move |_| {
        gate.pass();
        7
    })
    .unwrap()
}

fn outcome_of(task: &Task<Result<(), JoinError>>) -> &Result<(), JoinError> {
    task.join_timeout(TIMEOUT).unwrap()
}

#[test]
fn t33_join_in_a_task_returns_value_or_error() {
    let gate = Gate::new();
    let (returns, panics) = (
        gated(&gate),
        join::spawn("panics", |_| panic!("no")).unwrap(),
    );
    let cancelled = join::spawn("cancelled", cancellable(|c| c.sleep_until(None))).unwrap();
    let panics: Task<()> = panics;
    let joiner = join::spawn("joiner", move |context| {
        cancelled.cancel();
        gate.open();
        assert_eq!(*context.join(&returns).unwrap().unwrap(), 7);
        let panicked = context.join(&panics).unwrap();
        assert!(matches!(panicked, Err(JoinError::Panicked(_))));
        let cancelled = context.join(&cancelled).unwrap();
        assert!(matches!(cancelled, Err(JoinError::Cancelled)));
    });
    joiner.unwrap().join_timeout(TIMEOUT).unwrap();
}

#[test]
fn t33_cancel_ends_a_join_in_a_task() {
    let gate = Gate::new();
    let _open = OpenOnDrop(gate.clone());
    let awaited = gated(&gate);
    let (send, receive) = mpsc::channel();
    let joiner = join::spawn(
        "joiner",
        cancellable({
            let awaited = awaited.clone();
            move |context| {
                send.send(context.task_id()).unwrap();
                context.join(&awaited)?.map(drop)
            }
        }),
    )
    .unwrap();
    let id = receive.recv_timeout(TIMEOUT).unwrap();
    // It waits, as far as others can see.
    while !join::wait_graph()
        .waits
        .iter()
        .any(|wait| wait.waiter == Some(id))
    {
        std::thread::yield_now();
    }
    joiner.cancel();
    assert!(matches!(
        joiner.join_timeout(TIMEOUT),
        Err(JoinError::Cancelled)
    ));
    assert!(!awaited.is_finished());
}

#[test]
fn t33_join_in_a_cancelled_task_ends_at_once() {
    let (running, cancelled) = (Gate::new(), Gate::new());
    let ended = Task::ready(7);
    let joiner = join::spawn("joiner", {
        let (running, cancelled) = (running.clone(), cancelled.clone());
        move |context| {
            running.open();
            cancelled.pass();
            context.join(&ended).map(drop)
        }
    })
    .unwrap();
    running.pass();
    joiner.cancel();
    cancelled.open();
    assert_eq!(*joiner.join_timeout(TIMEOUT).unwrap(), Err(Cancelled));
}

#[test]
fn t33_join_in_a_task_of_itself_is_refused() {
    let (send, receive) = mpsc::channel::<Task<Result<(), JoinError>>>();
    let task = join::spawn("itself", move |context: &Context| {
        let me = receive.recv_timeout(TIMEOUT).unwrap();
        context.join(&me)?.map(drop_outcome)
    })
    .unwrap();
    send.send(task.clone()).unwrap();
    assert!(matches!(outcome_of(&task), Err(JoinError::CurrentThread)));
}

#[test]
fn t33_join_in_a_task_that_closes_a_cycle_fails() {
    let (send, receive) = mpsc::channel::<Task<Result<(), JoinError>>>();
    let first = join::spawn("first", move |context: &Context| {
        let second = receive.recv_timeout(TIMEOUT).unwrap();
        context.join(&second)?.map(drop_outcome)
    })
    .unwrap();
    let second = join::spawn("second", {
        let first = first.clone();
        move |context: &Context| context.join(&first)?.map(drop_outcome)
    })
    .unwrap();
    send.send(second.clone()).unwrap();
    let outcomes = [outcome_of(&first), outcome_of(&second)];
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(JoinError::WouldDeadlock { .. })));
    assert_eq!(refused.count(), 1, "{outcomes:?}");
}

#[test]
fn t33_join_in_a_task_does_not_starve_its_pool() {
    let pool = Pool::new(1).unwrap();
    let inner_pool = pool.clone();
    let outer = pool.spawn(move |context| {
        let inner = inner_pool.spawn(|_| 7);
        context.join(&inner).map(|joined| joined.copied().ok())
    });
    assert_eq!(*outer.join_timeout(TIMEOUT).unwrap(), Ok(Some(7)));
}

fn drop_outcome(_outcome: &Result<(), JoinError>) {}
