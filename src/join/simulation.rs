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
//!   and first those without which a wait could not end. There is always one of them.
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
