//! The state of a program that runs.

use std::sync::Arc;

use super::super::changes::Subscription;
use super::super::code::{ClosureOutcome, code};
use super::super::graph::{Following, Graph};
use super::super::header::{Header, Spec};
use super::super::id::TaskId;
use super::super::info::Placement;
use super::super::innermost::InnermostTask;
use super::super::priority::Priority;
use super::super::workers::Workers;
use super::programs::{PoolPlan, Program, TaskPlan, choose_leaders};
use super::threads::{Callback, Source, Thread};

pub(super) struct World<'g> {
    pub(super) graph: &'g Graph,
    pub(super) plans: Vec<TaskPlan>,
    pub(super) tasks: Vec<Arc<Header>>,
    pub(super) pools: Vec<Arc<Workers>>,
    /// The number of spare threads of each pool that the system grants.
    pub(super) most_spares: Vec<usize>,
    pub(super) queues: Vec<Vec<usize>>,
    pub(super) threads: Vec<Thread<'g>>,
    /// By the task.
    pub(super) followers: Vec<Option<Follower<'g>>>,
    pub(super) callbacks: Vec<Vec<Callback>>,
    pub(super) has_value: Vec<bool>,
    /// Whether a pool got no thread for what it is short of: the system refused a spare one, and the thread that
    /// found that runs too many tasks inside of each other already.
    pub(super) is_unserved: bool,
}

/// The state of a follower, whose wait is in the graph until its closure begins or it ends.
pub(super) struct Follower<'g> {
    pub(super) leader: usize,
    pub(super) next: Option<usize>,
    pub(super) wait: Following<'g>,
}

impl<'g> World<'g> {
    pub(super) fn new(graph: &'g Arc<Graph>, program: &Program) -> Self {
        let chosen = choose_leaders(&program.tasks);
        let task = |(index, plan): (usize, &TaskPlan)| {
            let placement = match plan.pool {
                _ if chosen[index].is_some() => Placement::Elsewhere,
                Some(pool) => Placement::Pool(number(pool)),
                None => Placement::Thread,
            };
            let spec = Spec {
                id: id(index),
                name: None,
                daemon: false,
                placement,
                subscription: Subscription::new(None),
            };
            Arc::new(Header::new(spec, code(|_| ClosureOutcome::Returned)))
        };
        let mut world = Self {
            graph,
            plans: program.tasks.clone(),
            tasks: program.tasks.iter().enumerate().map(task).collect(),
            pools: Vec::new(),
            is_unserved: false,
            most_spares: program.pools.iter().map(|plan| plan.most_spares).collect(),
            queues: vec![Vec::new(); program.pools.len()],
            threads: Vec::new(),
            followers: Vec::new(),
            callbacks: Vec::new(),
            has_value: vec![false; program.tasks.len()],
        };
        for (index, plan) in program.tasks.iter().enumerate() {
            let callbacks = plan.callbacks.iter().cloned().map(Callback::Waits);
            world.callbacks.push(callbacks.collect());
            let follower = chosen[index].map(|(leader, next)| Follower {
                leader,
                next,
                wait: graph.enter_new_follower(id(index), world.tasks[leader].clone()),
            });
            if let Some(Follower { leader, .. }) = follower {
                world.callbacks[leader].push(Callback::Begin(index));
            }
            world.followers.push(follower);
        }
        for (pool, PoolPlan { threads, .. }) in program.pools.iter().enumerate() {
            let (name, number) = (String::new(), number(pool));
            let of_spare = Arc::downgrade(graph);
            let next = move |running: &_| of_spare.upgrade()?.next_for_spare(number, running);
            let workers = Workers::new(number, name, *threads, Priority::Normal, next);
            let workers = Arc::new(workers);
            graph.add_pool(workers.clone());
            for thread in 0..*threads {
                world.add_thread(Source::Queue(pool), workers.running_on(thread));
            }
            world.pools.push(workers);
        }
        for (index, plan) in program.tasks.iter().enumerate() {
            match plan.pool {
                _ if chosen[index].is_some() => {}
                Some(pool) => world.queues[pool].push(index),
                None => world.add_thread(Source::Task(index), InnermostTask::default()),
            }
        }
        world
    }

    pub(super) fn add_thread(&mut self, source: Source, running: InnermostTask) {
        self.threads.push(Thread {
            source,
            running,
            frames: Vec::new(),
            due: Vec::new(),
            serving: Vec::new(),
        });
    }

    pub(super) fn pool_of(&self, workers: &Workers) -> usize {
        let found = self.pools.iter().position(|it| it.pool() == workers.pool());
        found.expect("a pool of this program")
    }

    pub(super) fn index_of(&self, task: &Header) -> usize {
        let found = self.tasks.iter().position(|it| it.id() == task.id());
        found.expect("a task of this program")
    }
}

pub(super) fn id(task: usize) -> TaskId {
    TaskId::new(task as u64 + 1)
}

pub(super) fn number(pool: usize) -> u64 {
    pool as u64 + 1
}
