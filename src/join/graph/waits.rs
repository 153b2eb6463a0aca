//! The waits of a graph, and the cycles among them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use super::super::current::{self, current};
use super::super::header::Header;
use super::super::id::TaskId;
use super::super::innermost::InnermostTask;
use super::super::sync::{Thread, current_thread};
use super::super::targets::Targets;
use super::super::workers::{Workers, outer_running_here, running_here};
use super::intent::{Intent, Need, Refusal};
use super::search::{Needs, Node, stuck};

#[derive(Default)]
pub(super) struct Waits {
    pub(super) next_number: u64,
    pub(super) entries: BTreeMap<Key, WaitEntry>,
    pub(super) pools: BTreeMap<u64, Arc<Workers>>,
    /// The pools whose spare threads know all own waits of the pool.
    pub(super) informed: BTreeSet<u64>,
    /// For tasks whose threads run the code of another task meanwhile, such as the closure of a
    /// follower that waits: that one.
    pub(super) inner: BTreeMap<TaskId, TaskId>,
    /// For tasks whose callbacks wait: the one that waits on that thread.
    callbacks: BTreeMap<TaskId, TaskId>,
}

/// The waits of code that runs at the end of a task are those of tasks with numbers from here. No real task has one.
const FIRST_NAMELESS: u64 = 1 << 63;

/// Tasks sort first, as in [`WaitGraph::waits`]. Threads that run no task take part in no cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Task(TaskId),
    Thread(u64),
}

impl Key {
    /// The task that waits, unless it is code at the end of a task.
    pub(super) fn task(self) -> Option<TaskId> {
        match self {
            Self::Task(task) if task.get() < FIRST_NAMELESS => Some(task),
            Self::Task(_) | Self::Thread(_) => None,
        }
    }
}

/// What the thread of a wait did before, which is noted again after the wait.
#[derive(Default)]
pub(super) struct Before {
    /// Where a worker notes what it runs, and what that was.
    running: Option<(InnermostTask, Option<TaskId>)>,
    outer_running: Vec<(InnermostTask, Option<TaskId>)>,
    /// The tasks around the one that waits, and what each had run inside of it.
    outer: Vec<(TaskId, Option<TaskId>)>,
    /// The tasks whose callbacks run around it, and who had waited in these.
    callbacks: Vec<(TaskId, Option<TaskId>)>,
}

pub(super) struct WaitEntry {
    pub(super) number: u64,
    pub(super) intent: Intent,
    pub(super) since: Instant,
    /// `None` for a task that waits without a thread.
    pub(super) thread: Option<Thread>,
    pub(super) breakable: bool,
    /// Whether the wait may park. Until then it may still be refused.
    pub(super) is_checked: bool,
    pub(super) broken: Option<Refusal>,
    /// The task that this thread runs inside of the wait. The wait can't end before it, not even
    /// when it is broken.
    pub(super) helps: Option<InnermostTask>,
    /// Lives as long as the entry; made when a pool first needs it.
    pub(super) lifetime: Option<Arc<()>>,
    /// The pools whose spare threads know of this wait.
    pub(super) short_of: Vec<u64>,
    /// The wait of the same task in which this one is nested: a callback of a task that it helps
    /// may wait too.
    pub(super) outer: Option<Box<Self>>,
    before: Before,
}

/// The cycle without waits of code that runs at the end of a task.
pub(super) fn shown(mut cycle: Vec<TaskId>) -> Vec<TaskId> {
    cycle.retain(|task| task.get() < FIRST_NAMELESS);
    cycle
}

impl WaitEntry {
    /// Returns how this wait has ended, if it was not refused.
    pub(super) fn outcome(&self) -> &'static str {
        let is_late = || self.intent.deadline.is_some_and(|it| it <= Instant::now());
        if let Some(refusal) = &self.broken {
            refusal.name()
        } else if !self.intent.targets.have_ended() && is_late() {
            "timed out"
        } else {
            "ended"
        }
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.broken = Some(refusal);
        self.intent.targets.end_own_wait();
    }

    /// Whether this wait ends without a further target.
    pub(super) fn needs_no_target(&self) -> bool {
        self.broken.is_some() || self.intent.targets.are_satisfied()
    }

    /// What the wait of `task` needs when its targets don't count.
    pub(super) fn needs_helped(&self, task: TaskId) -> Needs {
        Needs::All(self.helped_by(task).map(Node::Task).into_iter().collect())
    }

    /// The task that runs on the thread of `task` inside of this wait.
    pub(super) fn helped_by(&self, task: TaskId) -> Option<TaskId> {
        let running = self.helps.as_ref()?.get();
        running.filter(|running| *running != task)
    }
}

impl Waits {
    /// Inserts a wait of the current thread.
    pub(super) fn insert(&mut self, intent: Intent, breakable: bool) -> (Key, u64) {
        let running = running_here();
        let key = match (current(), &running) {
            (Some(task), _) => Key::Task(task),
            (None, None) if current::calling().is_empty() => Key::Thread(self.next_number + 1),
            (None, _) => Key::Task(TaskId::new(FIRST_NAMELESS + self.next_number)),
        };
        let number = self.insert_at(key, Some(current_thread()), intent, breakable);
        if let Key::Task(waiter) = key {
            let before = self.note_waiter(waiter, running);
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.before = before;
            }
        }
        (key, number)
    }

    /// Notes that the thread of `waiter` can't go on before it, nor can the tasks around it.
    fn note_waiter(&mut self, waiter: TaskId, running: Option<InnermostTask>) -> Before {
        let note = |running: InnermostTask| {
            let before = running.replace(Some(waiter));
            (running, before)
        };
        let running = running.map(note);
        let outer_running = outer_running_here().into_iter().map(note).collect();
        let mut outer = Vec::new();
        let mut inner = waiter;
        for task in current::outer().into_iter().rev() {
            if task != inner && task != waiter {
                outer.push((task, self.inner.insert(task, inner)));
                inner = task;
            }
        }
        let calling = current::calling().into_iter();
        let callbacks = calling.map(|task| (task, self.callbacks.insert(task, waiter)));
        Before {
            running,
            outer_running,
            outer,
            callbacks: callbacks.collect(),
        }
    }

    fn restore(&mut self, waiter: TaskId, before: Before) {
        for (running, task) in before.running.into_iter().chain(before.outer_running) {
            running.replace(task);
        }
        for (task, inner) in before.outer.into_iter().rev() {
            match inner {
                Some(inner) => self.inner.insert(task, inner),
                None => self.inner.remove(&task),
            };
        }
        for (task, before) in before.callbacks.into_iter().rev() {
            // A callback that was added after the end runs on another thread.
            if self.callbacks.get(&task) != Some(&waiter) {
                continue;
            }
            match before {
                Some(before) => self.callbacks.insert(task, before),
                None => self.callbacks.remove(&task),
            };
        }
    }

    /// Inserts a wait of this task or thread, and returns its number. Without a thread, nothing parks.
    pub(super) fn insert_at(
        &mut self,
        key: Key,
        thread: Option<Thread>,
        intent: Intent,
        breakable: bool,
    ) -> u64 {
        self.next_number += 1;
        let number = self.next_number;
        let entry = WaitEntry {
            number,
            intent,
            since: Instant::now(),
            thread,
            breakable,
            is_checked: !breakable,
            broken: None,
            helps: None,
            lifetime: None,
            short_of: Vec::new(),
            outer: self.entries.remove(&key).map(Box::new),
            before: Before::default(),
        };
        self.entries.insert(key, entry);
        number
    }

    /// Removes a wait, if it is still there, and returns to the one in which it is nested. The
    /// caller must drop the entry after the lock is released.
    pub(super) fn remove(&mut self, key: Key, number: u64) -> Option<WaitEntry> {
        self.entries.get(&key).filter(|it| it.number == number)?;
        let mut entry = self.entries.remove(&key)?;
        entry.intent.targets.end_own_wait();
        if let Key::Task(waiter) = key {
            self.restore(waiter, std::mem::take(&mut entry.before));
        }
        if let Some(outer) = entry.outer.take() {
            self.entries.insert(key, *outer);
        }
        Some(entry)
    }

    pub(super) fn entry(&self, task: TaskId) -> Option<&WaitEntry> {
        self.entries.get(&Key::Task(task))
    }

    /// Returns the unfinished targets of a wait that wait themselves.
    pub(super) fn waiting_targets(&self, entry: &WaitEntry) -> Vec<Node> {
        let targets = &entry.intent.targets;
        if let Targets::Callbacks(calls) = targets {
            let node = Node::Callbacks(calls.task());
            let waits = self.callbacks.contains_key(&calls.task());
            return waits.then_some(node).into_iter().collect();
        }
        let is_waiting = |task: &Header| {
            #[cfg(all(test, not(any(loom, other_unix))))]
            super::visits::count();
            let id = task.id();
            self.entries.contains_key(&Key::Task(id)) || self.inner.contains_key(&id)
        };
        let found = if targets.len() <= self.entries.len() + self.inner.len() {
            targets.filter(is_waiting)
        } else {
            let waiting: BTreeSet<_> = self.waiting_tasks().collect();
            waiting
                .into_iter()
                .filter(|task| {
                    #[cfg(all(test, not(any(loom, other_unix))))]
                    super::visits::count();
                    targets.contains(*task)
                })
                .collect()
        };
        found.into_iter().map(Node::Task).collect()
    }

    fn waiting_tasks(&self) -> impl Iterator<Item = TaskId> {
        let tasks = (Bound::Unbounded, Bound::Excluded(Key::Thread(0)));
        let waiting = self.entries.range(tasks).filter_map(|(key, _)| key.task());
        waiting.chain(self.inner.keys().copied())
    }

    /// What a task without a wait of its own needs.
    pub(super) fn needs_inner(&self, task: TaskId) -> Needs {
        let inner = self.inner.get(&task);
        Needs::All(inner.copied().map(Node::Task).into_iter().collect())
    }

    /// What the thread that runs the callbacks of a task needs.
    pub(super) fn needs_callbacks(&self, task: TaskId) -> Needs {
        let waiter = self.callbacks.get(&task);
        Needs::All(waiter.copied().map(Node::Task).into_iter().collect())
    }

    /// What a node needs to go on, if pools never starve and deadlines end waits. A wait other than
    /// that of `waiter` counts only once it is checked: if it closes a cycle, its own check refuses
    /// it, and not that of a wait which only leads to the cycle.
    fn needs_to_end(&self, node: Node, waiter: TaskId) -> Needs {
        let task = match node {
            Node::Task(task) => task,
            Node::Callbacks(task) => return self.needs_callbacks(task),
            Node::Pool(_) | Node::Spares(_) => return Needs::nothing(),
        };
        let Some(entry) = self.entry(task) else {
            return self.needs_inner(task);
        };
        // Read first: of a target that ends meanwhile, either this still counts it, or the wait is
        // satisfied by then.
        let unfinished = entry.intent.targets.unfinished();
        let counts = entry.is_checked || task == waiter;
        if !counts || entry.intent.deadline.is_some() || entry.needs_no_target() {
            return entry.needs_helped(task);
        }
        let mut waiting = self.waiting_targets(entry);
        match entry.intent.need {
            Need::All => {
                waiting.extend(entry.helped_by(task).map(Node::Task));
                Needs::All(waiting)
            }
            Need::Any if waiting.len() < unfinished => Needs::nothing(),
            Need::Any => Needs::Any(waiting),
            Need::Nothing => Needs::nothing(),
        }
    }

    /// Whether the wait of `waiter` needs one target alone, and the first of them that has not ended can go
    /// on. Mostly that is so, and then the others need no search.
    fn first_target_ends(&self, waiter: TaskId) -> bool {
        let any = self
            .entry(waiter)
            .filter(|entry| entry.intent.need == Need::Any);
        let first = any.and_then(|entry| entry.intent.targets.first_unfinished());
        first.is_some_and(|first| {
            let first = Node::Task(first);
            !stuck([first], |node| self.needs_to_end(node, waiter)).contains(&first)
        })
    }

    /// Returns the cycle that blocks `waiter` forever. It begins with `waiter` if that is a member.
    pub(super) fn cycle_of(&self, waiter: TaskId) -> Option<Vec<TaskId>> {
        if self.first_target_ends(waiter) {
            return None;
        }
        let stuck = stuck([Node::Task(waiter)], |node| self.needs_to_end(node, waiter));
        if !stuck.contains(&Node::Task(waiter)) {
            return None;
        }
        let mut path = vec![Node::Task(waiter)];
        loop {
            let needs = self.needs_to_end(*path.last()?, waiter);
            let mut nodes = needs.nodes().iter();
            let next = *nodes.find(|node| stuck.contains(node))?;
            if let Some(start) = path.iter().position(|node| *node == next) {
                let cycle = path.split_off(start).into_iter();
                return Some(cycle.filter_map(Node::task).collect());
            }
            path.push(next);
        }
    }

    /// Breaks waits until the one at `key` is in no cycle. The caller must wake the threads.
    pub(super) fn break_cycles(&mut self, key: Key) -> Vec<Thread> {
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

    /// Breaks the wait of one member that may be broken. One that runs the next member inside of its wait
    /// would not go on.
    fn break_one(&mut self, cycle: &[TaskId]) -> Option<Thread> {
        let may_break = |task: TaskId, next: TaskId| {
            self.entry(task).is_some_and(|entry| {
                entry.breakable && entry.broken.is_none() && entry.helped_by(task) != Some(next)
            })
        };
        let next = |at: usize| cycle[(at + 1) % cycle.len()];
        let victim = (0..cycle.len())
            .rev()
            .find(|at| may_break(cycle[*at], next(*at)))?;
        let entry = self.entries.get_mut(&Key::Task(cycle[victim]))?;
        let mut from_victim = cycle.to_vec();
        from_victim.rotate_left(victim);
        entry.refuse(Refusal::Cycle(shown(from_victim)));
        entry.thread.clone()
    }
}
