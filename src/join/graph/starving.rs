//! The waits whose pools starve: all threads wait for tasks that are queued behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::id::TaskId;
use super::super::sync::Thread;
use super::super::workers::{Shortage, StuckSpares, Workers, pool_here};
use super::intent::{Need, Refusal};
use super::search::{Needs, Node, stuck};
use super::shortages::{PoolShortage, Shortages};
use super::waits::{Key, WaitEntry, Waits};

impl Waits {
    /// Counts the wait of this thread for `waiter`, if it belongs to a pool and waits for tasks of that alone.
    /// Returns that pool.
    pub(super) fn begin_own_wait(&self, waiter: TaskId) -> Option<Arc<Workers>> {
        let pool = pool_here()?;
        let workers = self.pools.get(&pool)?;
        let targets = &self.entry(waiter)?.intent.targets;
        let counts = targets.begin_own_wait(pool, workers.own_waits());
        counts.then(|| workers.clone())
    }

    /// Returns the waits that starve by the own wait of this pool which has just begun.
    pub(super) fn shortages_of_own(&mut self, waiter: TaskId, workers: &Arc<Workers>) -> Shortages {
        let pool = workers.pool();
        if !workers.do_all_wait() {
            self.informed.remove(&pool);
            return self.shortages_of(waiter);
        }
        if !self.informed.contains(&pool) {
            let stuck = self.starving([Node::Task(waiter)]);
            let busy = self.busy_spares(pool).into_iter();
            let mut needed = busy.map(|(_, task)| Node::Task(task));
            if stuck.contains(&Node::Pool(pool)) && needed.all(|node| stuck.contains(&node)) {
                self.informed.insert(pool);
            }
            return self.shortages_among(&stuck);
        }
        let waits = self.entries.get_mut(&Key::Task(waiter));
        Shortages(vec![PoolShortage {
            workers: workers.clone(),
            waits: waits
                .and_then(|wait| wait.shortage_of(pool))
                .into_iter()
                .collect(),
            stuck: StuckSpares::All,
        }])
    }

    /// Returns the waits that starve by the wait of `waiter`.
    pub(super) fn shortages_of(&mut self, waiter: TaskId) -> Shortages {
        if !self.pools.values().any(|workers| self.do_all_wait(workers)) {
            return Shortages::default();
        }
        let stuck = self.starving([Node::Task(waiter)]);
        self.shortages_among(&stuck)
    }

    /// Whether each thread of a pool waits. Otherwise it does not starve, and that needs no search.
    fn do_all_wait(&self, workers: &Workers) -> bool {
        workers.do_all_run(|task| !self.is_free(task))
    }

    fn shortages_among(&mut self, stuck: &BTreeSet<Node>) -> Shortages {
        let mut short: BTreeMap<u64, Vec<Shortage>> = BTreeMap::new();
        for node in stuck {
            let Node::Task(task) = *node else { continue };
            let Some(entry) = self.entries.get_mut(&Key::Task(task)) else {
                continue;
            };
            for pool in entry.intent.targets.pools() {
                if !stuck.contains(&Node::Pool(pool)) {
                    continue;
                }
                // Even if the spare threads know of this wait, all of them may be stuck by now.
                let waits = short.entry(pool).or_default();
                waits.extend(entry.new_shortage(pool));
            }
        }
        let with_spares = |(pool, waits)| {
            Some(PoolShortage {
                workers: self.pools.get(&pool)?.clone(),
                waits,
                stuck: self.stuck_spares(pool),
            })
        };
        Shortages(short.into_iter().filter_map(with_spares).collect())
    }

    fn stuck_spares(&self, pool: u64) -> StuckSpares {
        let stuck = self.starving([Node::Spares(pool)]);
        let busy = self.busy_spares(pool).into_iter();
        let stuck = busy.filter(|(_, task)| stuck.contains(&Node::Task(*task)));
        StuckSpares::These(stuck.map(|(number, _)| number).collect())
    }

    /// Whether a pool needs a spare thread for one more task: each of its threads waits for a task that
    /// needs one, and fewer spare threads go on than it has threads.
    pub(super) fn is_short(&self, workers: &Workers) -> bool {
        let pool = workers.pool();
        if !self.do_all_wait(workers)
            || workers.has_spares(workers.threads(), |task| self.is_free(task))
        {
            return false;
        }
        let stuck = self.starving([Node::Pool(pool), Node::Spares(pool)]);
        let goes_on = |(_, task): &(u64, TaskId)| !stuck.contains(&Node::Task(*task));
        let going_on = self.busy_spares(pool).into_iter().filter(goes_on);
        stuck.contains(&Node::Pool(pool)) && going_on.count() < workers.threads()
    }

    /// Whether this task, which runs, does not wait any more.
    fn is_free(&self, task: TaskId) -> bool {
        !self.inner.contains_key(&task)
            && self
                .entry(task)
                .is_none_or(|entry| entry.needs_no_target() && entry.helped_by(task).is_none())
    }

    /// Refuses waits because no thread can run what they are short of, until neither `waiter` nor one of the
    /// pools is stuck any more. The caller must wake the threads.
    pub(super) fn break_starving(&mut self, waiter: TaskId, pools: &[u64]) -> Vec<Thread> {
        let mut broken = Vec::new();
        // A wait that began when the pool seemed to get a thread may be short of that too.
        let pools = pools.iter().copied().map(Node::Pool);
        for node in [Node::Task(waiter)].into_iter().chain(pools) {
            while let Some(victim) = self.newest_starving(node, waiter)
                && let Some(entry) = self.entries.get_mut(&Key::Task(victim))
            {
                entry.refuse(Refusal::NoThread);
                broken.extend(entry.thread.clone());
            }
        }
        broken
    }

    /// Returns the task of the newest wait that may be refused of those that keep `node` from going on.
    fn newest_starving(&self, node: Node, waiter: TaskId) -> Option<TaskId> {
        let stuck = self.starving([node]);
        if !stuck.contains(&node) {
            return None;
        }
        let may_fail = |task: TaskId, entry: &WaitEntry| {
            let is_seen = entry.intent.need != Need::Nothing || task == waiter;
            entry.breakable && is_seen && entry.broken.is_none() && entry.helped_by(task).is_none()
        };
        let waits = stuck.iter().filter_map(|node| match *node {
            Node::Task(task) => Some((task, self.entry(task)?)),
            Node::Callbacks(_) | Node::Pool(_) | Node::Spares(_) => None,
        });
        let waits = waits.filter(|(task, entry)| may_fail(*task, entry));
        waits
            .max_by_key(|(_, entry)| entry.number)
            .map(|(task, _)| task)
    }

    fn starving<const N: usize>(&self, start: [Node; N]) -> BTreeSet<Node> {
        stuck(start, |node| self.needs_for_each_target(node))
    }

    /// What a node needs so that each target of its wait can end, if no pool gets a spare thread.
    fn needs_for_each_target(&self, node: Node) -> Needs {
        match node {
            Node::Pool(pool) => match self.pools.get(&pool).and_then(|it| it.running()) {
                Some(tasks) => Needs::Any(tasks.into_iter().map(Node::Task).collect()),
                None => Needs::nothing(),
            },
            Node::Spares(pool) => {
                let tasks = self.busy_spares(pool).into_iter();
                Needs::All(tasks.map(|(_, task)| Node::Task(task)).collect())
            }
            Node::Task(task) => match self.entry(task) {
                // The wait is checked again after that, or it has ended.
                Some(entry) if entry.helped_by(task).is_some() => entry.needs_helped(task),
                Some(entry) if !entry.needs_no_target() => {
                    let mut nodes = self.waiting_targets(entry);
                    nodes.extend(entry.intent.targets.pools().into_iter().map(Node::Pool));
                    Needs::All(nodes)
                }
                Some(_) => Needs::nothing(),
                None => self.needs_inner(task),
            },
            Node::Callbacks(task) => self.needs_callbacks(task),
        }
    }

    fn busy_spares(&self, pool: u64) -> Vec<(u64, TaskId)> {
        let workers = self.pools.get(&pool);
        workers.map_or_else(Vec::new, |workers| workers.busy_spares())
    }
}

impl WaitEntry {
    /// The shortage of this wait, if it has targets queued on the pool and the spare threads of that do not
    /// know it.
    fn shortage_of(&mut self, pool: u64) -> Option<Shortage> {
        let is_queued = self.intent.targets.pools().contains(&pool);
        is_queued.then(|| self.new_shortage(pool)).flatten()
    }

    fn new_shortage(&mut self, pool: u64) -> Option<Shortage> {
        if self.short_of.contains(&pool) {
            return None;
        }
        self.short_of.push(pool);
        let lifetime = self.lifetime.get_or_insert_default();
        Some(Shortage::new(self.intent.targets.clone(), lifetime))
    }
}
