//! Pools whose spare threads the system refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::any_task::AnyTask;
use super::as_completed::{CompletionError, as_completed};
use super::builder::spawn;
use super::error::JoinError;
use super::graph::{self, Intent, Need, wait_graph};
use super::header::Header;
use super::id::TaskId;
use super::info::Placement;
use super::pool::Pool;
use super::priority::Priority;
use super::promise::Promise;
use super::scope::scope;
use super::select::{Select, SelectError};
use super::targets::Targets;
use super::task::Task;
use super::token::CancelToken;
use super::wait_many::{WaitOutcome, WaitUntil, wait, wait_timeout};
use super::workers::{MAX_DEPTH, refusals};

/// As many as overflow a stack if they run inside each other.
const LONG: usize = 2_000;

/// Has each of many tasks wait for the first of new ones, of which `is_refused` does one wait, in a pool whose
/// spare threads the system refuses. Returns how many waits were refused.
fn refused_waits(is_refused: fn(Vec<Task<()>>) -> bool) -> usize {
    fn level(
        pool: &Pool,
        left: usize,
        is_refused: fn(Vec<Task<()>>) -> bool,
        refused: &Arc<AtomicUsize>,
    ) {
        if left == 0 {
            return;
        }
        let next = pool.spawn({
            let (pool, refused) = (pool.clone(), refused.clone());
            move |_| level(&pool, left - 1, is_refused, &refused)
        });
        let other = pool.spawn(|_| ());
        if is_refused(vec![next, other]) {
            refused.fetch_add(1, Ordering::Relaxed);
        }
    }
    let pool = pool_without_spares();
    let refused = Arc::default();
    pool.spawn({
        let (pool, refused) = (pool.clone(), Arc::clone(&refused));
        move |_| level(&pool, LONG, is_refused, &refused)
    });
    let idle = pool.wait_until_idle_timeout(Duration::from_secs(60));
    idle.expect("no wait hangs");
    refused.load(Ordering::Relaxed)
}

/// Without spare threads each worker runs what its waits need up to a depth.
#[track_caller]
fn assert_depth_is_bounded(refused: usize) {
    assert!(refused > 0, "no thread was refused");
    assert!(refused <= LONG / MAX_DEPTH, "{refused} refused");
}

#[test]
fn first_without_a_spare_thread_is_refused() {
    assert_depth_is_bounded(refused_waits(|tasks| {
        wait(&tasks, WaitUntil::First).end == WaitOutcome::NoThread
    }));
}

#[test]
fn select_without_a_spare_thread_is_refused() {
    assert_depth_is_bounded(refused_waits(|tasks| {
        let waited = Select::new().task(&tasks[0]).task(&tasks[1]).wait();
        waited == Err(SelectError::NoThread)
    }));
}

#[test]
fn select_of_channels_without_a_spare_is_refused() {
    assert_depth_is_bounded(refused_waits(|tasks| {
        let (_send, never) = crossbeam_channel::bounded::<()>(0);
        let select = Select::new().receiver(&never);
        let waited = select.task(&tasks[0]).task(&tasks[1]).wait();
        waited == Err(SelectError::NoThread)
    }));
}

#[test]
fn select_with_a_token_is_refused_without_a_spare() {
    assert_depth_is_bounded(refused_waits(|tasks| {
        let token = CancelToken::new();
        let both = Select::new().task(&tasks[0]).task(&tasks[1]);
        both.token(&token).wait() == Err(SelectError::NoThread)
    }));
}

#[test]
fn as_completed_without_a_spare_is_refused() {
    assert_depth_is_bounded(refused_waits(|tasks| {
        let first = as_completed(tasks).next();
        matches!(first, Some(Err(CompletionError::NoThread)))
    }));
}

/// A pool of one thread whose spare threads the system refuses.
fn pool_without_spares() -> Pool {
    let pool = Pool::builder().threads(1).priority(Priority::Normal);
    let pool = pool.build().expect("the system grants a thread");
    let Placement::Pool(id) = pool.placement() else {
        unreachable!("the tasks of a pool are placed there")
    };
    refusals::begin(id);
    pool
}

/// Longer than any of these waits takes.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Joins a task, and says when the graph has let the wait park.
fn join_and_say(target: &Arc<Header>, parks: &SyncSender<()>) {
    let wait = graph::global().enter(Intent {
        targets: Targets::One(target.clone()),
        need: Need::All,
        deadline: None,
    });
    assert!(wait.begin().is_ok(), "it can end");
    parks.send(()).expect("it is received");
    target.park(None, || wait.is_broken());
}

/// Waits until it is said that a wait parks.
fn await_wait(parks: Receiver<()>) {
    parks.into_iter().next().expect("the graph lets it park");
}

/// Whether the graph has a wait of this task.
fn is_in_graph(task: TaskId) -> bool {
    let waits = wait_graph().waits;
    waits.iter().any(|wait| wait.waiter == Some(task))
}

/// Runs `last` inside of so many tasks that wait for each other.
fn nested(pool: &Pool, depth: usize, last: Box<dyn FnOnce() -> bool + Send>) -> Task<bool> {
    let inner = pool.clone();
    pool.spawn(move |_| match depth.checked_sub(1) {
        Some(depth) => nested(&inner, depth, last).join().is_ok_and(|it| *it),
        None => last(),
    })
}

#[test]
fn scope_end_without_a_spare_has_another_wait_refused() {
    let pool = pool_without_spares();
    let last = {
        let pool = pool.clone();
        move || {
            scope(|scope| {
                let queued = pool.spawn(|_| ());
                // It waits when nothing is short of a thread yet, and the end of the scope can't be refused.
                let joiner = scope.spawn("joiner", move |_| queued.join().err());
                let joiner = joiner.expect("a thread");
                while !is_in_graph(joiner.id()) {
                    std::thread::yield_now();
                }
                joiner
            })
            .join_into()
            .is_ok_and(|refusal| matches!(refusal, Some(JoinError::NoThread)))
        }
    };
    let outer = nested(&pool, MAX_DEPTH, Box::new(last));
    let is_refused = outer.join_timeout(TIMEOUT).expect("the scope ends");
    assert!(*is_refused, "the join of the scope's task is refused");
}

#[test]
fn join_of_the_task_around_it_closes_a_cycle() {
    let pool = pool_without_spares();
    let (hold, held) = sync_channel::<()>(0);
    let other = spawn("other", move |_| held.into_iter().next().is_none()).expect("a thread");
    let (send_outer, outer) = sync_channel::<Task<bool>>(1);
    let joiner = spawn("joiner", move |_| {
        let outer = outer.into_iter().next().expect("it is sent");
        outer.join().is_ok()
    });
    let joiner = joiner.expect("a thread");
    let outer = pool.spawn({
        let (pool, joiner, other) = (pool.clone(), joiner.clone(), other.clone());
        move |_| {
            // It runs inside of the wait below, where `other` could end that wait but for this join.
            let inner = pool.spawn(move |_| {
                while !is_in_graph(joiner.id()) {
                    std::thread::yield_now();
                }
                joiner.join().is_err()
            });
            let waited = wait(&[inner, other], WaitUntil::First);
            *waited.done[0].join().expect("it returns")
        }
    });
    send_outer.send(outer.clone()).expect("it is received");
    let is_inner_refused = *outer.join_timeout(TIMEOUT).expect("one join is refused");
    assert_eq!(is_inner_refused, *joiner.join().expect("it returns"));
    drop(hold);
}

#[test]
fn wait_is_served_though_its_thread_ran_a_task_first() {
    let pool = pool_without_spares();
    let queued = |pool: &Pool| pool.spawn(|_| ());
    let (begin, begun) = sync_channel::<Task<()>>(1);
    let (check, checked) = sync_channel(0);
    // Waits for a queued task that no thread runs while the one of the pool runs another one.
    let joiner = spawn("joiner", move |_| {
        let target = begun.into_iter().next().expect("it is sent");
        join_and_say(target.header(), &check);
    });
    let joiner = joiner.expect("a thread");
    let outer = pool.spawn({
        let (pool, joiner) = (pool.clone(), joiner.clone());
        move |_| {
            let other = pool.clone();
            let inner = pool.spawn(move |_| {
                begin.send(queued(&other)).expect("it is received");
                await_wait(checked);
            });
            // A worker runs no target by itself in a wait with a deadline.
            wait_timeout(&[inner, joiner], WaitUntil::All, 360 * TIMEOUT).end
        }
    });
    let end = outer.join_timeout(TIMEOUT).expect("the pool is served");
    assert_eq!(*end, WaitOutcome::Satisfied);
}

#[test]
fn two_pools_without_spares_serve_each_other() {
    let (first, second) = (pool_without_spares(), pool_without_spares());
    let (park, parks) = sync_channel(0);
    let (send_target, target) = sync_channel::<Task<()>>(1);
    // Its thread is the only one of the first pool.
    let waits_for_second = first.spawn(move |_| {
        let target = target.into_iter().next().expect("it is sent");
        join_and_say(target.header(), &park);
    });
    let through_a_thread = spawn("joiner", {
        let waits = waits_for_second.clone();
        move |_| waits.join().is_ok()
    });
    let through_a_thread = through_a_thread.expect("a thread");
    // Its thread runs a task of the first pool that needs one of the second pool.
    let serves_both = second.spawn({
        let second = second.clone();
        move |_| {
            send_target
                .send(second.spawn(|_| ()))
                .expect("it is received");
            await_wait(parks);
            let queued = first.spawn(move |_| through_a_thread.join().is_ok_and(|it| *it));
            queued.join().is_ok_and(|it| *it)
        }
    });
    let ended = serves_both.join_timeout(TIMEOUT);
    assert!(*ended.expect("both pools are served"));
}

#[test]
fn callback_run_for_a_follower_can_not_join_that() {
    let pool = pool_without_spares();
    let (promise, leader) = Promise::owned("leader");
    let (send_follower, follower) = sync_channel::<AnyTask>(1);
    let (send_joined, joined) = sync_channel(1);
    // The thread that ends the leader runs this, and ends the follower only after it.
    let mapped = leader.and_then({
        let pool = pool.clone();
        move |()| {
            let next = pool.spawn_owned(|_| ());
            next.on_finish(move || {
                let follower = follower.into_iter().next().expect("it is sent");
                send_joined.send(follower.join()).expect("it is received");
            });
            next
        }
    });
    let (park, parks) = sync_channel(0);
    let awaited = mapped.any();
    let worker = pool.spawn({
        let header = mapped.header().clone();
        move |_| join_and_say(&header, &park)
    });
    await_wait(parks);
    send_follower.send(awaited).expect("it is received");
    let sender = spawn("sender", move |_| promise.send(()).is_ok());
    let refused = joined.recv_timeout(TIMEOUT).expect("the callback goes on");
    assert!(matches!(refused, Err(JoinError::WouldDeadlock { .. })));
    assert!(*sender.expect("a thread").join().expect("it returns"));
    worker.join().expect("it returns");
}
