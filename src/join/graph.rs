//! Who waits for whom: the wait graph, and the refusal of waits that could never end.
//!
//! A wait is entered here before its thread parks and left when it ends. An untimed wait by a task
//! is refused when it would close a ring. Both happen under one lock, so of two joins that race to
//! close a ring exactly one sees the other and is refused.
//!
//! A task is *free* when it can still go on by itself: it does not wait, or it waits with a
//! deadline, or enough of what it waits for is free. A wait is refused when its task would not be
//! free. For plain joins that is a search for a ring; the wider rule also covers waits for one of
//! several tasks, where a ring is no harm while another member can end the wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::cell::Header;
use super::context;
use super::outcome::TaskId;
use super::sync::{Mutex, Thread, current_thread, lock};

/// A snapshot of all waits that last.
///
/// ```
/// use meanwhile::join::{WaitGraph, wait_graph};
///
/// fn shown(graph: &WaitGraph) -> String {
///     match graph.waits.len() {
///         0 => "nobody waits".to_owned(),
///         count => format!("{count} waiting"),
///     }
/// }
///
/// assert_eq!(shown(&wait_graph()), "nobody waits");
/// ```
#[derive(Clone, Debug, Default)]
pub struct WaitGraph {
    /// The waits, tasks first, in the order of their numbers.
    pub waits: Vec<WaitInfo>,
}

/// One thread that waits.
///
/// ```
/// use meanwhile::join::{self, WaitInfo};
/// use std::time::Duration;
///
/// fn row(wait: &WaitInfo) -> String {
///     let waiter = wait.thread_name.as_deref().unwrap_or("a thread");
///     let targets: Vec<String> = wait.targets.iter().map(ToString::to_string).collect();
///     let end = wait.deadline.map_or("", |_| ", with a deadline");
///     format!("{waiter} waits for {}{end}", targets.join(" and "))
/// }
///
/// let slow = join::spawn("slow", |context| -> () { loop { context.checkpoint() } })?;
/// let joiner = join::spawn("joiner", {
///     let slow = slow.clone();
///     move |_| slow.join_timeout(Duration::from_secs(3_600)).is_err()
/// })?;
/// let wait = loop {
///     if let Some(wait) = join::wait_graph().waits.pop() {
///         break wait;
///     }
/// };
/// assert_eq!(wait.waiter, Some(joiner.id()));
/// assert_eq!(row(&wait), format!("joiner waits for {}, with a deadline", slow.id()));
/// slow.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct WaitInfo {
    /// The task that waits; `None` for a thread that runs no task.
    pub waiter: Option<TaskId>,
    /// The name of the thread that waits, if it has one.
    pub thread_name: Option<String>,
    /// The tasks it waits for that have not ended.
    pub targets: Vec<TaskId>,
    /// The child process it waits for, by its number in the system.
    pub process: Option<u32>,
    /// Since when.
    pub since: Instant,
    /// Until when at most; `None`: without a deadline.
    pub deadline: Option<Instant>,
}

/// How many of its targets a wait needs to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    All,
    Any,
}

/// What a wait is about to do.
#[derive(Clone)]
pub(crate) struct Intent {
    pub(crate) targets: Targets,
    pub(crate) need: Need,
    pub(crate) deadline: Option<Instant>,
}

/// One target needs no list.
#[derive(Clone)]
pub(crate) enum Targets {
    One(Arc<Header>),
    Many(Arc<[Arc<Header>]>),
    /// A child process, by its number: it waits for nobody, so no ring goes through it.
    #[cfg_attr(
        any(not(unix), loom),
        expect(dead_code, reason = "there are processes on Unix only")
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

/// The waits of one process (or of one model).
pub(crate) struct Graph {
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next_thread: u64,
    entries: BTreeMap<Key, Entry>,
}

/// Tasks sort first: a search for rings looks at them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Task(TaskId),
    Thread(u64),
}

struct Entry {
    intent: Intent,
    since: Instant,
    thread: Thread,
    breakable: bool,
    broken: Option<Vec<TaskId>>,
}

impl Entry {
    /// Whether something other than its targets ends this wait.
    fn ends_by_itself(&self) -> bool {
        self.intent.deadline.is_some() || self.broken.is_some()
    }
}

/// A wait that stands in the graph until it is dropped.
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

    /// Enters a wait of the current thread; `Err` with the ring that it would close.
    pub(crate) fn enter(&self, intent: Intent) -> Result<Wait<'_>, Vec<TaskId>> {
        let mut waits = lock(&self.waits);
        let key = waits.insert(intent, true);
        if let Key::Task(waiter) = key
            && let Some(ring) = waits.ring(waiter)
        {
            waits.entries.remove(&key);
            return Err(ring);
        }
        Ok(Wait { graph: self, key })
    }

    /// Enters a wait that can't be refused. Where it closes a ring, another wait of that ring is
    /// broken instead: that one returns with the ring.
    pub(crate) fn enter_breaking(&self, intent: Intent) -> Wait<'_> {
        let (key, broken) = {
            let mut waits = lock(&self.waits);
            let key = waits.insert(intent, false);
            (key, waits.break_rings(key))
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
        let key = context::current().map_or_else(
            || {
                self.next_thread += 1;
                Key::Thread(self.next_thread)
            },
            Key::Task,
        );
        self.entries.insert(
            key,
            Entry {
                intent,
                since: Instant::now(),
                thread: current_thread(),
                breakable,
                broken: None,
            },
        );
        key
    }

    /// The ring that keeps `waiter` from ever going on, beginning with it where it is a member.
    fn ring(&self, waiter: TaskId) -> Option<Vec<TaskId>> {
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

    /// The tasks that `waiter` waits for through any number of waits, itself included.
    fn reachable(&self, waiter: TaskId) -> BTreeSet<TaskId> {
        let mut reached = BTreeSet::from([waiter]);
        let mut open = vec![waiter];
        while let Some(task) = open.pop() {
            open.extend(self.targets(task).filter(|target| reached.insert(*target)));
        }
        reached
    }

    /// Takes the free tasks out of a set that is closed under waiting, until none is left.
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

    /// Breaks waits until the one at `key` stands in no ring; the threads are to be woken.
    fn break_rings(&mut self, key: Key) -> Vec<Thread> {
        let mut broken = Vec::new();
        if let Key::Task(waiter) = key {
            while let Some(ring) = self.ring(waiter)
                && let Some(thread) = self.break_one(&ring)
            {
                broken.push(thread);
            }
        }
        broken
    }

    /// Breaks the wait of one member that may be broken.
    fn break_one(&mut self, ring: &[TaskId]) -> Option<Thread> {
        let victim = ring.iter().rposition(|task| {
            self.entries
                .get(&Key::Task(*task))
                .is_some_and(|entry| entry.breakable)
        })?;
        let mut cycle = ring.to_vec();
        cycle.rotate_left(victim);
        let entry = self.entries.get_mut(&Key::Task(ring[victim]))?;
        entry.broken = Some(cycle);
        Some(entry.thread.clone())
    }
}

impl Wait<'_> {
    /// The ring for whose sake this wait was broken.
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
        drop(entry);
    }
}

/// The graph of this process.
pub(crate) fn global() -> &'static Graph {
    static GRAPH: std::sync::LazyLock<Graph> = std::sync::LazyLock::new(Graph::new);
    &GRAPH
}

/// Who waits for whom right now, through any join of this module.
///
/// For looking at: a wait may end while one reads.
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
