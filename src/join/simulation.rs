//! Random programs of tasks on simulated threads: the wait graph is compared with a reference model.
//!
//! The reference model is what the words say: a task can end unless it waits, without a deadline,
//! for tasks that can't. It knows no pools, because a pool never starves, and looks at all tasks
//! again for each question. A follower can end if its leader can, and if its function can then return.
//! A callback holds up what runs below it on its thread, and nothing else. After each step of each
//! program:
//! - A wait is refused if and only if it can't end by the reference model.
//! - A follower that would wait for itself ends without a value, unless a wait of the ring is refused.
//! - When a spare thread is started, no thread of its pool can go on.
//! - When a spare thread begins a task, fewer threads of its pool can go on than the pool has.
//! - Some thread can go on, or all tasks have ended. Deadlines pass only when nothing else happens,
//!   and first those without which a wait could not end. There is always one of them, unless a pool could
//!   get no thread at all; then also those of waits that something else can end.
//! - Each task has returned, or follows one that has not, or closed a ring.

mod followers;
mod programs;
mod reference;
mod run;
mod spares;
mod threads;
mod waits;
mod world;

use std::sync::Arc;

use proptest::prelude::*;

use self::programs::programs;
use self::world::World;
use super::graph::Graph;

#[test]
fn waits_of_random_programs_end_or_are_refused() {
    let cases = 100_000;
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..ProptestConfig::default()
    };
    proptest!(config, |(program in programs())| {
        let graph = Arc::new(Graph::new());
        World::new(&graph, &program).run(program.seed);
    });
}

/// The pool of the tasks 0 and 3 gets no spare thread, and who finds that is too deep to run task 3 itself. The two
/// waits are left, which something else can end.
#[test]
fn select_of_a_pool_without_a_thread_ends_otherwise() {
    use self::programs::{FollowPlan, PoolPlan, Program, TaskPlan, WaitPlan};

    let wait = |target: usize, has_deadline, ends_otherwise| WaitPlan {
        targets: [target].into(),
        need_all: false,
        has_deadline,
        ends_otherwise,
    };
    let task = |pool, follows, waits: Vec<WaitPlan>, callbacks: Vec<Vec<WaitPlan>>| TaskPlan {
        pool,
        follows,
        waits,
        callbacks,
    };
    let program = Program {
        pools: vec![
            PoolPlan {
                threads: 1,
                most_spares: 0,
            },
            PoolPlan {
                threads: 2,
                most_spares: usize::MAX,
            },
        ],
        tasks: vec![
            task(Some(0), None, vec![wait(5, true, true)], vec![]),
            task(None, None, vec![wait(3, true, true)], vec![]),
            task(None, None, vec![], vec![]),
            task(Some(0), None, vec![], vec![]),
            task(
                None,
                Some(FollowPlan {
                    leader: 2,
                    next: None,
                }),
                vec![],
                vec![vec![wait(0, false, false)]],
            ),
            task(
                None,
                Some(FollowPlan {
                    leader: 3,
                    next: Some(1),
                }),
                vec![],
                vec![],
            ),
        ],
        seed: 10_662_651_857_485_651_971,
    };
    let graph = Arc::new(Graph::new());
    World::new(&graph, &program).run(program.seed);
}
