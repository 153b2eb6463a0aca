//! Groups: tasks that are added and joined one by one.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use meanwhile_join::{
    self as join, AnyTask, Builder, Context, Group, JoinError, OwnedTask, Pool, Task, TaskId,
};

use super::held_pool::HeldPool;
use crate::util::gate::{Gate, TIMEOUT};

/// A task of the group that returns `value` once the gate is open.
fn add_gated<T: Send + 'static>(group: &mut Group<T>, gate: &Gate, value: T) -> TaskId {
    let gate = gate.clone();
    let task = group.spawn("gated", move |_| {
        gate.pass();
        value
    });
    task.unwrap()
}

/// Blocks until the task waits for something, or `is_over`.
fn until_waiting(task: TaskId, is_over: impl Fn() -> bool) {
    let is_waiting = || {
        let waits = join::wait_graph().waits;
        waits.iter().any(|wait| wait.waiter == Some(task))
    };
    while !is_waiting() && !is_over() {
        std::thread::yield_now();
    }
}

fn until_cancelled(context: &Context) {
    loop {
        context.checkpoint();
        std::thread::yield_now();
    }
}

#[test]
fn t27_group_gives_values_in_the_order_of_the_ends() {
    let gates: Vec<Gate> = (0..4).map(|_| Gate::new()).collect();
    let mut group = Group::new();
    let mut ids = Vec::new();
    for (n, gate) in gates.iter().enumerate() {
        ids.push(add_gated(&mut group, gate, Cell::new(n)));
    }
    for next in [2, 0, 3, 1] {
        gates[next].open();
        let (task, value) = group.join_next().unwrap();
        assert_eq!((task, value.unwrap().get()), (ids[next], next));
    }
    assert!(group.is_empty() && group.join_next().is_none());
}

#[test]
fn group_takes_tasks_that_have_ended() {
    let pool = Pool::new(1).unwrap();
    let tasks: Vec<OwnedTask<usize>> = (0..3).map(|n| pool.spawn_owned(move |_| n)).collect();
    pool.wait_until_idle().unwrap();
    let mut group: Group<usize> = tasks.into_iter().collect();
    assert_eq!(group.len(), 3);
    let mut values: Vec<usize> = Vec::new();
    while let Some((_, value)) = group.try_join_next() {
        values.push(value.unwrap());
    }
    values.sort_unstable();
    assert_eq!(values, [0, 1, 2]);
}

#[test]
fn group_timeout_leaves_the_task_in_it() {
    let gate = Gate::new();
    let mut group = Group::new();
    let task = add_gated(&mut group, &gate, 7);
    assert!(group.try_join_next().is_none());
    let start = Instant::now();
    assert!(group.join_next_timeout(Duration::from_millis(2)).is_none());
    assert!(start.elapsed() >= Duration::from_millis(2));
    assert_eq!(group.len(), 1);
    gate.open();
    let (joined, value) = group.join_next_timeout(TIMEOUT).unwrap();
    assert_eq!((joined, value.unwrap()), (task, 7));
    assert!(group.join_next_timeout(TIMEOUT).is_none());
}

#[test]
fn group_gives_panics_and_cancels_as_errors() {
    let mut group: Group<()> = Group::new();
    let panicked = group.spawn("panics", |_| panic!("failure")).unwrap();
    let (task, outcome) = group.join_next().unwrap();
    assert_eq!(task, panicked);
    assert!(matches!(outcome, Err(JoinError::Panicked(_))));
    for _ in 0..3 {
        group.spawn("endless", until_cancelled).unwrap();
    }
    group.cancel_all();
    for _ in 0..3 {
        let (_, outcome) = group.join_next().unwrap();
        assert!(matches!(outcome, Err(JoinError::Cancelled)));
    }
    assert!(group.is_empty());
}

#[test]
fn t27_group_dropped_cancels_what_it_holds() {
    let held = HeldPool::new();
    let ran = Arc::new(AtomicBool::new(false));
    let stopped = Gate::new();
    let mut group = Group::new();
    group.spawn_on(&held.pool, {
        let ran = ran.clone();
        move |_| ran.store(true, Ordering::SeqCst)
    });
    let endless = join::spawn_owned("endless", until_cancelled).unwrap();
    endless.on_finish({
        let stopped = stopped.clone();
        move || stopped.open()
    });
    group.add(endless);
    drop(group);
    stopped.pass();
    held.release();
    held.pool.wait_until_idle().unwrap();
    assert!(!ran.load(Ordering::SeqCst));
}

#[test]
fn group_detached_tasks_run_on() {
    let held = HeldPool::new();
    let ran = Arc::new(AtomicUsize::new(0));
    let mut group = Group::new();
    for _ in 0..2 {
        let ran = ran.clone();
        group.spawn_on(&held.pool, move |_| ran.fetch_add(1, Ordering::SeqCst));
    }
    group.detach_all();
    assert!(group.is_empty() && group.join_next().is_none());
    drop(group);
    held.release();
    held.pool.wait_until_idle().unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 2);
}

#[test]
fn group_may_be_joined_by_another_thread() {
    let (gate, later) = (Gate::new(), Gate::new());
    let mut group = Group::new();
    add_gated(&mut group, &gate, 1);
    assert!(group.join_next_timeout(Duration::ZERO).is_none());
    let joiner = join::spawn_owned("joiner", {
        let later = later.clone();
        move |_| {
            let first = group.join_next().unwrap().1.unwrap();
            add_gated(&mut group, &later, 2);
            (first, group)
        }
    });
    gate.open();
    let (first, group) = joiner.unwrap().join_into().unwrap();
    assert_eq!((first, group.len()), (1, 1));
    drop(group);
    // The second task waits for it, unless the cancel came before it began.
    later.open();
}

#[test]
fn t27_group_in_a_pool_of_one_does_not_starve() {
    let pool = Pool::new(1).unwrap();
    let outer = pool.spawn({
        let pool = pool.clone();
        move |_| {
            let mut group = Group::new();
            let mut sum = 0;
            for n in 1..=10 {
                group.spawn_on(&pool, move |_| n);
            }
            while let Some((_, value)) = group.join_next() {
                sum += value.unwrap();
            }
            group.spawn_on(&pool, |_| 100);
            sum + group.join_next_timeout(TIMEOUT).unwrap().1.unwrap()
        }
    });
    assert_eq!(*outer.join_timeout(TIMEOUT).unwrap(), 155);
}

/// Both threads of the pool wait: one for the group, and the oldest member for the task that joins it.
#[test]
fn t27_group_runs_members_behind_one_that_waits() {
    let pool = Pool::new(2).unwrap();
    let (give, own) = std::sync::mpsc::channel::<AnyTask>();
    let joiner = pool.spawn({
        let pool = pool.clone();
        move |_| {
            let own = own.recv_timeout(TIMEOUT).unwrap();
            let mut group = Group::new();
            let waits = group.spawn_on(&pool, move |_| {
                own.join_timeout(TIMEOUT).unwrap();
                0
            });
            until_waiting(waits, || false);
            group.spawn_on(&pool, |_| 7);
            let first = group.join_next();
            group.detach_all();
            first.unwrap().1.unwrap()
        }
    });
    give.send(joiner.any()).unwrap();
    assert_eq!(*joiner.join_timeout(TIMEOUT).unwrap(), 7);
}

#[test]
fn t27_group_whose_tasks_await_the_joiner_fails() {
    let own: Arc<Mutex<Option<Task<Vec<bool>>>>> = Arc::default();
    let known = Gate::new();
    let joiner = join::spawn("joiner", {
        let (own, known) = (own.clone(), known.clone());
        move |_| {
            known.pass();
            let own = own.lock().unwrap().clone().unwrap();
            let mut group = Group::new();
            for n in 0..2 {
                let own = own.clone();
                let waits =
                    move |_: &Context| matches!(own.join(), Err(JoinError::WouldDeadlock { .. }));
                group.spawn(format!("waits {n}"), waits).unwrap();
            }
            drop(own);
            let mut refused = Vec::new();
            while let Some((_, outcome)) = group.join_next() {
                match outcome {
                    // A join of the joiner was refused, or the wait of the joiner.
                    Ok(was_refused) => refused.push(was_refused),
                    Err(JoinError::WouldDeadlock { .. }) => refused.push(true),
                    Err(error) => panic!("{error}"),
                }
            }
            refused
        }
    })
    .unwrap();
    *own.lock().unwrap() = Some(joiner.clone());
    known.open();
    assert_eq!(joiner.join_timeout(TIMEOUT).unwrap(), &[true, true]);
    own.lock().unwrap().take();
}

#[test]
fn group_of_the_joining_task_alone_fails_at_once() {
    let (send, receive) = std::sync::mpsc::channel::<OwnedTask<bool>>();
    let result = Gate::new();
    let failed = Arc::new(AtomicBool::new(false));
    let task = join::spawn_owned("joins itself", {
        let (result, failed) = (result.clone(), failed.clone());
        move |_| {
            let own = receive.recv_timeout(TIMEOUT).unwrap();
            let mut group = Group::new();
            let id = group.add(own);
            let (task, outcome) = group.join_next().unwrap();
            let is_refused = matches!(outcome, Err(JoinError::CurrentThread));
            failed.store(
                task == id && is_refused && group.is_empty(),
                Ordering::SeqCst,
            );
            result.open();
            true
        }
    });
    send.send(task.unwrap()).unwrap();
    result.pass();
    assert!(failed.load(Ordering::SeqCst));
}

#[test]
fn t39_group_shutdown_awaits_its_own_tasks_alone() {
    let (gate, neighbours_gate) = (Gate::new(), Gate::new());
    let mut neighbours = Group::new();
    add_gated(&mut neighbours, &neighbours_gate, 1);
    let mut group = Group::new();
    let ids = [2, 3].map(|value| add_gated(&mut group, &gate, value));
    let live: Vec<TaskId> = group.live_tasks().iter().map(|task| task.id).collect();
    assert_eq!(live, ids);
    let opener = join::spawn("opener", move |_| gate.open()).unwrap();
    let report = group.shutdown();
    assert!(report.is_complete(), "{report:?}");
    opener.join().unwrap();
    assert_eq!((group.live_tasks().len(), group.len()), (0, 2));
    let mut values = [(); 2].map(|()| group.try_join_next().unwrap().1.unwrap());
    values.sort_unstable();
    assert_eq!(values, [2, 3]);
    assert_eq!(neighbours.live_tasks().len(), 1);
    neighbours_gate.open();
}

#[test]
fn t39_group_shutdown_names_what_is_left() {
    let gate = Gate::new();
    let mut group = Group::new();
    let left = add_gated(&mut group, &gate, ());
    let passed = gate.clone();
    let daemon = Builder::new("daemon").daemon(true);
    group.add(daemon.spawn_owned(move |_| passed.pass()).unwrap());
    let report = group.shutdown_timeout(Duration::from_millis(1));
    let remaining: Vec<TaskId> = report.remaining.iter().map(|task| task.id).collect();
    assert_eq!(remaining, [left]);
    assert_eq!(group.live_tasks().len(), 2);
    gate.open();
    assert!(group.shutdown_timeout(TIMEOUT).is_complete());
}

/// It does not wait for its own end.
#[test]
fn t39_group_shutdown_in_a_task_of_it_ends() {
    let (send, groups) = std::sync::mpsc::channel::<Group<()>>();
    let gate = Gate::new();
    let passed = gate.clone();
    let task = join::spawn_owned("shuts down", move |_| {
        let group = groups.recv_timeout(TIMEOUT).unwrap();
        let is_complete = group.shutdown_timeout(TIMEOUT).is_complete();
        let live = group.live_tasks().len();
        drop(group);
        assert!(is_complete && live == 1);
        passed.open();
    });
    send.send([task.unwrap()].into_iter().collect()).unwrap();
    gate.pass();
}

/// The time in which a task on the same pool joins this many tasks one by one.
fn joining_time(tasks: usize) -> Duration {
    let pool = Pool::new(2).unwrap();
    let joiner = Builder::new("joiner").spawn_owned_on(&pool.clone(), move |_| {
        let mut group = Group::new();
        let start = Instant::now();
        for n in 0..tasks {
            group.spawn_on(&pool, move |_| n);
        }
        let mut joined = 0;
        while let Some((_, value)) = group.join_next() {
            value.unwrap();
            joined += 1;
        }
        assert_eq!(joined, tasks);
        start.elapsed()
    });
    joiner.unwrap().join_into().unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn group_takes_the_same_time_for_each_task() {
    let ratio = || {
        let few = joining_time(2_000).as_secs_f64();
        joining_time(40_000).as_secs_f64() / few
    };
    // 20 if each task takes the same time, 400 if each looks at all others.
    assert!((0..5).any(|_| ratio() < 80.0));
}

/// The other member can end, and so end the wait.
#[test]
fn group_with_a_member_that_joins_the_joiner_goes_on() {
    let (ready, gate) = (Gate::new(), Gate::new());
    let own: Arc<OnceLock<Task<Option<u32>>>> = Arc::default();
    let joiner = join::spawn("joiner", {
        let (ready, gate, own) = (ready.clone(), gate.clone(), own.clone());
        move |_| {
            ready.pass();
            let joiner = own.get().unwrap().clone();
            let mut group = Group::new();
            let back = group.spawn("back", move |_| {
                joiner.join().ok().copied().flatten().unwrap()
            });
            until_waiting(back.unwrap(), || false);
            add_gated(&mut group, &gate, 7);
            let joined = group.join_next();
            group.detach_all();
            joined?.1.ok()
        }
    })
    .unwrap();
    own.set(joiner.clone()).unwrap();
    ready.open();
    until_waiting(joiner.id(), || joiner.is_finished());
    gate.open();
    assert_eq!(joiner.join_timeout(TIMEOUT).unwrap(), &Some(7));
}
