//! Starting tasks on a pool, and waiting until it is idle.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use meanwhile_join::{Builder, CancelToken, JoinError, Placement, Pool, Priority, Task, TaskInfo};

use super::held_pool::HeldPool;
use crate::util::gate::{Gate, TIMEOUT};

#[test]
fn pool_spawns_tasks_with_default_names() {
    let pool = Pool::new(0).unwrap();
    assert_eq!(pool.threads(), 1);
    let shared = pool.spawn(|_| 1);
    let owned = pool.spawn_owned(|_| std::cell::Cell::new(2));
    assert_eq!(shared.name(), format!("task-{}", shared.id().get()));
    assert!(matches!(owned.info().placement, Placement::Pool(_)));
    assert_eq!(owned.info().placement, shared.info().placement);
    assert_eq!(
        *shared.join().unwrap() + owned.join_into().unwrap().get(),
        3
    );
}

#[test]
fn t39_pool_lists_its_own_live_tasks_alone() {
    let (held, neighbour) = (HeldPool::new(), HeldPool::new());
    let queued = ["first", "second"].map(|name| {
        let task = Builder::new(name).spawn_on(&held.pool, |_| ());
        task.unwrap()
    });
    let _other = neighbour.pool.spawn(|_| ());
    let names = |live: Vec<TaskInfo>| live.into_iter().map(|task| task.name.to_string());
    let listed: Vec<_> = names(held.pool.live_tasks()).collect();
    assert_eq!(listed, ["holder", "first", "second"]);
    queued[0].cancel();
    let listed: Vec<_> = names(held.pool.live_tasks()).collect();
    assert_eq!(listed, ["holder", "second"]);
    held.release();
    held.pool.wait_until_idle().unwrap();
    assert_eq!(held.pool.live_tasks().len(), 0);
    assert_eq!(neighbour.pool.live_tasks().len(), 2);
    neighbour.release();
}

/// Adds a task to the pool that adds the next generation.
fn spawn_generation(pool: &Pool, generation: usize, ended: &Arc<AtomicUsize>) {
    let (own, ended) = (pool.clone(), ended.clone());
    drop(pool.spawn(move |_| {
        if generation > 0 {
            spawn_generation(&own, generation - 1, &ended);
        }
        ended.fetch_add(1, Ordering::SeqCst);
    }));
}

#[test]
fn idle_pool_has_run_tasks_added_during_the_wait() {
    let pool = Pool::new(2).unwrap();
    let ended = Arc::new(AtomicUsize::new(0));
    spawn_generation(&pool, 20, &ended);
    pool.wait_until_idle().unwrap();
    assert_eq!(ended.load(Ordering::SeqCst), 21);
    pool.wait_until_idle().unwrap();
    assert_eq!(*pool.spawn(|_| 7).join().unwrap(), 7);
}

#[test]
fn idle_wait_times_out_and_leaves_other_pools_alone() {
    let held = HeldPool::new();
    let other = Pool::new(1).unwrap();
    drop(other.spawn(|_| ()));
    other.wait_until_idle().unwrap();
    let waited = held.pool.wait_until_idle_timeout(Duration::from_millis(1));
    assert!(matches!(waited, Err(JoinError::TimedOut)));
    held.release();
    held.pool.wait_until_idle_timeout(TIMEOUT).unwrap();
}

#[test]
fn idle_wait_of_a_task_of_the_pool_runs_the_others() {
    let pool = Pool::new(1).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let waiting = pool.spawn({
        let (pool, ran) = (pool.clone(), ran.clone());
        move |_| {
            for _ in 0..3 {
                let ran = ran.clone();
                drop(pool.spawn(move |_| ran.fetch_add(1, Ordering::SeqCst)));
            }
            pool.wait_until_idle().map(|()| ran.load(Ordering::SeqCst))
        }
    });
    assert!(matches!(waiting.join_timeout(TIMEOUT).unwrap(), Ok(3)));
}

#[test]
fn idle_wait_in_a_ring_or_its_join_is_refused() {
    let pool = Pool::new(2).unwrap();
    let both_run = Gate::new();
    let waiting: Task<Result<(), JoinError>> = pool.spawn({
        let (pool, both_run) = (pool.clone(), both_run.clone());
        move |_| {
            both_run.pass();
            pool.wait_until_idle()
        }
    });
    let joiner = pool.spawn({
        let waiting = waiting.clone();
        move |_| {
            both_run.open();
            waiting.join().map(drop)
        }
    });
    let is_refused = |waited: &Result<(), JoinError>| match waited {
        Ok(()) => false,
        Err(JoinError::WouldDeadlock { .. }) => true,
        Err(error) => panic!("{error}"),
    };
    let waited = is_refused(waiting.join_timeout(TIMEOUT).unwrap());
    let joined = is_refused(joiner.join_timeout(TIMEOUT).unwrap());
    assert!(waited != joined);
}

#[test]
fn idle_wait_inside_of_another_task_is_refused() {
    let pool = Pool::new(1).unwrap();
    let outer = pool.spawn({
        let pool = pool.clone();
        move |_| {
            // The join runs it on this thread, so it can't wait for the task around it.
            let inner = Builder::new("inner")
                .spawn_owned_on(&pool.clone(), move |_| pool.wait_until_idle());
            inner.unwrap().join_into().unwrap()
        }
    });
    let waited = outer.join_timeout(TIMEOUT).unwrap();
    assert!(matches!(waited, Err(JoinError::WouldDeadlock { .. })));
}

#[test]
fn pool_of_impossible_size_is_an_error() {
    for threads in [usize::MAX, usize::MAX / 8, 1 << 40] {
        let error = Pool::new(threads).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "could not start a thread for `pool`: a pool has at most 4194304 threads, not {threads}"
            )
        );
    }
}

#[test]
fn stack_of_impossible_size_is_blamed() {
    let spawned = Builder::new("big").stack_size(usize::MAX / 2).spawn(|_| ());
    let error = spawned.unwrap_err().to_string();
    let advice = "; ask for a smaller stack, or end some running work and try again";
    assert!(error.ends_with(advice), "{error}");
}

/// How many tasks end while they are queued, and more of them than a queue may keep.
const MANY: usize = 1_000;
const FEW: usize = 100;

/// The name of a task, which is gone when nothing keeps the task.
fn name_of<T>(task: &Task<T>) -> Weak<str> {
    Arc::downgrade(&task.info().name)
}

fn kept(names: &[Weak<str>]) -> usize {
    names.iter().filter(|name| name.strong_count() > 0).count()
}

#[test]
fn t15_cancelled_tasks_leave_a_busy_pools_queue() {
    let held = HeldPool::new();
    let mut names = Vec::new();
    for _ in 0..3 {
        let tasks: Vec<Task<()>> = (0..50_000).map(|_| held.pool.spawn(|_| ())).collect();
        names.extend(tasks.iter().map(name_of));
        for task in tasks {
            task.cancel();
        }
        let kept = kept(&names);
        assert!(kept < FEW, "{kept}");
    }
    held.release();
    held.pool.wait_until_idle_timeout(TIMEOUT).unwrap();
}

#[test]
fn queued_tasks_among_cancelled_ones_run_in_order() {
    let held = HeldPool::new();
    let ran = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<Task<()>> = (0..MANY)
        .map(|n| {
            let ran = ran.clone();
            held.pool.spawn(move |_| ran.lock().unwrap().push(n))
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        if n % 10 != 0 {
            task.cancel();
        }
    }
    held.release();
    held.pool.wait_until_idle_timeout(TIMEOUT).unwrap();
    let expected: Vec<usize> = (0..MANY).step_by(10).collect();
    assert_eq!(*ran.lock().unwrap(), expected);
}

#[test]
fn queued_tasks_that_their_joiner_runs_are_not_kept() {
    let pool = Pool::new(1).unwrap();
    let joiner = pool.spawn({
        let pool = pool.clone();
        move |_| {
            let mut names = Vec::new();
            for _ in 0..MANY {
                let task = pool.spawn(|_| ());
                names.push(name_of(&task));
                task.join().unwrap();
            }
            kept(&names)
        }
    });
    let kept = *joiner.join_timeout(TIMEOUT).unwrap();
    assert!(kept < FEW, "{kept}");
}

#[test]
fn tasks_spawned_with_a_cancelled_token_are_not_kept() {
    let held = HeldPool::new();
    let token = CancelToken::new();
    token.cancel();
    let mut names = Vec::new();
    for _ in 0..MANY {
        let builder = Builder::default().cancel_token(&token);
        let task = builder.spawn_on(&held.pool, |_| ()).unwrap();
        names.push(name_of(&task));
    }
    let kept = kept(&names);
    assert!(kept < FEW, "{kept}");
    held.release();
}

#[cfg(target_os = "linux")]
#[test]
fn dropped_pool_ends_its_threads() {
    let are_left = || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let mut names =
            threads.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
        names.any(|name| name.starts_with("left-over"))
    };
    let pool = Pool::builder().name("left-over").threads(2);
    let pool = pool.priority(Priority::Normal).build().unwrap();
    assert_eq!(pool.threads(), 2);
    pool.spawn(|_| ()).join().unwrap();
    assert!(are_left());
    drop(pool);
    let begin = std::time::Instant::now();
    while are_left() {
        assert!(begin.elapsed() < TIMEOUT, "threads are left");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
