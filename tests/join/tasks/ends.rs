//! T9: the promises of the wait graph hold in code that runs at the end of a task, too.

use std::future::IntoFuture as _;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};

use meanwhile_join::{
    self as join, AnyTask, Builder, Changes, Group, JoinError, OwnedTask, Pool, Promise, Select,
    Task, WaitUntil,
};

use crate::util::gate::TIMEOUT;

/// Runs `code` in the way that `at_end` does, on a pool of one. Returns its result.
#[track_caller]
fn at_end<T: Send + 'static>(
    start: impl FnOnce(&Pool, Box<dyn FnOnce() + Send>),
    code: impl FnOnce(&Pool) -> T + Send + 'static,
) -> T {
    let pool = Pool::new(1).unwrap();
    let (send, receive) = channel();
    let own = pool.clone();
    start(&pool, Box::new(move || send.send(code(&own)).unwrap()));
    receive.recv_timeout(TIMEOUT).expect("the pool starves")
}

/// Has a task of the pool end after `code` was added to it.
fn callback(pool: &Pool, code: Box<dyn FnOnce() + Send>) {
    let (end, may_end) = channel();
    let task = pool.spawn(move |_| may_end.recv_timeout(TIMEOUT));
    task.on_finish(code);
    end.send(()).unwrap();
}

fn map(pool: &Pool, code: Box<dyn FnOnce() + Send>) {
    let (end, may_end) = channel();
    let task = pool.spawn_owned(move |_| may_end.recv_timeout(TIMEOUT));
    drop(task.map(|_| code()));
    end.send(()).unwrap();
}

fn sent_map(pool: &Pool, code: Box<dyn FnOnce() + Send>) {
    let (promise, task) = Promise::owned("promise");
    drop(task.map(|()| code()));
    pool.spawn(move |_| promise.send(()).is_ok());
}

type Once = Mutex<Option<Box<dyn FnOnce() + Send>>>;

struct Code(Once);

impl Wake for Code {
    fn wake(self: Arc<Self>) {
        let code = self.0.lock().unwrap().take();
        if let Some(code) = code {
            code();
        }
    }
}

fn waker(pool: &Pool, code: Box<dyn FnOnce() + Send>) {
    let (end, may_end) = channel();
    let (done, is_done) = channel();
    let task = pool.spawn(move |_| may_end.recv_timeout(TIMEOUT).is_ok());
    let code: Box<dyn FnOnce() + Send> = Box::new(move || {
        code();
        done.send(()).unwrap();
    });
    let waker = Waker::from(Arc::new(Code(Mutex::new(Some(code)))));
    let mut future = (&task).into_future();
    let polled = Future::poll(Pin::new(&mut future), &mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    end.send(()).unwrap();
    // A future that is dropped before takes its waker back.
    is_done.recv_timeout(TIMEOUT).expect("the pool starves");
}

fn changes(pool: &Pool, code: Box<dyn FnOnce() + Send>) {
    let code: Once = Mutex::new(Some(code));
    let (done, is_done) = channel();
    let changes = Changes::new(move || {
        let code = code.lock().unwrap().take();
        if let Some(code) = code {
            code();
        }
        done.send(()).ok();
    });
    let task = Builder::new("").report_to(&changes);
    drop(task.spawn_on(pool, |_| ()).unwrap());
    // A task does not keep the queue alive.
    is_done.recv_timeout(TIMEOUT).expect("the pool starves");
}

/// All kinds of waits for a task that is queued behind the caller.
fn waits(pool: &Pool) {
    let queued = pool.spawn(|_| 1);
    Select::new().task(&queued).wait().unwrap();
    let queued = pool.spawn(|_| 1);
    drop(join::wait(&[queued], WaitUntil::First));
    let tasks = (0..3).map(|n| pool.spawn(move |_| n)).collect();
    assert_eq!(join::as_completed(tasks).count(), 3);
    let mut group = Group::new();
    group.spawn_on(pool, |_| 1);
    group.join_next().unwrap().1.unwrap();
    let queued = pool.spawn(|_| 1);
    assert_eq!(queued.join_timeout(TIMEOUT).unwrap(), &1);
    let queued = pool.spawn(|_| 1);
    let between = join::spawn("between", move |_| queued.join().copied()).unwrap();
    Select::new().task(&between).wait().unwrap();
}

#[test]
fn pool_of_one_callback_waits_ends() {
    at_end(callback, waits);
}

#[test]
fn pool_of_one_map_waits_ends() {
    at_end(map, waits);
}

#[test]
fn pool_of_one_map_of_a_promise_waits_ends() {
    at_end(sent_map, waits);
}

#[test]
fn pool_of_one_waker_waits_ends() {
    at_end(waker, waits);
}

#[test]
fn pool_of_one_wake_of_changes_waits_ends() {
    at_end(changes, waits);
}

#[test]
fn pool_of_two_both_in_map_ends() {
    let pool = Pool::new(2).unwrap();
    let both = Arc::new(std::sync::Barrier::new(2));
    let (send, receive) = channel();
    for _ in 0..2 {
        let (own, send, both) = (pool.clone(), send.clone(), both.clone());
        map(
            &pool,
            Box::new(move || {
                both.wait();
                waits(&own);
                send.send(()).unwrap();
            }),
        );
    }
    for _ in 0..2 {
        receive.recv_timeout(TIMEOUT).expect("the pool starves");
    }
}

/// A handle that is given to a task after the task was spawned.
type Later<T> = Arc<OnceLock<Task<T>>>;

fn started_later(
    f: impl FnOnce(Task<Vec<join::TaskId>>) -> Vec<join::TaskId> + Send + 'static,
) -> Task<Vec<join::TaskId>> {
    let own: Later<_> = Arc::default();
    let (begin, may_begin): (Sender<()>, _) = channel();
    let task = join::spawn("a", {
        let own = own.clone();
        move |_| {
            may_begin.recv_timeout(TIMEOUT).unwrap();
            f(own.get().unwrap().clone())
        }
    })
    .unwrap();
    own.set(task.clone()).ok().unwrap();
    begin.send(()).unwrap();
    task
}

fn cycle<T>(outcome: Result<T, JoinError>) -> Vec<join::TaskId> {
    match outcome {
        Err(JoinError::WouldDeadlock { cycle }) => cycle,
        _ => Vec::new(),
    }
}

/// The task has ended, so the wait of its callback is none of its own.
#[test]
fn wait_of_a_callback_is_shown_without_a_task() {
    let pool = Pool::new(1).unwrap();
    // The first wait of a program is counted from zero.
    for _ in 0..2 {
        let (promise, awaited) = Promise::new("awaited");
        let id = awaited.id();
        let (send, ended) = channel();
        callback(
            &pool,
            Box::new(move || send.send(awaited.join().is_ok()).unwrap()),
        );
        let shown = loop {
            let waits = join::wait_graph().waits;
            if let Some(wait) = waits.into_iter().find(|wait| wait.targets == [id]) {
                break wait;
            }
            std::thread::yield_now();
        };
        assert_eq!(shown.waiter, None);
        promise.send(()).unwrap();
        assert!(ended.recv_timeout(TIMEOUT).unwrap());
    }
}

#[test]
fn join_of_the_own_task_in_map_is_refused() {
    let a = started_later(|a| {
        let mapped = OwnedTask::ready(1).map(move |_| cycle(a.join()));
        mapped.join_into().unwrap()
    });
    let cycle = a.join_timeout(TIMEOUT).expect("it waits for ever");
    assert_eq!(cycle.len(), 2);
    assert!(cycle.contains(&a.id()));
}

#[test]
fn cycle_through_a_map_closure_is_refused() {
    let a = started_later(|a| {
        let mapped = OwnedTask::ready(1).map(move |_| {
            let x = join::spawn("x", move |_| cycle(a.join())).unwrap();
            let inner = cycle(x.join());
            [inner, x.join().cloned().unwrap_or_default()].concat()
        });
        mapped.join_into().unwrap()
    });
    let cycle = a.join_timeout(TIMEOUT).expect("it waits for ever");
    assert_eq!(cycle.len(), 3);
    assert!(cycle.contains(&a.id()));
}

/// As many as overflow a stack if they run inside each other.
const LONG: usize = 20_000;

#[test]
fn chain_of_and_then_of_itself_needs_no_stack() {
    fn tick(pool: Pool, left: usize) -> OwnedTask<usize> {
        let task = pool.spawn_owned(move |_| left);
        task.and_then(move |left| match left {
            0 => OwnedTask::ready(0),
            left => tick(pool, left - 1),
        })
    }
    let pool = Pool::new(1).unwrap();
    assert_eq!(tick(pool, LONG).join_into().unwrap(), 0);
}

fn chain() -> (Promise<usize>, OwnedTask<usize>) {
    let (promise, mut task) = Promise::owned("first");
    for _ in 0..LONG {
        task = task.map(|count| count + 1);
    }
    (promise, task)
}

#[test]
fn chain_of_maps_sent_needs_no_stack() {
    let (promise, task) = chain();
    promise.send(0).unwrap();
    assert_eq!(task.join_into().unwrap(), LONG);
}

#[test]
fn chain_of_maps_cancelled_needs_no_stack() {
    let (promise, task) = chain();
    task.cancel();
    assert!(promise.is_cancelled());
    assert!(matches!(task.join_into(), Err(JoinError::Cancelled)));
}

#[test]
fn chain_of_callbacks_needs_no_stack() {
    let (first, mut last) = Promise::new("first");
    for _ in 0..LONG {
        let (promise, task) = Promise::new("next");
        last.on_finish(move || promise.send(()).unwrap());
        last = task;
    }
    first.send(()).unwrap();
    assert!(last.is_finished());
}

#[test]
fn chain_of_tokens_needs_no_stack() {
    let tokens: Vec<_> = (0..LONG).map(|_| join::CancelToken::new()).collect();
    for pair in tokens.windows(2) {
        let next = pair[1].clone();
        pair[0].on_cancel(move || next.cancel()).keep();
    }
    tokens[0].cancel();
    assert!(tokens[LONG - 1].is_cancelled());
}

/// Has code at the end of a task join a follower of that, whose function runs later on the same thread.
/// `start` returns the task, and what must be kept.
fn joins_later_follower<K>(
    start: impl FnOnce(Box<dyn FnOnce() + Send>) -> (Promise<u32>, OwnedTask<u32>, K),
) {
    let (send, receive) = channel::<join::AnyTask>();
    let (report, reported) = channel();
    let (promise, first, _kept) = start(Box::new(move || {
        let follower = receive.recv_timeout(TIMEOUT).unwrap();
        report.send(follower.join()).unwrap();
    }));
    let follower = first.map(|n| n + 1);
    send.send(follower.any()).unwrap();
    let sender = join::spawn("sender", move |_| promise.send(1)).unwrap();
    let joined = reported.recv_timeout(TIMEOUT).expect("it waits for ever");
    joined.unwrap();
    assert_eq!(follower.join_into().unwrap(), 2);
    sender.join().unwrap().unwrap();
}

#[test]
fn callback_joining_a_later_follower_ends() {
    joins_later_follower(|code| {
        let (promise, task) = Promise::owned("first");
        task.on_finish(code);
        (promise, task, ())
    });
}

#[test]
fn wake_of_changes_joining_a_follower_ends() {
    joins_later_follower(|code| {
        let code: Once = Mutex::new(Some(code));
        let changes = Changes::new(move || {
            let code = code.lock().unwrap().take();
            if let Some(code) = code {
                code();
            }
        });
        let (promise, task) = Builder::new("first").report_to(&changes).promise_owned();
        (promise, task, changes)
    });
}

#[test]
fn token_callback_joining_what_a_later_one_ends() {
    let token = join::CancelToken::new();
    let (promise, task) = Promise::new("ends later");
    let (report, reported) = channel();
    let first = move || report.send(task.join().copied()).unwrap();
    token.on_cancel(first).keep();
    token.on_cancel(move || promise.send(7).unwrap()).keep();
    let canceller = join::spawn("canceller", move |_| token.cancel()).unwrap();
    let joined = reported.recv_timeout(TIMEOUT).expect("it waits for ever");
    assert_eq!(joined.unwrap(), 7);
    canceller.join().unwrap();
}

#[test]
fn wait_deep_in_callbacks_runs_what_it_is_for() {
    fn level(left: usize) -> usize {
        let (promise, task) = Promise::owned("level");
        let mapped = task.map(move |()| if left == 0 { 0 } else { level(left - 1) + 1 });
        promise.send(()).unwrap();
        mapped.join_into().unwrap()
    }
    assert_eq!(level(40), 40);
}

#[test]
fn chain_of_late_callbacks_needs_no_stack() {
    fn level(left: usize, done: Sender<()>) {
        OwnedTask::ready(()).on_finish(move || match left {
            0 => done.send(()).unwrap(),
            left => level(left - 1, done),
        });
    }
    let (send, receive) = channel();
    level(LONG, send);
    receive.try_recv().expect("all have run");
}

#[test]
fn chain_of_late_token_callbacks_needs_no_stack() {
    fn level(token: &join::CancelToken, left: usize, done: Sender<()>) {
        let next = token.clone();
        let callback = move || match left {
            0 => done.send(()).unwrap(),
            left => level(&next, left - 1, done),
        };
        token.on_cancel(callback).keep();
    }
    let token = join::CancelToken::new();
    token.cancel();
    let (send, receive) = channel();
    level(&token, LONG, send);
    receive.try_recv().expect("all have run");
}

#[test]
fn callback_joining_what_a_cancel_ends_comes_back() {
    let (_promise, leader) = Promise::<i32>::owned("leader");
    let target: Arc<OnceLock<AnyTask>> = Arc::default();
    let (report, reported) = channel();
    leader.on_finish({
        let target = target.clone();
        move || report.send(target.get().unwrap().join()).unwrap()
    });
    let follower = leader.map(|number| number + 1);
    let cancelled = AnyTask::from(&follower);
    let last = follower.map(|number| number + 1);
    target.set(AnyTask::from(&last)).unwrap();
    let _canceller = join::spawn("canceller", move |_| cancelled.cancel()).unwrap();
    let joined = reported.recv_timeout(TIMEOUT).unwrap();
    assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
}
