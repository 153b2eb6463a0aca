//! T9: the tasks of a pool end although its threads wait for each other's tasks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use meanwhile_join::{
    self as join, Builder, JoinError, Pool, Priority, Select, Task, TaskId, WaitOutcome, WaitUntil,
};

use crate::util::child::in_child;
use crate::util::gate::{Gate, TIMEOUT};

/// Threads of background priority would not get on beside other work of the machine.
fn pool(threads: usize) -> Pool {
    let pool = Pool::builder().threads(threads);
    pool.priority(Priority::Normal).build().unwrap()
}

fn on<T: Send + Sync + 'static>(pool: &Pool, f: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    Builder::new("").spawn_on(pool, move |_| f()).unwrap()
}

fn thread<T: Send + Sync + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    join::spawn("", move |_| f()).unwrap()
}

/// A handle that is given to a task after the task was spawned.
type Later<T> = Arc<OnceLock<Task<T>>>;

/// Blocks until the task waits for something.
fn until_waiting(task: TaskId) {
    let is_waiting = || {
        let waits = join::wait_graph().waits;
        waits.iter().any(|wait| wait.waiter == Some(task))
    };
    while !is_waiting() {
        std::thread::yield_now();
    }
}

/// The value of a task that ends within [`TIMEOUT`].
#[track_caller]
fn value<T: Clone>(task: &Task<T>) -> T {
    let value = task.join_timeout(TIMEOUT);
    value.expect("the task returns in time").clone()
}

#[test]
fn t22_first_returns_before_a_queued_member_ends() {
    let (gate, begun) = (Gate::new(), Gate::new());
    let pool = pool(1);
    let waiter = {
        let (pool, gate, begun) = (pool.clone(), gate.clone(), begun.clone());
        on(&pool.clone(), move || {
            let slow = on(&pool, {
                let (gate, begun) = (gate.clone(), begun.clone());
                move || {
                    begun.open();
                    gate.pass();
                }
            });
            let quick = thread(move || begun.pass());
            let waited = join::wait(&[slow, quick], WaitUntil::First);
            gate.open();
            waited.done.len()
        })
    };
    assert_eq!(value(&waiter), 1);
}

#[test]
fn t22_first_ends_while_a_queued_member_waits_for_it() {
    let pool = pool(1);
    let own: Later<usize> = Later::default();
    let waiter = {
        let (pool, own) = (pool.clone(), own.clone());
        on(&pool.clone(), move || {
            let joins_waiter = thread(move || own.wait().join().copied().is_ok());
            let queued = on(&pool, move || joins_waiter.join().copied().is_ok());
            let quick = thread({
                let queued = queued.clone();
                move || {
                    until_waiting(queued.id());
                    true
                }
            });
            let waited = join::wait(&[queued, quick], WaitUntil::First);
            waited.done.len()
        })
    };
    assert!(own.set(waiter.clone()).is_ok());
    assert_eq!(value(&waiter), 1);
}

#[test]
fn t9_worker_is_not_starved_through_a_thread() {
    let pool = pool(1);
    let outer = {
        let pool = pool.clone();
        on(&pool.clone(), move || {
            let between = thread(move || *on(&pool, || 7).join().unwrap());
            *between.join().unwrap()
        })
    };
    assert_eq!(value(&outer), 7);
}

#[test]
fn t9_two_pools_do_not_starve_each_other() {
    let pools = [pool(1), pool(1)];
    let begun = [Gate::new(), Gate::new()];
    let tasks = [0, 1].map(|own| {
        let (pools, begun) = (pools.clone(), begun.clone());
        on(&pools[own].clone(), move || {
            begun[own].open();
            begun[1 - own].pass();
            let other = pools[1 - own].clone();
            let back = pools[own].clone();
            *on(&other, move || *on(&back, || 7).join().unwrap())
                .join()
                .unwrap()
        })
    });
    assert_eq!(tasks.map(|task| value(&task)), [7, 7]);
}

#[test]
fn t9_timed_join_of_a_queued_task_returns_its_value() {
    let pool = pool(1);
    let outer = {
        let pool = pool.clone();
        on(&pool.clone(), move || {
            let inner = on(&pool, || 7);
            inner.join_timeout(TIMEOUT).copied().ok()
        })
    };
    assert_eq!(value(&outer), Some(7));
}

#[test]
fn t9_timed_join_ends_while_its_queued_task_runs() {
    let gate = Gate::new();
    let pool = pool(1);
    let outer = {
        let (pool, gate) = (pool.clone(), gate.clone());
        on(&pool.clone(), move || {
            let inner = on(&pool, {
                let gate = gate.clone();
                move || gate.pass()
            });
            let timed = inner.join_timeout(Duration::from_millis(20)).copied();
            gate.open();
            timed
        })
    };
    let timed = outer.join_timeout(TIMEOUT).unwrap();
    assert!(matches!(timed, Err(JoinError::TimedOut)));
}

#[test]
fn t23_worker_gets_its_queued_tasks_as_they_end() {
    let timed = |tasks| join::as_completed_timeout(tasks, TIMEOUT);
    for as_completed in [join::as_completed, timed] {
        let pool = pool(1);
        let outer = {
            let pool = pool.clone();
            on(&pool.clone(), move || {
                let inner = (0..100).map(|n| on(&pool, move || n)).collect();
                let ended = as_completed(inner);
                ended.map(|task| *task.unwrap().join().unwrap()).sum()
            })
        };
        assert_eq!(value::<i32>(&outer), 4950);
    }
}

#[test]
fn t22_all_waits_once_for_queued_and_other_tasks() {
    let pool = pool(1);
    let outer = {
        let pool = pool.clone();
        on(&pool.clone(), move || {
            let tasks = [thread(|| 1), on(&pool, || 2), thread(|| 3), on(&pool, || 4)];
            join::wait_timeout(&tasks, WaitUntil::All, TIMEOUT).end
        })
    };
    assert_eq!(value(&outer), WaitOutcome::Satisfied);
}

/// Spawns tasks, each of which joins the next, on a pool whose thread is held until all are queued.
fn chain(pool: &Pool, len: usize) -> Task<usize> {
    let all_queued = Gate::new();
    let holder = on(pool, {
        let all_queued = all_queued.clone();
        move || all_queued.pass()
    });
    let handles: Arc<Vec<Later<usize>>> = Arc::new((0..len).map(|_| Later::default()).collect());
    for index in 0..len {
        let link = handles.clone();
        let task = on(pool, move || match link.get(index + 1) {
            Some(next) => next.wait().join().map_or(0, |depth| depth + 1),
            None => 1,
        });
        assert!(handles[index].set(task).is_ok());
    }
    all_queued.open();
    value(&holder);
    handles[0].wait().clone()
}

/// In a process of its own, because a stack overflow ends the process.
#[test]
fn t9_long_chain_of_queued_joins_overflows_no_stack() {
    const LEN: usize = 20_000;
    in_child(
        "tasks::starvation::t9_long_chain_of_queued_joins_overflows_no_stack",
        || assert_eq!(value(&chain(&pool(1), LEN)), LEN),
    );
}

#[test]
fn t7_cycle_through_a_queue_is_refused_with_its_path() {
    let pool = pool(1);
    let own: Later<bool> = Later::default();
    let outer = {
        let (pool, own) = (pool.clone(), own.clone());
        on(&pool.clone(), move || {
            let queued = on(&pool, move || {
                let outer = own.wait();
                match outer.join() {
                    Err(JoinError::WouldDeadlock { cycle }) => cycle.contains(&outer.id()),
                    _ => false,
                }
            });
            let between = thread(move || *queued.join().unwrap());
            *between.join().unwrap()
        })
    };
    assert!(own.set(outer.clone()).is_ok());
    assert!(value(&outer));
}

#[test]
fn wait_of_a_callback_keeps_the_wait_around_it() {
    let gate = Gate::new();
    let pool = pool(1);
    let outer = {
        let (pool, gate) = (pool.clone(), gate.clone());
        on(&pool.clone(), move || {
            let last = thread(move || gate.pass());
            let helped = on(&pool, || ());
            let awaited = last.clone();
            helped.on_finish(move || {
                awaited.join_timeout(Duration::from_nanos(1)).ok();
            });
            join::wait(&[helped, last], WaitUntil::All).end
        })
    };
    until_waiting(outer.id());
    // The callback has run when the helped task is no longer among the targets.
    let targets = || {
        let waits = join::wait_graph().waits.into_iter();
        let mut own = waits.filter(|wait| wait.waiter == Some(outer.id()));
        own.next().map(|wait| (wait.deadline, wait.targets.len()))
    };
    let began = Instant::now();
    while !matches!(targets(), Some((None, 1))) {
        assert!(began.elapsed() < TIMEOUT);
        std::thread::yield_now();
    }
    gate.open();
    assert_eq!(value(&outer), WaitOutcome::Satisfied);
}

/// The number of spare threads of the pool with this name.
#[cfg(target_os = "linux")]
fn spares(pool: &str) -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = threads.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
    let spare = format!("{pool}-spare-");
    names.filter(|name| name.starts_with(&spare)).count()
}

/// A task of the pool that waits for another one, which waits for a third, and so on. Each wait has a
/// deadline, so no worker runs the other one itself.
fn nested<T>(pool: &Pool, depth: usize, last: impl FnOnce() -> T + Send + 'static) -> Task<T>
where
    T: Clone + Send + Sync + 'static,
{
    let inner = pool.clone();
    let last: Box<dyn FnOnce() -> T + Send> = Box::new(last);
    on(pool, move || match depth {
        0 => last(),
        _ => value(&nested(&inner, depth - 1, last)),
    })
}

/// After a time with many spare threads one is left for shortages that go on, and later none.
#[cfg(target_os = "linux")]
#[test]
fn t9_spare_threads_end_when_the_load_is_over() {
    const DEPTH: usize = 20;
    let pool = Pool::builder().name("ebb").threads(1).build().unwrap();
    let most = nested(&pool, DEPTH, || spares("ebb"));
    assert_eq!(value(&most), DEPTH);
    let began = Instant::now();
    while spares("ebb") > 1 {
        value(&nested(&pool, 1, || ()));
        assert!(began.elapsed() < TIMEOUT / 6, "{} are left", spares("ebb"));
    }
    while spares("ebb") > 0 {
        std::thread::yield_now();
        assert!(began.elapsed() < TIMEOUT, "one is left");
    }
    assert!(value(&nested(&pool, 1, || true)));
}

/// A spare thread takes no more tasks of a wait when the worker of its pool no longer waits.
#[cfg(target_os = "linux")]
#[test]
fn t9_spare_thread_stops_when_its_pool_goes_on() {
    const COUNT: usize = 20;
    let pool = Pool::builder().name("flow").threads(1).build().unwrap();
    let (first_runs, first_ends, released, goes_on, ends) = Default::default();
    let gates: [&Gate; 5] = [&first_runs, &first_ends, &released, &goes_on, &ends];
    let ran = Arc::new(AtomicUsize::new(0));
    let outer = on(&pool, {
        let (pool, ran) = (pool.clone(), ran.clone());
        let [first_runs, first_ends, released, goes_on, ends] = gates.map(Gate::clone);
        move || {
            let item = |_| {
                let (first_runs, first_ends) = (first_runs.clone(), first_ends.clone());
                let ran = ran.clone();
                on(&pool, move || {
                    ran.fetch_add(1, Ordering::SeqCst);
                    first_runs.open();
                    first_ends.pass();
                })
            };
            let items: Vec<Task<()>> = (0..COUNT).map(item).collect();
            let between = thread(move || join::wait(&items, WaitUntil::All).end);
            let release = thread(move || released.pass());
            // This worker needs no end of the items.
            Select::new().task(&between).task(&release).wait().unwrap();
            goes_on.open();
            ends.pass();
            between
        }
    });
    first_runs.pass();
    assert_eq!(spares("flow"), 1);
    released.open();
    goes_on.pass();
    first_ends.open();
    let began = Instant::now();
    while spares("flow") > 0 {
        std::thread::yield_now();
        assert!(began.elapsed() < TIMEOUT, "the spare thread does not end");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    ends.open();
    let between = value(&outer);
    assert_eq!(value(&between), WaitOutcome::Satisfied);
    assert_eq!(ran.load(Ordering::SeqCst), COUNT);
}

/// The pool is starved by the wait of the scope, which begins last.
#[test]
fn t9_scope_whose_task_waits_for_its_pool_is_left() {
    let pool = pool(1);
    let outer = on(&pool.clone(), move || {
        let queued = on(&pool, || 7);
        let joined = OnceLock::new();
        join::scope(|scope| {
            let waits = scope.spawn("waits", |_| joined.set(value(&queued)));
            until_waiting(waits.unwrap().id());
        });
        joined.into_inner()
    });
    assert_eq!(value(&outer), Some(7));
}
