//! Awaiting tasks, on a hand-made executor and on tokio.

use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

#[cfg(unix)]
use meanwhile_join::process;
use meanwhile_join::{self as join, AnyTask, Group, JoinError, OwnedTask, Promise, Task};

use crate::util::gate::{Gate, TIMEOUT};

/// Counts its wakes, and wakes the thread that runs the future.
struct Counter {
    wakes: AtomicUsize,
    thread: std::thread::Thread,
}

impl Counter {
    fn new() -> Arc<Self> {
        let thread = std::thread::current();
        let wakes = AtomicUsize::new(0);
        Arc::new(Self { wakes, thread })
    }

    fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Runs a future on this thread. Returns its output and the number of wakes.
fn block_on<F: Future>(future: F) -> (F::Output, usize) {
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return (output, counter.wakes());
        }
        while counter.wakes() == 0 {
            std::thread::park_timeout(TIMEOUT);
        }
    }
}

fn gated(gate: &Gate) -> Task<u32> {
    let gate = gate.clone();
    let task = join::spawn("gated", move |_| {
        gate.pass();
        7
    });
    task.unwrap()
}

#[test]
fn t28_future_of_an_ended_task_is_ready_at_once() {
    let task = join::spawn("ended", |_| 7).unwrap();
    task.join().unwrap();
    let (value, wakes) = block_on((&task).into_future());
    assert_eq!((*value.unwrap(), wakes), (7, 0));
}

#[test]
fn t28_future_is_woken_once_when_the_task_ends() {
    let gate = Gate::new();
    let task = gated(&gate);
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!((&task).into_future());
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(counter.wakes(), 0);
    let ended = Gate::new();
    task.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    gate.open();
    ended.pass();
    assert_eq!(counter.wakes(), 1);
    assert!(matches!(future.poll(&mut context), Poll::Ready(Ok(7))));
}

#[test]
fn future_polled_with_another_waker_wakes_only_that() {
    let gate = Gate::new();
    let task = gated(&gate);
    let counters = [Counter::new(), Counter::new()];
    let mut future = pin!((&task).into_future());
    for counter in &counters {
        let waker = Waker::from(counter.clone());
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
    }
    let ended = Gate::new();
    task.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    gate.open();
    ended.pass();
    assert_eq!(counters.map(|counter| counter.wakes()), [0, 1]);
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn t28_dropped_futures_leave_nothing_behind() {
    let gate = Gate::new();
    let task = gated(&gate);
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    let mut futures: Vec<_> = (0..1_000).map(|_| (&task).into_future()).collect();
    for future in &mut futures {
        assert!(
            pin!(future)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    assert!(Arc::strong_count(&counter) > 1_000);
    drop(futures);
    // This one and that of the waker.
    assert_eq!(Arc::strong_count(&counter), 2);
    gate.open();
    task.join().unwrap();
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn future_of_an_owned_task_gives_the_value_away() {
    let task = join::spawn_owned("cell", |_| Cell::new(7)).unwrap();
    let (value, _) = block_on(task.into_future());
    assert_eq!(value.unwrap().get(), 7);
    let panics: OwnedTask<()> = join::spawn_owned("panics", |_| panic!("failure")).unwrap();
    let (outcome, _) = block_on(async move { panics.await });
    assert!(matches!(outcome, Err(JoinError::Panicked(_))));
}

#[test]
fn future_of_a_borrowed_handle_keeps_it_joinable() {
    let gate = Gate::new();
    let passed = gate.clone();
    let mut task = join::spawn_owned("gated", move |_| passed.pass()).unwrap();
    let waker = Waker::noop();
    let poll = pin!((&mut task).into_future()).poll(&mut Context::from_waker(waker));
    assert!(poll.is_pending());
    gate.open();
    let (outcome, _) = block_on(async { (&mut task).await });
    outcome.unwrap();
    let (again, _) = block_on(task.into_future());
    assert!(matches!(again, Err(JoinError::Taken)));
}

#[test]
fn future_is_woken_by_the_cancel_of_a_queued_task() {
    let held = super::held_pool::HeldPool::new();
    let task = held.pool.spawn(|_| ());
    let canceller = {
        let task = task.clone();
        join::spawn("canceller", move |_| task.cancel()).unwrap()
    };
    let (outcome, _) = block_on((&task).into_future());
    assert!(matches!(outcome, Err(JoinError::Cancelled)));
    canceller.join().unwrap();
    held.release();
}

/// Panics when it is woken.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("an executor that fails");
    }
}

#[test]
fn future_whose_waker_panics_does_not_hide_the_end() {
    let gate = Gate::new();
    let task = gated(&gate);
    let waker = Waker::from(Arc::new(Panics));
    let mut future = pin!((&task).into_future());
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let ended = Gate::new();
    task.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    gate.open();
    ended.pass();
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), 7);
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn futures_run_on_tokio_by_the_thousand() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let pool = join::Pool::new(2).unwrap();
    let sum = runtime.block_on(async {
        let awaited: Vec<_> = (0..2_000_u64)
            .map(|n| {
                let task = pool.spawn_owned(move |_| n);
                tokio::spawn(async move { task.await.unwrap() })
            })
            .collect();
        let mut sum = 0;
        for value in awaited {
            sum += value.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 1_999_000);
}

/// The time in which this many futures of one task are dropped.
fn dropping_time(count: usize) -> Duration {
    let (promise, task) = Promise::<u32>::new("promise");
    let mut context = Context::from_waker(Waker::noop());
    let mut futures: Vec<_> = (0..count).map(|_| (&task).into_future()).collect();
    for future in &mut futures {
        assert!(pin!(future).poll(&mut context).is_pending());
    }
    let start = Instant::now();
    drop(futures);
    let time = start.elapsed();
    drop(promise);
    time
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn futures_of_one_task_drop_in_the_same_time_each() {
    let ratio = || {
        let few = dropping_time(1_000).as_secs_f64();
        dropping_time(20_000).as_secs_f64() / few
    };
    // 20 if each takes the same time, 400 if each looks at all others.
    assert!((0..20).any(|_| ratio() < 80.0));
}

#[test]
fn t28_untyped_handle_is_awaited() {
    let gate = Gate::new();
    let task = gated(&gate).any();
    gate.open();
    assert!(matches!(block_on((&task).into_future()).0, Ok(())));
    let panics = join::spawn("panics", |_| -> u32 { panic!("on purpose") });
    let panics = panics.unwrap().any();
    let output = block_on((&panics).into_future()).0;
    assert!(matches!(output, Err(JoinError::Panicked(_))), "{output:?}");
}

/// A group of the tasks of two promises.
fn group_of_two() -> ([Promise<u32>; 2], Group<u32>) {
    let mut group = Group::new();
    let promises = ["first", "second"].map(|name| {
        let (promise, task) = Promise::owned(name);
        group.add(task);
        promise
    });
    (promises, group)
}

#[test]
fn t28_awaited_group_gives_values_as_tasks_end() {
    let ([first, second], mut group) = group_of_two();
    let sender = join::spawn("sender", move |_| {
        second.send(2).unwrap();
        first.send(1).unwrap();
    });
    let mut values = Vec::new();
    let mut next = || {
        block_on(group.next_ended())
            .0
            .map(|(_, value)| value.unwrap())
    };
    while let Some(value) = next() {
        values.push(value);
    }
    assert_eq!(values, [2, 1]);
    assert_eq!(block_on(group.next_ended()).1, 0, "an empty group");
    sender.unwrap().join().unwrap();
}

#[test]
fn awaited_group_is_woken_once_by_the_next_end() {
    let ([first, second], mut group) = group_of_two();
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(group.next_ended());
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(counter.wakes(), 0);
    first.send(1).unwrap();
    second.send(2).unwrap();
    assert_eq!(counter.wakes(), 1);
    for value in [1, 2] {
        let poll = future.as_mut().poll(&mut context);
        assert!(matches!(poll, Poll::Ready(Some((_, Ok(sent)))) if sent == value));
    }
    assert!(matches!(future.poll(&mut context), Poll::Ready(None)));
}

#[test]
fn t28_awaited_group_polled_again_wakes_the_last() {
    let ([first, _second], mut group) = group_of_two();
    let counters = [Counter::new(), Counter::new(), Counter::new()];
    let mut future = pin!(group.next_ended());
    for counter in &counters {
        let waker = Waker::from(counter.clone());
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
    }
    first.send(1).unwrap();
    assert_eq!(counters.map(|counter| counter.wakes()), [0, 0, 1]);
}

#[test]
fn t28_dropped_await_of_a_group_leaves_nothing() {
    let ([first, _second], mut group) = group_of_two();
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    for _ in 0..3 {
        let poll = pin!(group.next_ended()).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
    }
    // This one and that of the waker.
    assert_eq!(Arc::strong_count(&counter), 2);
    first.send(1).unwrap();
    assert_eq!(counter.wakes(), 0);
    let (next, _) = block_on(group.next_ended());
    assert!(matches!(next, Some((_, Ok(1)))));
    assert_eq!(group.len(), 1);
}

/// A group whose only task was removed because it joined itself, and that task. It ends when the gate is
/// open.
fn group_with_a_removed_task(gate: &Gate) -> (Group<u32>, AnyTask) {
    let gate = gate.clone();
    let (send_handle, handles) = std::sync::mpsc::channel();
    let (send, groups) = std::sync::mpsc::channel();
    let joiner = join::spawn_owned("joins itself", move |_| {
        let own: OwnedTask<u32> = handles.recv_timeout(TIMEOUT).unwrap();
        let removed = own.any();
        let mut group = Group::new();
        group.add(own);
        let joined = group.join_next();
        assert!(matches!(joined, Some((_, Err(JoinError::CurrentThread)))));
        send.send((group, removed)).unwrap();
        gate.pass();
        1
    });
    send_handle.send(joiner.unwrap()).unwrap();
    groups.recv_timeout(TIMEOUT).unwrap()
}

#[test]
fn awaited_group_waits_on_after_the_end_of_another() {
    let gate = Gate::new();
    let (mut group, removed) = group_with_a_removed_task(&gate);
    let (promise, task) = Promise::owned("promise");
    group.add(task);
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(group.next_ended());
    assert!(future.as_mut().poll(&mut context).is_pending());
    gate.open();
    removed.join_timeout(TIMEOUT).unwrap();
    while counter.wakes() == 0 {
        std::thread::park_timeout(TIMEOUT);
    }
    assert!(future.as_mut().poll(&mut context).is_pending());
    promise.send(7).unwrap();
    assert_eq!(counter.wakes(), 2);
    let next = future.poll(&mut context);
    assert!(matches!(next, Poll::Ready(Some((_, Ok(7))))));
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn awaited_group_runs_on_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let pool = join::Pool::new(2).unwrap();
    let mut group = Group::new();
    for n in 0..100_u64 {
        group.spawn_on(&pool, move |_| Cell::new(n));
    }
    let sum = runtime.block_on(runtime.spawn(async move {
        let mut sum = 0;
        while let Some((_, value)) = group.next_ended().await {
            sum += value.unwrap().get();
        }
        sum
    }));
    assert_eq!(sum.unwrap(), 4_950);
}

#[cfg(unix)]
#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn p1_process_is_awaited() {
    let shell = process::Builder::new("sh").args(["-c", "read line; exit 4"]);
    let shell = shell.stdin_piped().spawn().unwrap();
    let mut dropped = Box::pin((&shell).into_future());
    let counter = Counter::new();
    let waker = Waker::from(counter.clone());
    let mut unwoken = Context::from_waker(&waker);
    assert!(dropped.as_mut().poll(&mut unwoken).is_pending());
    drop((dropped, waker));
    assert_eq!(Arc::strong_count(&counter), 1, "its waker is kept");
    drop(shell.take_stdin());
    let ended = process::Exit::Code(4);
    assert_eq!(block_on((&shell).into_future()).0.unwrap(), ended);
    // At once now.
    assert_eq!(block_on((&shell).into_future()).1, 0);
}
