//! The list of live tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use super::cancel_tree::{self, CancelNode, CancelTarget};
use super::header::{ClosureOutcome, Header};
use super::id::TaskId;
use super::info::TaskInfo;
use super::sync::{AtomicUsize, Condvar, Mutex, Ordering, ignore_poison, lazy, lock, wait_timeout};

/// Tasks are spread over several locks, to reduce contention between workers and spawners.
const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };
const SPARE_CAPACITY: usize = 1024;

/// The live tasks of a process (or of a model).
pub(crate) struct Registry {
    shards: [Mutex<Slab<Arc<Header>>>; SHARDS],
    /// The number of threads that wait for a removal.
    waiting: AtomicUsize,
    removal: Mutex<()>,
    did_remove: Condvar,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Slab::new())),
            waiting: AtomicUsize::new(0),
            removal: Mutex::new(()),
            did_remove: Condvar::new(),
        }
    }

    pub(crate) fn add(&self, task: Arc<Header>) {
        let mut shard = lock(self.shard(task.id()));
        let entry = shard.vacant_entry();
        task.set_registry_key(entry.key());
        entry.insert(task);
    }

    pub(crate) fn remove(&self, task: &Header) {
        let removed = {
            let mut shard = lock(self.shard(task.id()));
            let removed = task.registry_key().and_then(|key| shard.try_remove(key));
            if shard.is_empty() && shard.capacity() > SPARE_CAPACITY {
                shard.shrink_to_fit();
            }
            removed
        };
        // Dropped after the lock is released.
        drop(removed);
        // The lock of the shard orders this load: a thread that has still found the task there has
        // counted itself before.
        if self.waiting.load(Ordering::Relaxed) > 0 {
            drop(lock(&self.removal));
            self.did_remove.notify_all();
        }
    }

    /// Blocks until no task that has ended and that `is_awaited` is listed, or the deadline has passed.
    /// Returns false if some still are.
    ///
    /// A task is listed a moment longer than it runs, until its unseen panic was reported.
    pub(crate) fn wait_for_removals(
        &self,
        is_awaited: impl Fn(&Header) -> bool,
        deadline: Option<Instant>,
    ) -> bool {
        let is_ending = |task: &Arc<Header>| task.is_finished() && is_awaited(task);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let mut removal = lock(&self.removal);
        let are_removed = loop {
            if !self.listed().iter().any(is_ending) {
                break true;
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            removal = match left {
                None => ignore_poison(self.did_remove.wait(removal)),
                Some(Duration::ZERO) => break false,
                Some(left) => wait_timeout(&self.did_remove, removal, left).0,
            };
        };
        drop(removal);
        // A thread that sees the old count notifies nobody.
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        are_removed
    }

    /// Returns the tasks whose outcome is not published, oldest first.
    pub(crate) fn live(&self) -> Vec<Arc<Header>> {
        let mut tasks = self.listed();
        tasks.retain(|task| !task.is_finished());
        tasks.sort_unstable_by_key(|task| task.id());
        tasks
    }

    /// Returns the tasks that were added and not removed.
    ///
    /// All shards are locked at once, so this is the state of one moment. A task that was spawned
    /// by another one is in the list before that one is gone from it.
    pub(crate) fn listed(&self) -> Vec<Arc<Header>> {
        let shards: Vec<_> = self.shards.iter().map(lock).collect();
        shards
            .iter()
            .flat_map(|shard| shard.iter().map(|(_, task)| task.clone()))
            .collect()
    }

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<Header>> {
        let shard = lock(self.shard(id));
        let mut listed = shard.iter().map(|(_, task)| task);
        listed.find(|task| task.id() == id).cloned()
    }

    fn shard(&self, id: TaskId) -> &Mutex<Slab<Arc<Header>>> {
        let index = usize::try_from(id.get() % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }
}

/// The registry of this process.
pub(crate) fn global() -> &'static Registry {
    lazy!(REGISTRY: Registry = Registry::new());
    &REGISTRY
}

/// Runs a task on this thread. Returns false if it has begun or ended already.
pub(crate) fn run(task: &Arc<Header>) -> bool {
    let ran = task.run();
    if ran {
        remove_and_settle(task);
    }
    ran
}

/// Runs a task on this thread with code that is kept elsewhere. Returns false if it has begun or ended
/// already.
pub(crate) fn run_code(task: &Arc<Header>, code: impl FnOnce() -> ClosureOutcome) -> bool {
    let ran = task.run_code(code);
    if ran {
        remove_and_settle(task);
    }
    ran
}

/// Requests a cancel of a task. A task that has not begun has ended when this returns.
pub(crate) fn cancel(task: &Arc<Header>) {
    if task.is_finished() {
        return;
    }
    cancel_tree::cancel(task.clone());
    // Another thread may have begun to cancel it at the same time.
    discard(task);
}

impl CancelTarget for Header {
    fn node(&self) -> &CancelNode {
        self.cancel()
    }

    fn has_ended(&self) -> bool {
        self.is_finished()
    }

    fn did_cancel(self: Arc<Self>) {
        discard(&self);
    }

    fn did_fail_check(&self) {
        self.cancel_marks().mark_failed_check();
    }
}

/// Ends a task that has not begun.
pub(crate) fn discard(task: &Arc<Header>) {
    if task.discard() {
        remove_and_settle(task);
    }
}

/// Removes an ended task from the list, then wakes its joiners. The tasks of a model are in no list.
fn remove_and_settle(task: &Arc<Header>) {
    if task.registry_key().is_some() {
        global().remove(task);
    }
    task.settle();
}

/// Returns the live tasks, oldest first. A task whose join has returned its outcome is not among
/// them.
///
/// A detached task stays listed until it ends.
///
/// ```
/// use meanwhile_join as join;
///
/// let task = join::spawn("listed", |context| context.sleep_until(None))?;
/// assert!(join::live_tasks().iter().any(|live| live.id == task.id()));
/// task.cancel();
/// let _ended = task.join();
/// assert!(join::live_tasks().iter().all(|live| live.id != task.id()));
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn live_tasks() -> Vec<TaskInfo> {
    global().live().iter().map(|task| task.info()).collect()
}
