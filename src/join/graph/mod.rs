//! The graph of waits: the refusal of waits that could never end, and the spare threads for pools
//! whose threads all wait.
//!
//! A wait enters the graph, is checked before its thread parks, and leaves when it ends. A check
//! either refuses the wait and removes it, or lets it count for later checks, under one lock: if two
//! joins race to close a cycle, exactly one is refused. Only a wait that begins can make a task
//! stuck, so a check at each beginning finds all.
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
//!
//! The lock order is in `sync`.

mod info;
mod intent;
mod search;
mod shortages;
mod starving;
#[cfg(all(test, not(any(loom, other_unix))))]
pub(crate) mod visits;
mod waits;

use std::sync::Arc;

#[cfg(not(loom))]
pub(crate) use self::info::ThreadWait;
pub use self::info::{WaitGraph, WaitInfo};
pub(crate) use self::intent::{Intent, Need, Refusal};
pub(crate) use self::shortages::Shortages;
use self::waits::{Key, WaitEntry, Waits, shown};
use super::header::Header;
use super::id::TaskId;
use super::innermost::InnermostTask;
use super::nested;
use super::sync::{Mutex, Thread, lazy, lock};
use super::targets::Targets;
use super::trace::WaitSpan;
use super::workers::Workers;

/// The waits and pools of a process (or of a model).
pub(crate) struct Graph {
    waits: Mutex<Waits>,
}

/// A wait that stays in the graph until it is dropped.
pub(crate) struct Wait<'a> {
    graph: &'a Graph,
    key: Key,
    number: u64,
    span: WaitSpan,
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

    /// Returns a queued task for a spare thread of a pool, if the pool needs that thread. Notes the task
    /// in `running` before another thread can ask.
    pub(crate) fn next_for_spare(&self, pool: u64, running: &InnermostTask) -> Option<Arc<Header>> {
        // Dropped after the locks are released.
        let mut served = Vec::new();
        let waits = lock(&self.waits);
        let workers = waits.pools.get(&pool)?;
        let task = workers.next_of_shortages(&mut served)?;
        if !waits.is_short(workers) {
            return None;
        }
        running.replace(Some(task.id()));
        Some(task)
    }

    /// Enters a wait of the current thread, before it helps or parks. It must be
    /// [checked](Wait::check) before it parks.
    pub(crate) fn enter(&self, intent: Intent) -> Wait<'_> {
        nested::run_due();
        let span = WaitSpan::enter(&intent.targets);
        let (key, number) = lock(&self.waits).insert(intent, true);
        Wait {
            graph: self,
            key,
            number,
            span,
        }
    }

    /// Enters a wait that can't be refused. If it closes a cycle, another wait of the cycle fails
    /// instead, with the cycle as its error.
    pub(crate) fn enter_breaking(&self, intent: Intent) -> Wait<'_> {
        nested::run_due();
        let span = WaitSpan::enter(&intent.targets);
        let (key, number, broken) = {
            let mut waits = lock(&self.waits);
            let (key, number) = waits.insert(intent, false);
            (key, number, waits.break_cycles(key))
        };
        for thread in broken {
            thread.unpark();
        }
        Wait {
            graph: self,
            key,
            number,
            span,
        }
    }

    /// Enters the wait of a new task for the one that it follows, before others can find the new task.
    /// No thread parks for it. Nothing waits for the task yet, so this wait needs no check.
    pub(crate) fn enter_new_follower(&self, task: TaskId, leader: Arc<Header>) -> Following<'_> {
        let key = Key::Task(task);
        let number = lock(&self.waits).insert_at(key, None, following(leader), false);
        Following {
            graph: self,
            task,
            number,
        }
    }

    /// Has threads run what waits are short of because of the one at `key`, which can't be refused.
    fn serve_for(&self, key: Key, mut shortages: Shortages) {
        while self.serve(key, shortages)
            && let Key::Task(waiter) = key
        {
            shortages = lock(&self.waits).shortages_of(waiter);
        }
    }

    /// Has threads run what pools are short of, or refuses waits. Returns whether this thread has run some
    /// of it. Then the wait must be checked again: one that began meanwhile counted on this thread.
    fn serve(&self, key: Key, shortages: Shortages) -> bool {
        let served = shortages.serve(|running| self.set_helping(key, running));
        if let Key::Task(waiter) = key
            && !served.refused.is_empty()
        {
            self.break_starving(waiter, &served.refused);
        }
        served.has_run
    }

    /// Notes that this thread runs tasks before the wait at `key` can end, until that is checked again.
    fn set_helping(&self, key: Key, running: InnermostTask) {
        if let Some(entry) = lock(&self.waits).entries.get_mut(&key) {
            entry.helps = Some(running);
            entry.is_checked = !entry.breakable;
            entry.intent.targets.end_own_wait();
        }
    }

    /// Refuses waits that keep a task or these pools from going on, since no thread can run what they are
    /// short of.
    pub(crate) fn break_starving(&self, task: TaskId, pools: &[u64]) {
        let broken = lock(&self.waits).break_starving(task, pools);
        for thread in broken {
            thread.unpark();
        }
    }

    /// Returns what a thread waits for, unless it runs another task meanwhile.
    #[cfg(not(loom))]
    pub(crate) fn wait_of(&self, thread: std::thread::ThreadId) -> Option<ThreadWait> {
        let waits = lock(&self.waits);
        let own = waits.entries.values().filter(|entry| {
            let waits = entry.thread.as_ref();
            waits.is_some_and(|waits| waits.id() == thread)
        });
        // A callback may wait inside of another wait.
        let entry = own.max_by_key(|entry| entry.number)?;
        let helps = entry
            .helps
            .as_ref()
            .is_some_and(|task| task.get().is_some());
        if helps || entry.broken.is_some() {
            return None;
        }
        Some(ThreadWait {
            number: entry.number,
            what: entry.intent.in_words()?,
            since: entry.since,
        })
    }

    pub(crate) fn snapshot(&self) -> WaitGraph {
        let waits = lock(&self.waits);
        let info = |(key, entry): (&Key, &WaitEntry)| WaitInfo {
            waiter: key.task(),
            thread_name: {
                let name = entry.thread.as_ref().and_then(Thread::name);
                name.map(str::to_owned)
            },
            targets: entry.intent.targets.filter(|task| !task.is_finished()),
            process: entry.intent.targets.process(),
            since: entry.since,
            deadline: entry.intent.deadline,
        };
        WaitGraph {
            waits: waits.entries.iter().map(info).collect(),
        }
    }
}

impl Wait<'_> {
    /// Checks the wait before its thread parks, and has spare threads run what its pools are short of.
    ///
    /// # Errors
    /// Returns why the thread must not park.
    pub(crate) fn begin(&self) -> Result<(), Refusal> {
        loop {
            let shortages = self.check().map_err(Refusal::Cycle)?;
            let has_run = self.graph.serve(self.key, shortages);
            if let Some(refusal) = self.broken() {
                return Err(refusal);
            }
            if !has_run {
                return Ok(());
            }
        }
    }

    /// Like [`begin`](Self::begin), for a wait that is never refused.
    pub(crate) fn begin_breaking(&self) {
        if let Key::Task(waiter) = self.key {
            let shortages = lock(&self.graph.waits).shortages_of(waiter);
            self.graph.serve_for(self.key, shortages);
        }
    }

    /// Refuses waits that keep this one or these pools from going on.
    #[cfg(all(test, not(any(loom, other_unix))))]
    pub(crate) fn break_starving(&self, pools: &[u64]) {
        if let Key::Task(waiter) = self.key {
            self.graph.break_starving(waiter, pools);
        }
    }

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
            None => {
                if let Some(entry) = waits.entries.get_mut(&self.key) {
                    entry.is_checked = true;
                }
                Ok(match waits.begin_own_wait(waiter) {
                    Some(workers) => waits.shortages_of_own(waiter, &workers),
                    None => waits.shortages_of(waiter),
                })
            }
            Some(cycle) => {
                // Another wait that closes the same cycle is not refused too.
                let entry = waits.remove(self.key, self.number);
                drop(waits);
                drop(entry);
                Err(shown(cycle))
            }
        }
    }

    /// Notes that this thread runs tasks inside of the wait, until the next [check](Self::check).
    pub(crate) fn set_helping(&self, running: InnermostTask) {
        self.graph.set_helping(self.key, running);
    }

    /// Returns why this wait was broken; `None` if it was not.
    pub(crate) fn broken(&self) -> Option<Refusal> {
        match self.key {
            Key::Task(_) => lock(&self.graph.waits)
                .entries
                .get(&self.key)
                .filter(|entry| entry.number == self.number)
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
        let entry = lock(&self.graph.waits).remove(self.key, self.number);
        let outcome = || entry.as_ref().map_or("would deadlock", WaitEntry::outcome);
        self.span.set_outcome(outcome);
        // Dropped after the lock is released.
        drop(entry);
    }
}

/// The wait of a task without a thread, which stays in the graph until it is dropped.
pub(crate) struct Following<'a> {
    graph: &'a Graph,
    task: TaskId,
    number: u64,
}

impl Following<'_> {
    /// Waits for the next task instead. If that closes a cycle, another wait of the cycle fails.
    ///
    /// # Errors
    /// Returns the cycle if no other wait of it may fail. Then this wait has ended.
    pub(crate) fn follow(&mut self, leader: Arc<Header>) -> Result<(), Vec<TaskId>> {
        let shortages = self.replace(leader)?;
        self.graph.serve_for(Key::Task(self.task), shortages);
        Ok(())
    }

    /// Notes that this thread runs tasks before it goes on with this one.
    #[cfg(all(test, not(any(loom, other_unix))))]
    pub(crate) fn set_helping(&self, running: InnermostTask) {
        self.graph.set_helping(Key::Task(self.task), running);
    }

    /// Returns what pools are short of by this wait.
    #[cfg(all(test, not(any(loom, other_unix))))]
    pub(crate) fn shortages(&self) -> Shortages {
        lock(&self.graph.waits).shortages_of(self.task)
    }

    /// Like [`follow`](Self::follow), without running what pools are short of.
    pub(crate) fn replace(&mut self, leader: Arc<Header>) -> Result<Shortages, Vec<TaskId>> {
        let key = Key::Task(self.task);
        // Dropped after the lock is released.
        let mut ended = Vec::new();
        let (broken, followed) = {
            let mut waits = lock(&self.graph.waits);
            ended.extend(waits.remove(key, self.number));
            self.number = waits.insert_at(key, None, following(leader), false);
            let broken = waits.break_cycles(key);
            match waits.cycle_of(self.task) {
                None => (broken, Ok(waits.shortages_of(self.task))),
                Some(cycle) => {
                    ended.extend(waits.remove(key, self.number));
                    (broken, Err(shown(cycle)))
                }
            }
        };
        for thread in broken {
            thread.unpark();
        }
        followed
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        let entry = lock(&self.graph.waits).remove(Key::Task(self.task), self.number);
        // Dropped after the lock is released.
        drop(entry);
    }
}

/// The wait of a task for the one that it follows.
fn following(leader: Arc<Header>) -> Intent {
    Intent {
        targets: Targets::One(leader),
        need: Need::All,
        deadline: None,
    }
}

/// The graph of this process.
pub(crate) fn global() -> &'static Graph {
    lazy!(GRAPH: Graph = Graph::new());
    &GRAPH
}

/// Returns all waits of this process at this moment, through any join of this library.
///
/// It is meant for display: a wait may end before the caller reads it.
///
/// ```
/// use meanwhile_join as join;
/// use std::time::Duration;
///
/// let slow = join::spawn("slow", |context| context.sleep_until(None))?;
/// let joiner = join::spawn("joiner", {
///     let slow = slow.clone();
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
