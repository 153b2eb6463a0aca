//! The graph of waits, and the refusal of waits that could never end.
//!
//! A wait enters the graph before its thread parks and leaves it when it ends. A task's wait
//! without a deadline is refused when it would close a deadlock cycle. Check and entry happen under
//! one lock: if two joins race to close a cycle, exactly one sees the other and is refused.
//!
//! A task is *free* when it can still make progress: it does not wait, or it waits with a deadline,
//! or enough of its targets are free. A wait is refused when its task would not be free. For plain
//! joins this is a search for a cycle. The wider rule also covers waits for one of several tasks,
//! where a cycle does no harm while another member can end the wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::current::current;
use super::header::Header;
use super::id::TaskId;
use super::sync::{Mutex, Thread, current_thread, lock};

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
#[derive(Clone)]
pub(crate) struct Intent {
    pub(crate) targets: Targets,
    pub(crate) need: Need,
    pub(crate) deadline: Option<Instant>,
}

/// The targets of a wait. A single task needs no list.
#[derive(Clone)]
pub(crate) enum Targets {
    One(Arc<Header>),
    Many(Arc<[Arc<Header>]>),
    /// A child process, by its process id. It joins no task, so no cycle goes through it.
    #[cfg_attr(
        any(not(unix), loom),
        expect(dead_code, reason = "processes exist on Unix only")
    )]
    Process(u32),
}

impl Targets {
    fn unfinished(&self) -> impl Iterator<Item = &Arc<Header>> {
        let all = match self {
            Self::One(target) => std::slice::from_ref(target),
            Self::Many(targets) => targets,
            Self::Process(_) => &[],
        };
        all.iter().filter(|target| !target.is_finished())
    }
}

/// The waits of a process (or of a model).
pub(crate) struct Graph {
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next_thread: u64,
    entries: BTreeMap<Key, WaitEntry>,
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
}

impl WaitEntry {
    /// Whether this wait ends without its targets.
    fn ends_by_itself(&self) -> bool {
        self.intent.deadline.is_some() || self.broken.is_some()
    }
}

/// A wait that stays in the graph until it is dropped.
pub(crate) struct Wait<'a> {
    graph: &'a Graph,
    key: Key,
}

impl Graph {
    pub(crate) fn new() -> Self {
        Self {
            waits: Mutex::new(Waits::default()),
        }
    }

    /// Enters a wait of the current thread. Returns the cycle that it would close, as an error.
    pub(crate) fn enter(&self, intent: Intent) -> Result<Wait<'_>, Vec<TaskId>> {
        let mut waits = lock(&self.waits);
        let key = waits.insert(intent, true);
        if let Key::Task(waiter) = key
            && let Some(cycle) = waits.cycle_of(waiter)
        {
            waits.entries.remove(&key);
            return Err(cycle);
        }
        Ok(Wait { graph: self, key })
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
        WaitGraph {
            waits: waits
                .entries
                .iter()
                .map(|(key, entry)| WaitInfo {
                    waiter: match key {
                        Key::Task(task) => Some(*task),
                        Key::Thread(_) => None,
                    },
                    thread_name: entry.thread.name().map(str::to_owned),
                    targets: entry.intent.targets.unfinished().map(|t| t.id()).collect(),
                    process: match entry.intent.targets {
                        Targets::Process(pid) => Some(pid),
                        Targets::One(_) | Targets::Many(_) => None,
                    },
                    since: entry.since,
                    deadline: entry.intent.deadline,
                })
                .collect(),
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
            },
        );
        key
    }

    /// Returns the cycle that blocks `waiter` forever. It begins with `waiter` if that is a member.
    fn cycle_of(&self, waiter: TaskId) -> Option<Vec<TaskId>> {
        let stuck = self.stuck(self.reachable(waiter));
        if !stuck.contains(&waiter) {
            return None;
        }
        let mut path = vec![waiter];
        loop {
            let last = *path.last()?;
            let next = self.targets(last).find(|target| stuck.contains(target))?;
            if let Some(start) = path.iter().position(|task| *task == next) {
                return Some(path.split_off(start));
            }
            path.push(next);
        }
    }

    /// The tasks that `waiter` waits for, directly or through others, itself included.
    fn reachable(&self, waiter: TaskId) -> BTreeSet<TaskId> {
        let mut reached = BTreeSet::from([waiter]);
        let mut open = vec![waiter];
        while let Some(task) = open.pop() {
            open.extend(self.targets(task).filter(|target| reached.insert(*target)));
        }
        reached
    }

    /// Removes free tasks until none is left. The set must have the targets of all its members.
    fn stuck(&self, mut tasks: BTreeSet<TaskId>) -> BTreeSet<TaskId> {
        loop {
            let free: Vec<TaskId> = tasks
                .iter()
                .copied()
                .filter(|task| self.is_free(*task, &tasks))
                .collect();
            if free.is_empty() {
                return tasks;
            }
            for task in free {
                tasks.remove(&task);
            }
        }
    }

    fn is_free(&self, task: TaskId, stuck: &BTreeSet<TaskId>) -> bool {
        let Some(entry) = self.entries.get(&Key::Task(task)) else {
            return true;
        };
        if entry.ends_by_itself() {
            return true;
        }
        let mut targets = entry.intent.targets.unfinished().map(|t| t.id()).peekable();
        match entry.intent.need {
            Need::All => targets.all(|target| !stuck.contains(&target)),
            Need::Any => targets.peek().is_none() || targets.any(|target| !stuck.contains(&target)),
        }
    }

    fn targets(&self, task: TaskId) -> impl Iterator<Item = TaskId> {
        self.entries
            .get(&Key::Task(task))
            .filter(|entry| !entry.ends_by_itself())
            .into_iter()
            .flat_map(|entry| entry.intent.targets.unfinished().map(|t| t.id()))
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
        let victim = cycle.iter().rposition(|task| {
            self.entries
                .get(&Key::Task(*task))
                .is_some_and(|entry| entry.breakable)
        })?;
        let entry = self.entries.get_mut(&Key::Task(cycle[victim]))?;
        let mut from_victim = cycle.to_vec();
        from_victim.rotate_left(victim);
        entry.broken = Some(from_victim);
        Some(entry.thread.clone())
    }
}

impl Wait<'_> {
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
