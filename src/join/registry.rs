//! The list of live tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use super::cancel_tree::{self, CancelNode, CancelTarget};
use super::clock::Time;
use super::code::ClosureOutcome;
use super::header::{Body, Header};
use super::id::TaskId;
use super::info::{Placement, TaskInfo};
use super::nested;
use super::queue::Queue;
use super::sync::{
    AtomicUsize, Condvar, Mutex, Ordering, fence, ignore_poison, lazy, lock, wait_timeout,
};

/// Tasks are spread over several locks, to reduce contention between workers and spawners.
const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };
const SPARE_CAPACITY: usize = 1024;

/// The live tasks of a process (or of a model).
pub(crate) struct Registry {
    shards: [Mutex<Slab<Arc<Header>>>; SHARDS],
    /// By the numbers of the pools.
    queues: Mutex<BTreeMap<u64, Arc<Queue>>>,
    /// The number of threads that wait for a removal.
    waiting: AtomicUsize,
    removal: Mutex<()>,
    did_remove: Condvar,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Slab::new())),
            queues: Mutex::default(),
            waiting: AtomicUsize::new(0),
            removal: Mutex::new(()),
            did_remove: Condvar::new(),
        }
    }

    pub(crate) fn add(&self, task: Arc<Header>) {
        task.set_listed(true);
        insert(&mut lock(self.shard(task.id())), task);
    }

    /// Claims a task that is queued on a pool, for another thread than those of the pool. From now on
    /// it is listed here, because the queue forgets it when a thread of the pool takes it.
    pub(crate) fn claim_queued(&self, task: &Arc<Header>, begun: Option<Time>) -> Option<Body> {
        let mut shard = lock(self.shard(task.id()));
        let body = task.claim(begun)?;
        insert(&mut shard, task.clone());
        Some(body)
    }

    /// Removes a task, and then calls a fence of [`Ordering::SeqCst`].
    pub(crate) fn remove(&self, task: &Header) {
        task.set_listed(false);
        if let Some(key) = task.registry_key() {
            let removed = {
                let mut shard = lock(self.shard(task.id()));
                let removed = shard.try_remove(key);
                if shard.is_empty() && shard.capacity() > SPARE_CAPACITY {
                    shard.shrink_to_fit();
                }
                removed
            };
            // Dropped after the lock is released.
            drop(removed);
        }
        // A thread that waits for this counts itself and then looks whether the task is listed. Of
        // these two threads one sees the store of the other.
        fence(Ordering::SeqCst);
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
        fence(Ordering::SeqCst);
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

    /// Adds the queue of a pool, which lists the tasks of that.
    pub(crate) fn add_queue(&self, pool: u64, queue: Arc<Queue>) {
        lock(&self.queues).insert(pool, queue);
    }

    pub(crate) fn remove_queue(&self, pool: u64) {
        let removed = lock(&self.queues).remove(&pool);
        // Dropped after the lock is released.
        drop(removed);
    }

    /// Has the queue of a pool count a task that was claimed here and has ended.
    pub(crate) fn count_ended(&self, pool: u64) {
        let queue = lock(&self.queues).get(&pool).cloned();
        if let Some(queue) = queue {
            queue.count_ended();
        }
    }

    /// Returns the tasks whose outcome is not published, oldest first.
    pub(crate) fn live(&self) -> Vec<Arc<Header>> {
        let mut tasks = self.listed();
        tasks.retain(|task| !task.is_finished());
        tasks
    }

    /// Returns the tasks that were added or queued and not removed, oldest first.
    ///
    /// All shards and queues are locked at once, so this is the state of one moment. A task that was
    /// spawned by another one is in the list before that one is gone from it.
    pub(crate) fn listed(&self) -> Vec<Arc<Header>> {
        let mut tasks = Vec::new();
        let mut add = |task: &Arc<Header>| {
            if task.is_listed() {
                tasks.push(task.clone());
            }
        };
        {
            let shards: Vec<_> = self.shards.iter().map(lock).collect();
            let queues = lock(&self.queues);
            let queues: Vec<_> = queues.values().map(|queue| queue.lock()).collect();
            for shard in &shards {
                shard.iter().for_each(|(_key, task)| add(task));
            }
            for queue in &queues {
                queue.iter().for_each(&mut add);
            }
        }
        tasks.sort_unstable_by_key(|task| task.id());
        // A task that another thread than those of its pool runs may be in both.
        tasks.dedup_by_key(|task| task.id());
        tasks
    }

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<Header>> {
        let is_sought = |task: &&Arc<Header>| task.id() == id && task.is_listed();
        // A task goes from a queue to a shard and never back.
        let queued = lock(&self.queues)
            .values()
            .find_map(|queue| queue.lock().iter().find(is_sought).cloned());
        queued.or_else(|| {
            let shard = lock(self.shard(id));
            shard.iter().map(|it| it.1).find(is_sought).cloned()
        })
    }

    fn shard(&self, id: TaskId) -> &Mutex<Slab<Arc<Header>>> {
        let index = usize::try_from(id.get() % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }
}

fn insert(shard: &mut Slab<Arc<Header>>, task: Arc<Header>) {
    let entry = shard.vacant_entry();
    task.set_registry_key(entry.key());
    entry.insert(task);
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

/// Runs a task on a thread of its pool, which has done nothing else since `free_since`. Returns since when
/// the thread is free again, unless more has followed the end of the task.
pub(crate) fn run_next(task: &Arc<Header>, free_since: Option<Time>) -> Option<Time> {
    let begun = free_since.map_or_else(Time::now, |at| at.max(task.spawned()));
    let body = task.claim(Some(begun))?;
    task.run_claimed(body);
    remove_and_settle(task).then(|| task.finished())?
}

/// Runs a task that may be queued on a pool, on another thread than those that take it from there.
/// Returns false if it has begun or ended already.
pub(crate) fn run_queued(task: &Arc<Header>) -> bool {
    let Some(body) = claim(task, Some(Time::now())) else {
        return false;
    };
    task.run_claimed(body);
    remove_and_settle(task);
    count_ended(task);
    true
}

/// Has the queue from which an ended task was [claimed](Registry::claim_queued) count it.
fn count_ended(task: &Header) {
    if let Placement::Pool(pool) = task.placement()
        && task.registry_key().is_some()
    {
        global().count_ended(pool);
    }
}

/// Claims a task to run or end it on any thread.
fn claim(task: &Arc<Header>, begun: Option<Time>) -> Option<Body> {
    let is_in_queue = matches!(task.placement(), Placement::Pool(_)) && task.is_listed();
    if is_in_queue {
        global().claim_queued(task, begun)
    } else {
        task.claim(begun)
    }
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
    if let Some(body) = claim(task, None) {
        nested::run_with_later(|| {
            task.discard(body);
            remove_and_settle(task);
            count_ended(task);
        });
    }
}

/// Removes an ended task from the list, then wakes its joiners. The tasks of a model are in no list. Returns
/// what [`Header::settle`] does.
fn remove_and_settle(task: &Arc<Header>) -> bool {
    if task.is_listed() {
        task.set_listed(false);
        task.wake_first();
        global().remove(task);
        task.settle_after_fence()
    } else {
        task.settle()
    }
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
    let live = global().live();
    live.iter().filter_map(|task| task.live_info()).collect()
}

#[cfg(all(test, not(any(loom, other_unix))))]
mod tests {
    use super::super::changes::Subscription;
    use super::super::code::code;
    use super::super::header::Spec;
    use super::*;

    fn new_task() -> Arc<Header> {
        let spec = Spec {
            id: TaskId::next(),
            name: None,
            daemon: false,
            placement: Placement::Thread,
            subscription: Subscription::new(None),
        };
        Arc::new(Header::new(spec, code(|_| ClosureOutcome::Returned)))
    }

    /// A task that has ended and is still listed.
    fn ending_task(registry: &Registry) -> Arc<Header> {
        let task = new_task();
        registry.add(task.clone());
        assert!(task.run());
        task
    }

    #[test]
    fn removal_wakes_the_thread_that_waits_for_it() {
        for _ in 0..100 {
            let registry = Registry::new();
            let task = ending_task(&registry);
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| registry.wait_for_removals(|_| true, None));
                while registry.waiting.load(Ordering::Relaxed) == 0 {
                    std::thread::yield_now();
                }
                registry.remove(&task);
                assert!(waiting.join().expect("it does not panic"));
            });
            task.settle();
        }
    }

    #[test]
    fn wait_for_removals_is_for_awaited_tasks_alone() {
        let registry = Registry::new();
        let (other, awaited) = (ending_task(&registry), new_task());
        registry.add(awaited.clone());
        let is_awaited = |task: &Header| task.id() == awaited.id();
        assert!(registry.wait_for_removals(is_awaited, Some(Instant::now())));
        other.settle();
    }

    #[test]
    fn task_ended_before_it_began_is_not_kept() {
        let task = new_task();
        global().add(task.clone());
        discard(&task);
        let kept = lock(global().shard(task.id()));
        assert!(kept.iter().all(|(_, it)| it.id() != task.id()));
    }
}
