//! T1–T5, T9: joins of one task, with and without a timeout.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use meanwhile_join::{self as join, Builder, JoinError, Pool, Task, TaskState};

use crate::util::gate::{Gate, OpenOnDrop};

const LONG: Duration = Duration::from_secs(60);

/// A task that runs, and returns 7 when the gate is opened.
fn gated(gate: &Gate) -> Task<u32> {
    let running = Gate::new();
    let task = {
        let (gate, running) = (gate.clone(), running.clone());
        join::spawn("gated", move |_| {
            running.open();
            gate.pass();
            7
        })
        .unwrap()
    };
    running.pass();
    task
}

#[test]
fn t1_joining_again_gives_the_same_outcome() {
    let returned = join::spawn("returned", |_| 7).unwrap();
    let panicked = join::spawn("panicked", |_| -> u32 { panic!("seven") }).unwrap();
    let Err(JoinError::Panicked(first)) = panicked.join() else {
        panic!("no panic")
    };
    for _ in 0..1_000 {
        assert_eq!(*returned.join().unwrap(), 7);
        assert_eq!(*returned.join_timeout(Duration::ZERO).unwrap(), 7);
        let Err(JoinError::Panicked(again)) = panicked.join() else {
            panic!("no panic")
        };
        assert!(Arc::ptr_eq(&first, &again));
    }
}

#[test]
fn t2_64_joiners_all_get_the_same_outcome() {
    let gate = Gate::new();
    let task = gated(&gate);
    let about_to_join = Arc::new(Barrier::new(65));
    let joiners: Vec<_> = (0..64)
        .map(|n| {
            let (task, about_to_join) = (task.clone(), about_to_join.clone());
            join::spawn(format!("joiner {n}"), move |_| {
                about_to_join.wait();
                task.join()
                    .copied()
                    .map(|value| (value, !task.is_finished()))
            })
            .unwrap()
        })
        .collect();
    about_to_join.wait();
    gate.open();
    for joiner in joiners {
        assert_eq!(*joiner.join().unwrap().as_ref().unwrap(), (7, false));
    }
}

#[test]
fn t2_joiners_racing_the_end_all_wake() {
    let pool = Pool::builder().threads(4).build().unwrap();
    for round in 0..10_000 {
        let task = Builder::new("raced")
            .spawn_on(&pool, move |_| round)
            .unwrap();
        let joiners: Vec<_> = (0..3)
            .map(|_| {
                let task = task.clone();
                Builder::new("joiner")
                    .spawn_on(&pool, move |_| *task.join().unwrap())
                    .unwrap()
            })
            .collect();
        for joiner in &joiners {
            assert_eq!(*joiner.join().unwrap(), round);
        }
    }
}

#[test]
fn t3_timed_out_join_is_not_early_and_can_be_repeated() {
    let gate = Gate::new();
    let task = gated(&gate);
    for millis in [0, 1, 5, 20] {
        let timeout = Duration::from_millis(millis);
        let start = Instant::now();
        assert!(matches!(
            task.join_timeout(timeout),
            Err(JoinError::TimedOut)
        ));
        assert!(start.elapsed() >= timeout);
        assert!(!task.is_finished());
        assert_eq!(task.state(), TaskState::Running);
    }
    gate.open();
    assert_eq!(*task.join().unwrap(), 7);
}

#[cfg(all(target_os = "linux", feature = "timer-slack"))]
#[test]
fn t3_timed_out_join_restores_the_timer_slack() {
    use rustix::thread::{current_timer_slack, set_current_timer_slack};

    let gate = Gate::new();
    let task = gated(&gate);
    set_current_timer_slack(std::num::NonZeroU64::new(70_000)).unwrap();
    assert!(task.join_timeout(Duration::from_millis(1)).is_err());
    assert_eq!(current_timer_slack().unwrap(), 70_000);
    gate.open();
}

#[test]
fn t3_timeout_racing_the_end_is_not_early_or_lost() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let mut timed_out = 0;
    for round in 0..100_000_u64 {
        let spins = (round * 7) % 300;
        let task = Builder::new("raced")
            .spawn_on(&pool, move |_| {
                for _ in 0..spins {
                    std::hint::spin_loop();
                }
                round
            })
            .unwrap();
        let timeout = Duration::from_nanos((round * 31) % 8_000);
        let start = Instant::now();
        match task.join_timeout(timeout) {
            Ok(value) => assert_eq!(*value, round),
            Err(error) => {
                assert!(matches!(error, JoinError::TimedOut));
                assert!(start.elapsed() >= timeout);
                timed_out += 1;
            }
        }
        assert_eq!(*task.join().unwrap(), round);
        assert_eq!(task.into_output().unwrap(), round);
    }
    assert!(timed_out > 0, "no round timed out");
}

#[test]
fn t4_zero_timeout_polls_and_longest_waits_forever() {
    let gate = Gate::new();
    let task = gated(&gate);
    assert!(matches!(
        task.join_timeout(Duration::ZERO),
        Err(JoinError::TimedOut)
    ));
    assert!(task.poll().is_none());
    let joiner = {
        let task = task.clone();
        join::spawn("patient", move |_| {
            task.join_timeout(Duration::MAX).copied().ok()
        })
        .unwrap()
    };
    gate.open();
    assert_eq!(*joiner.join().unwrap(), Some(7));
    assert_eq!(*task.join_timeout(Duration::ZERO).unwrap(), 7);
}

#[test]
fn t5_signals_make_a_timeout_neither_early_nor_late() {
    use nix::sys::pthread::{pthread_kill, pthread_self};
    use nix::sys::signal::Signal;

    let arrived = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Signal::SIGUSR1 as i32, arrived.clone()).unwrap();
    let gate = Gate::new();
    let _open = OpenOnDrop(gate.clone());
    let task = gated(&gate);
    let joiner = pthread_self();
    let interrupter = join::spawn("interrupter", move |context| {
        while !context.is_cancelled() {
            pthread_kill(joiner, Signal::SIGUSR1).unwrap();
            std::thread::park_timeout(Duration::from_millis(20));
        }
    })
    .unwrap();
    let timeout = Duration::from_millis(500);
    let start = Instant::now();
    let outcome = task.join_timeout(timeout);
    let waited = start.elapsed();
    interrupter.cancel();
    interrupter.join().unwrap();
    assert!(matches!(outcome, Err(JoinError::TimedOut)));
    assert!(arrived.load(Ordering::SeqCst), "no signal arrived");
    assert!(waited >= timeout);
    assert!(waited < timeout * 2, "extended to {waited:?}");
}

#[test]
fn t9_worker_runs_a_queued_task_that_it_joins() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let outer = {
        let pool = pool.clone();
        Builder::new("outer")
            .spawn_on(&pool.clone(), move |outer| {
                let inner = Builder::new("inner")
                    .spawn_on(&pool, |inner| {
                        (
                            inner.task_id(),
                            join::current(),
                            std::thread::current().id(),
                        )
                    })
                    .unwrap();
                let (id, current, thread) = *inner.join().unwrap();
                assert_eq!(join::current(), Some(outer.task_id()));
                (
                    inner.id() == id && current == Some(id),
                    thread == std::thread::current().id(),
                )
            })
            .unwrap()
    };
    assert_eq!(*outer.join_timeout(LONG).unwrap(), (true, true));
}

#[test]
fn t9_task_tree_deeper_than_the_pool_ends() {
    fn sum(pool: &Pool, depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        let children: Vec<_> = (0..2)
            .map(|_| {
                let pool = pool.clone();
                Builder::new("child")
                    .spawn_on(&pool.clone(), move |_| sum(&pool, depth - 1))
                    .unwrap()
            })
            .collect();
        children.iter().map(|child| *child.join().unwrap()).sum()
    }
    let pool = Pool::builder().threads(2).build().unwrap();
    let root = {
        let pool = pool.clone();
        Builder::new("root")
            .spawn_on(&pool.clone(), move |_| sum(&pool, 10))
            .unwrap()
    };
    assert_eq!(*root.join_timeout(LONG).unwrap(), 1 << 10);
}

#[test]
fn timed_out_wait_leaves_nothing_in_the_task() {
    let gate = Gate::new();
    let task = gated(&gate);
    for _ in 0..10_000 {
        assert!(task.join_timeout(Duration::from_nanos(1)).is_err());
    }
    gate.open();
    task.join().unwrap();
    assert!(
        join::wait_graph()
            .waits
            .iter()
            .all(|wait| !wait.targets.contains(&task.id()))
    );
}

#[test]
fn timeout_is_not_an_outcome() {
    let task = join::spawn("endless", |context| -> () {
        loop {
            context.checkpoint();
        }
    })
    .unwrap();
    assert!(!task.join_timeout(Duration::ZERO).unwrap_err().is_outcome());
    task.cancel();
    assert!(task.join().unwrap_err().is_outcome());
}

#[test]
fn joins_with_a_deadline_time_out_then_join() {
    let gate = Gate::new();
    let open = gate.clone();
    let task = join::spawn_owned("gate", move |_| open.pass()).unwrap();
    let any = task.any();
    let deadline = Instant::now() + Duration::from_millis(1);
    assert!(matches!(
        any.join_deadline(deadline),
        Err(JoinError::TimedOut)
    ));
    assert!(Instant::now() >= deadline);
    let task = task.join_deadline_into(deadline).unwrap_err();
    gate.open();
    assert!(any.join_deadline(None).is_ok());
    assert!(matches!(task.join_deadline_into(deadline), Ok(Ok(()))));
    let shared = Task::ready(7);
    assert_eq!(*shared.join_deadline(deadline).unwrap(), 7);
}
