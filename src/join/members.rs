//! The tasks of a group, as its joiner and the wait graph see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::header::Header;
use super::id::TaskId;
use super::info::Placement;
use super::sync::{Mutex, lock};
use super::waiters::{Awaited, Ends, Waiter};

/// A set of tasks that changes while no thread waits for it. Each change and each question takes at
/// most the logarithm of the number of tasks.
#[derive(Default)]
pub(crate) struct Members {
    ends: Arc<Ends>,
    listed: Mutex<Listed>,
}

#[derive(Default)]
struct Listed {
    tasks: BTreeMap<TaskId, Arc<Header>>,
    /// By the number of the pool, the tasks that were queued there when they were last looked at.
    queued: BTreeMap<u64, BTreeMap<TaskId, Arc<Header>>>,
}

impl Members {
    pub(crate) fn add(&self, task: &Arc<Header>) {
        {
            let mut listed = lock(&self.listed);
            listed.tasks.insert(task.id(), task.clone());
            if let Placement::Pool(pool) = task.placement() {
                let queued = listed.queued.entry(pool).or_default();
                queued.insert(task.id(), task.clone());
            }
        }
        task.report_end(&self.ends);
    }

    pub(crate) fn remove(&self, task: TaskId) {
        let mut listed = lock(&self.listed);
        let removed = listed.tasks.remove(&task);
        if let Some(Placement::Pool(pool)) = removed.as_ref().map(|task| task.placement())
            && let Some(queued) = listed.queued.get_mut(&pool)
        {
            queued.remove(&task);
            if queued.is_empty() {
                listed.queued.remove(&pool);
            }
        }
        drop(listed);
        // Dropped after the lock is released.
        drop(removed);
    }

    /// Returns the next task that has ended. It may have been removed.
    pub(crate) fn next_ended(&self) -> Option<TaskId> {
        self.ends.pop()
    }

    /// The list of the ends.
    pub(crate) fn ends(&self) -> &Arc<Ends> {
        &self.ends
    }

    pub(crate) fn has_ended(&self) -> bool {
        !self.ends.is_empty()
    }

    /// Has this thread woken by the next end. Returns whether there is one already.
    pub(crate) fn wake_at_next_end(&self) -> bool {
        self.ends.wake_at_next()
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.listed).tasks.len()
    }

    pub(crate) fn contains(&self, task: TaskId) -> bool {
        lock(&self.listed).tasks.contains_key(&task)
    }

    /// Returns the member if there is just one.
    pub(crate) fn only(&self) -> Option<TaskId> {
        let listed = lock(&self.listed);
        let (first, _) = listed.tasks.first_key_value()?;
        (listed.tasks.len() == 1).then_some(*first)
    }

    /// Returns all members.
    pub(crate) fn all(&self) -> Vec<Arc<Header>> {
        lock(&self.listed).tasks.values().cloned().collect()
    }

    /// Returns the first member for which `is_sought` holds. It must take no lock.
    pub(crate) fn find(&self, mut is_sought: impl FnMut(&Header) -> bool) -> Option<Arc<Header>> {
        let listed = lock(&self.listed);
        let found = listed.tasks.values().find(|task| is_sought(task));
        found.cloned()
    }

    /// Returns the pools on which members are queued.
    pub(crate) fn pools(&self) -> Vec<u64> {
        let mut listed = lock(&self.listed);
        listed.queued.retain(|pool, queued| {
            drop_begun(queued, *pool);
            !queued.is_empty()
        });
        listed.queued.keys().copied().collect()
    }

    /// Returns a member that is queued on this pool.
    pub(crate) fn next_queued_on(&self, pool: u64) -> Option<Arc<Header>> {
        let mut listed = lock(&self.listed);
        let queued = listed.queued.get_mut(&pool)?;
        drop_begun(queued, pool);
        queued.values().next().cloned()
    }
}

/// Ready when a member has ended, or there is none.
impl Awaited for Members {
    fn is_ready(&self) -> bool {
        self.has_ended() || self.len() == 0
    }

    fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        self.ends.add_waiter(waiter)
    }

    fn remove_waiter(&self, ticket: u64) {
        self.ends.remove_waiter(ticket);
    }
}

/// Removes the oldest tasks as long as they are not queued any more. They are listed elsewhere too, so
/// none is dropped.
fn drop_begun(queued: &mut BTreeMap<TaskId, Arc<Header>>, pool: u64) {
    while let Some(oldest) = queued.first_entry()
        && !oldest.get().is_queued_on(pool)
    {
        oldest.remove();
    }
}
