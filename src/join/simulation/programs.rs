//! Random programs: tasks, what they wait for, and the pools that run them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::graph::Need;

/// One wait of a task. The targets are indices of tasks; the task itself is left out.
#[derive(Clone, Debug)]
pub(super) struct WaitPlan {
    pub(super) targets: BTreeSet<usize>,
    pub(super) need_all: bool,
    /// It ends by its deadline, or by what ends it otherwise, when nothing else happens.
    pub(super) has_deadline: bool,
    /// Something else than a target ends it, such as a channel, and it has no deadline.
    pub(super) ends_otherwise: bool,
}

impl WaitPlan {
    pub(super) fn need(&self) -> Need {
        match (self.need_all, self.ends_otherwise) {
            (true, _) => Need::All,
            (false, false) => Need::Any,
            (false, true) => Need::Nothing,
        }
    }
}

/// A task: the pool that runs it, or a thread of its own, and its waits one after another.
#[derive(Clone, Debug)]
pub(super) struct TaskPlan {
    pub(super) pool: Option<usize>,
    /// It runs elsewhere if it follows another task.
    pub(super) follows: Option<FollowPlan>,
    pub(super) waits: Vec<WaitPlan>,
    /// The waits of each of its callbacks.
    pub(super) callbacks: Vec<Vec<WaitPlan>>,
}

/// How a task follows another one. The numbers choose among the tasks that nothing follows.
#[derive(Clone, Debug)]
pub(super) struct FollowPlan {
    pub(super) leader: usize,
    /// What it follows after its function has returned, as with `and_then`.
    pub(super) next: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct PoolPlan {
    pub(super) threads: usize,
    /// The system refuses the spare threads after this number of them.
    pub(super) most_spares: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) pools: Vec<PoolPlan>,
    pub(super) tasks: Vec<TaskPlan>,
    /// Decides which thread makes the next step.
    pub(super) seed: u64,
}

pub(super) fn programs() -> impl Strategy<Value = Program> {
    let wait = |tasks: usize| {
        let targets = prop::collection::btree_set(0..tasks, 1..=3);
        let seldom = || prop::bool::weighted(0.2);
        (targets, prop::bool::ANY, seldom(), seldom()).prop_map(
            |(targets, need_all, has_deadline, ends_otherwise)| WaitPlan {
                targets,
                need_all,
                has_deadline: has_deadline || (ends_otherwise && !need_all),
                ends_otherwise: ends_otherwise && !need_all,
            },
        )
    };
    let waits = move |tasks, most| prop::collection::vec(wait(tasks), 0..=most);
    let follow = (any::<usize>(), prop::option::of(any::<usize>()))
        .prop_map(|(leader, next)| FollowPlan { leader, next });
    let task = move |tasks: usize, pools: usize| {
        (
            prop::option::weighted(0.7, 0..pools),
            prop::option::weighted(0.3, follow.clone()),
            waits(tasks, 2),
            prop::collection::vec(waits(tasks, 1), 0..=1),
        )
            .prop_map(|(pool, follows, waits, callbacks)| TaskPlan {
                pool,
                follows,
                waits,
                callbacks,
            })
    };
    let most_spares = prop_oneof![Just(usize::MAX), 0..=1_usize];
    let pool = (1..=3_usize, most_spares).prop_map(|(threads, most_spares)| PoolPlan {
        threads,
        most_spares,
    });
    (
        3..=8_usize,
        prop::collection::vec(pool, 1..=2),
        any::<u64>(),
    )
        .prop_flat_map(move |(count, pools, seed)| {
            prop::collection::vec(task(count, pools.len()), count).prop_map(move |tasks| Program {
                pools: pools.clone(),
                tasks,
                seed,
            })
        })
}

/// Returns what each task follows: its leader and what comes next. Nothing is followed by two.
pub(super) fn choose_leaders(plans: &[TaskPlan]) -> Vec<Option<(usize, Option<usize>)>> {
    let mut free = Vec::new();
    let mut chosen = Vec::new();
    for (task, plan) in plans.iter().enumerate() {
        let leader = plan
            .follows
            .as_ref()
            .and_then(|it| take(&mut free, it.leader));
        chosen.push(leader.map(|leader| (leader, None)));
        free.push(task);
    }
    for (plan, chosen) in plans.iter().zip(&mut chosen) {
        if let (Some(follows), Some((_, next))) = (&plan.follows, chosen) {
            *next = follows.next.and_then(|choice| take(&mut free, choice));
        }
    }
    chosen
}

/// Takes the element that a number chooses.
fn take(from: &mut Vec<usize>, choice: usize) -> Option<usize> {
    let count = from.len();
    (count > 0).then(|| from.remove(choice % count))
}
