//! The graph of waits: the refusal of waits that could never end, and the spare threads for pools
//! whose threads all wait.
//!
//! A wait enters the graph before its thread parks and leaves it when it ends. Check and entry
//! happen under one lock: if two joins race to close a cycle, exactly one sees the other and is
//! refused. Only a wait that begins can make a task stuck, so a check at each beginning finds all.
//!
//! Two questions are asked of each wait that begins.
//!
//! *Could it never end?* A task can go on when it does not wait, when its wait has a deadline, or
//! when enough of its targets can go on. A task that is queued can go on, because its pool never
//! starves. If the waiting task can't go on, the wait is refused with the cycle that it would close.
//! For plain joins this is a search for a cycle. The wider rule also covers waits for one of several
//! tasks, where a cycle does no harm while another member can end the wait.
//!
//! *Does its pool starve?* Now a queued task needs a thread of its pool that can go on, and a
//! deadline does not count, because a wait should succeed before its deadline. If a wait is stuck by
//! this rule, its queued targets are a [`Shortage`], and the caller has spare threads run them; see
//! `workers`.
//!
//! A check looks only at tasks that wait, of which there are no more than threads. A wait for many
//! tasks does not list them.

mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use self::search::{Needs, Node, stuck};
use super::current::current;
use super::id::TaskId;
use super::sync::{Mutex, Thread, current_thread, lock};
use super::targets::Targets;
use super::workers::{RunningTask, Shortage, Workers};

/// A snapshot of all waits in progress; see [`wait_graph`].
#[derive(Clone, Debug, Default)]
pub struct WaitGraph {
    /// The waits, tasks first, in the order of their numbers.
    pub waits: Vec<WaitInfo>,
}

/// One waiting thread.
#[derive(Clone, Debug)]
pub struct WaitInfo {
    /// The task that waits; `None` for a thread that runs no task.
    pub waiter: Option<TaskId>,
    /// The name of the thread that waits, if it has one.
    pub thread_name: Option<String>,
    /// The tasks it waits for that have not ended.
    pub targets: Vec<TaskId>,
    /// The process id of the child process it waits for.
    pub process: Option<u32>,
    /// The time at which the wait began.
    pub since: Instant,
    /// The time at which the wait times out; `None` without a timeout.
    pub deadline: Option<Instant>,
}

/// The targets that must end for a wait to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    All,
    Any,
}

/// A wait that a thread is about to begin.
pub(crate) struct Intent {
    pub(crate) targets: Targets,
    pub(crate) need: Need,
    pub(crate) deadline: Option<Instant>,
}

/// The waits and pools of a process (or of a model).
pub(crate) struct Graph {
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next_thread: u64,
    entries: BTreeMap<Key, WaitEntry>,
    pools: BTreeMap<u64, Arc<Workers>>,
}

/// Tasks sort first, as in [`WaitGraph::waits`]. Threads that run no task take part in no cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Task(TaskId),
    Thread(u64),
}

struct WaitEntry {
    intent: Intent,
    since: Instant,
    thread: Thread,
    breakable: bool,
    broken: Option<Vec<TaskId>>,
    /// The task that this thread runs inside of the wait. The wait can't end before it, not even
    /// when it is broken.
    helps: Option<RunningTask>,
    /// Lives as long as the entry; made when a pool first needs it.
    lifetime: Option<Arc<()>>,
    /// The pools whose spare threads know of this wait.
    short_of: Vec<u64>,
}

impl WaitEntry {
    /// Whether this wait ends without a further target.
    fn needs_no_target(&self) -> bool {
        self.broken.is_some() || self.intent.targets.are_satisfied()
    }

    /// What the wait of `task` needs when its targets don't count.
    fn needs_helped(&self, task: TaskId) -> Needs {
        Needs::All(self.helped_by(task).map(Node::Task).into_iter().collect())
    }

    /// The task that runs on the thread of `task` inside of this wait.
    fn helped_by(&self, task: TaskId) -> Option<TaskId> {
        let running = self.helps.as_ref()?.get();
        running.filter(|running| *running != task)
    }
}

/// A wait that stays in the graph until it is dropped.
pub(crate) struct Wait<'a> {
    graph: &'a Graph,
    key: Key,
}

/// The waits that need spare threads. They must be [served](Self::serve) before the thread parks.
#[must_use]
#[derive(Default)]
pub(crate) struct Shortages(pub(crate) Vec<PoolShortage>);

pub(crate) struct PoolShortage {
    pub(crate) workers: Arc<Workers>,
    pub(crate) waits: Vec<Shortage>,
    /// The spare threads that are stuck too.
    pub(crate) stuck: Vec<u64>,
}

impl Shortages {
    /// Wakes or starts spare threads.
    pub(crate) fn serve(self) {
        for pool in self.0 {
            pool.workers.serve(pool.waits, &pool.stuck);
        }
    }
}

impl Graph {
    pub(crate) fn new() -> Self {
        Self {
            waits: Mutex::new(Waits::default()),
        }
    }

    pub(crate) fn add_pool(&self, workers: Arc<Workers>) {
        lock(&self.waits).pools.insert(workers.pool(), workers);
    }

    pub(crate) fn remove_pool(&self, pool: u64) {
        let removed = lock(&self.waits).pools.remove(&pool);
        // Dropped after the lock is released.
        drop(removed);
    }

    /// Enters a wait of the current thread, before it helps or parks. It must be
    /// [checked](Wait::check) before it parks.
    pub(crate) fn enter(&self, intent: Intent) -> Wait<'_> {
        let key = lock(&self.waits).insert(intent, true);
        Wait { graph: self, key }
    }

    /// Enters a wait that can't be refused. If it closes a cycle, another wait of the cycle fails
    /// instead, with the cycle as its error.
    pub(crate) fn enter_breaking(&self, intent: Intent) -> Wait<'_> {
        let (key, broken) = {
            let mut waits = lock(&self.waits);
            let key = waits.insert(intent, false);
            (key, waits.break_cycles(key))
        };
        for thread in broken {
            thread.unpark();
        }
        Wait { graph: self, key }
    }

    pub(crate) fn snapshot(&self) -> WaitGraph {
        let waits = lock(&self.waits);
        let info = |(key, entry): (&Key, &WaitEntry)| WaitInfo {
            waiter: match key {
                Key::Task(task) => Some(*task),
                Key::Thread(_) => None,
            },
            thread_name: entry.thread.name().map(str::to_owned),
            targets: {
                let all = entry.intent.targets.all().iter();
                all.filter(|t| !t.is_finished()).map(|t| t.id()).collect()
            },
            process: match entry.intent.targets {
                Targets::Process(pid) => Some(pid),
                Targets::One(_) | Targets::Many(_) => None,
            },
            since: entry.since,
            deadline: entry.intent.deadline,
        };
        WaitGraph {
            waits: waits.entries.iter().map(info).collect(),
        }
    }
}

impl Waits {
    fn insert(&mut self, intent: Intent, breakable: bool) -> Key {
        let key = current().map_or_else(
            || {
                self.next_thread += 1;
                Key::Thread(self.next_thread)
            },
            Key::Task,
        );
        self.entries.insert(
            key,
            WaitEntry {
                intent,
                since: Instant::now(),
                thread: current_thread(),
                breakable,
                broken: None,
                helps: None,
                lifetime: None,
                short_of: Vec::new(),
            },
        );
        key
    }

    fn entry(&self, task: TaskId) -> Option<&WaitEntry> {
        self.entries.get(&Key::Task(task))
    }

    /// Returns the unfinished targets of a wait that wait themselves.
    fn waiting_targets(&self, entry: &WaitEntry) -> Vec<Node> {
        let targets = &entry.intent.targets;
        let is_waiting = |task: &TaskId| self.entries.contains_key(&Key::Task(*task));
        let found: Vec<TaskId> = if targets.all().len() <= self.entries.len() {
            let ids = targets.all().iter().map(|target| target.id());
            ids.filter(is_waiting).collect()
        } else {
            self.waiting_tasks()
                .filter(|task| targets.contains(*task))
                .collect()
        };
        found.into_iter().map(Node::Task).collect()
    }

    fn waiting_tasks(&self) -> impl Iterator<Item = TaskId> {
        let tasks = (Bound::Unbounded, Bound::Excluded(Key::Thread(0)));
        self.entries.range(tasks).filter_map(|(key, _)| match key {
            Key::Task(task) => Some(*task),
            Key::Thread(_) => None,
        })
    }

    /// What a node needs to go on, if pools never starve and deadlines end waits.
    fn needs_to_end(&self, node: Node) -> Needs {
        let Node::Task(task) = node else {
            return Needs::nothing();
        };
        let Some(entry) = self.entry(task) else {
            return Needs::nothing();
        };
        if entry.intent.deadline.is_some() || entry.needs_no_target() {
            return entry.needs_helped(task);
        }
        let waiting = self.waiting_targets(entry);
        match entry.intent.need {
            Need::All => Needs::All(waiting),
            Need::Any if waiting.len() < entry.intent.targets.unfinished() => Needs::nothing(),
            Need::Any => Needs::Any(waiting),
        }
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
                _ => Needs::nothing(),
            },
        }
    }

    fn busy_spares(&self, pool: u64) -> Vec<(u64, TaskId)> {
        let workers = self.pools.get(&pool);
        workers.map_or_else(Vec::new, |workers| workers.busy_spares())
    }

    /// Returns the cycle that blocks `waiter` forever. It begins with `waiter` if that is a member.
    fn cycle_of(&self, waiter: TaskId) -> Option<Vec<TaskId>> {
        let stuck = stuck(Node::Task(waiter), |node| self.needs_to_end(node));
        if !stuck.contains(&Node::Task(waiter)) {
            return None;
        }
        let mut path = vec![waiter];
        loop {
            let task = *path.last()?;
            let last = self.entry(task)?;
            let is_stuck = |target: &TaskId| stuck.contains(&Node::Task(*target));
            let mut targets = last.intent.targets.all().iter().map(|target| target.id());
            let next = targets.find(is_stuck).or_else(|| last.helped_by(task))?;
            if let Some(start) = path.iter().position(|task| *task == next) {
                return Some(path.split_off(start));
            }
            path.push(next);
        }
    }

    /// Returns the waits that starve by the wait of `waiter`.
    fn shortages_of(&mut self, waiter: TaskId) -> Shortages {
        let stuck = self.starving(Node::Task(waiter));
        let mut short: BTreeMap<u64, Vec<Shortage>> = BTreeMap::new();
        for node in &stuck {
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
                if !entry.short_of.contains(&pool) {
                    entry.short_of.push(pool);
                    let lifetime = entry.lifetime.get_or_insert_default();
                    waits.push(Shortage::new(entry.intent.targets.clone(), lifetime));
                }
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

    fn stuck_spares(&self, pool: u64) -> Vec<u64> {
        let stuck = self.starving(Node::Spares(pool));
        let busy = self.busy_spares(pool).into_iter();
        busy.filter(|(_, task)| stuck.contains(&Node::Task(*task)))
            .map(|(number, _)| number)
            .collect()
    }

    fn starving(&self, start: Node) -> BTreeSet<Node> {
        stuck(start, |node| self.needs_for_each_target(node))
    }

    /// Breaks waits until the one at `key` is in no cycle. The caller must wake the threads.
    fn break_cycles(&mut self, key: Key) -> Vec<Thread> {
        let mut broken = Vec::new();
        if let Key::Task(waiter) = key {
            while let Some(cycle) = self.cycle_of(waiter)
                && let Some(thread) = self.break_one(&cycle)
            {
                broken.push(thread);
            }
        }
        broken
    }

    /// Breaks the wait of one member that may be broken.
    fn break_one(&mut self, cycle: &[TaskId]) -> Option<Thread> {
        let may_break = |task: &TaskId| {
            self.entry(*task)
                .is_some_and(|entry| entry.breakable && entry.broken.is_none())
        };
        let victim = cycle.iter().rposition(may_break)?;
        let entry = self.entries.get_mut(&Key::Task(cycle[victim]))?;
        let mut from_victim = cycle.to_vec();
        from_victim.rotate_left(victim);
        entry.broken = Some(from_victim);
        Some(entry.thread.clone())
    }
}

impl Wait<'_> {
    /// Checks the wait before its thread parks. Returns the cycle that it would close as an error;
    /// then the thread must not park.
    pub(crate) fn check(&self) -> Result<Shortages, Vec<TaskId>> {
        let Key::Task(waiter) = self.key else {
            return Ok(Shortages::default());
        };
        let mut waits = lock(&self.graph.waits);
        if let Some(entry) = waits.entries.get_mut(&self.key) {
            entry.helps = None;
        }
        match waits.cycle_of(waiter) {
            None => Ok(waits.shortages_of(waiter)),
            Some(cycle) => {
                // Another wait that closes the same cycle is not refused too.
                let entry = waits.entries.remove(&self.key);
                drop(waits);
                drop(entry);
                Err(cycle)
            }
        }
    }

    /// Like [`check`](Self::check), for a wait that is never refused.
    pub(crate) fn shortages(&self) -> Shortages {
        match self.key {
            Key::Task(waiter) => lock(&self.graph.waits).shortages_of(waiter),
            Key::Thread(_) => Shortages::default(),
        }
    }

    /// Notes that this thread runs a target inside of the wait, until the next [check](Self::check).
    pub(crate) fn set_helping(&self, running: RunningTask) {
        if let Some(entry) = lock(&self.graph.waits).entries.get_mut(&self.key) {
            entry.helps = Some(running);
        }
    }

    /// Returns the cycle that this wait was broken to end; `None` if it was not broken.
    pub(crate) fn broken(&self) -> Option<Vec<TaskId>> {
        match self.key {
            Key::Task(_) => lock(&self.graph.waits)
                .entries
                .get(&self.key)
                .and_then(|entry| entry.broken.clone()),
            Key::Thread(_) => None,
        }
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken().is_some()
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let entry = lock(&self.graph.waits).entries.remove(&self.key);
        // Dropped after the lock is released.
        drop(entry);
    }
}

/// The graph of this process.
pub(crate) fn global() -> &'static Graph {
    static GRAPH: std::sync::LazyLock<Graph> = std::sync::LazyLock::new(Graph::new);
    &GRAPH
}

/// Returns all waits of this process at this moment, through any join of this library.
///
/// It is meant for display: a wait may end before the caller reads it.
///
/// ```
/// use meanwhile::join;
/// use std::time::Duration;
///
/// let slow = join::spawn("slow", |context| loop { context.checkpoint() })?;
/// let joiner = join::spawn("joiner", {
///     let slow: join::Task<()> = slow.clone();
///     move |_| slow.join().is_err()
/// })?;
/// let edge = loop {
///     let graph = join::wait_graph();
///     if let Some(edge) = graph.waits.into_iter().find(|wait| wait.waiter == Some(joiner.id())) {
///         break edge;
///     }
/// };
/// assert_eq!(edge.targets, [slow.id()]);
/// assert_eq!(edge.deadline, None);
/// slow.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn wait_graph() -> WaitGraph {
    global().snapshot()
}
