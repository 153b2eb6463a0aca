//! Requests to stop, and what they reach.
//!
//! Each task and each [`CancelToken`](super::CancelToken) has a [`CancelNode`]. A node may have a
//! parent: then a cancel of the parent reaches it too. A child keeps its parent, and the parent knows
//! it weakly until it is dropped.
//!
//! Adding to a node checks under its lock that it is not cancelled, and the cancel is stored under the
//! same lock. So whatever is added is either reached or refused.

use std::sync::{Arc, Weak};
use std::time::Instant;

use slab::Slab;

use super::clock::Stamp;
use super::nested;
use super::panic::drop_contained;
use super::sync::{AtomicBool, Mutex, Ordering, lock};
use super::waiters::{Callback, Waiter};

/// What has a node.
pub(crate) trait CancelTarget: Send + Sync {
    fn node(&self) -> &CancelNode;

    /// The node has been cancelled, with all that are below it.
    fn did_cancel(self: Arc<Self>) {}

    /// A check of this target has returned its cancel.
    fn did_fail_check(&self) {}
}

pub(crate) struct CancelNode {
    /// Set with release order and read with acquire order: a task that sees the request also sees
    /// what the caller of `cancel` did before.
    is_requested: AtomicBool,
    requested_at: Stamp,
    /// `None` while there are none, and after the cancel.
    entries: Mutex<Option<Box<Slab<Entry>>>>,
    parent: Mutex<Option<Box<Link>>>,
}

/// What a cancel reaches.
pub(crate) enum Entry {
    Child(Weak<dyn CancelTarget>),
    Waiter(Waiter),
    Callback(Callback),
}

struct Link {
    parent: Arc<dyn CancelTarget>,
    key: usize,
}

impl CancelNode {
    pub(crate) fn new() -> Self {
        Self {
            is_requested: AtomicBool::new(false),
            requested_at: Stamp::never(),
            entries: Mutex::new(None),
            parent: Mutex::new(None),
        }
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.is_requested.load(Ordering::Acquire)
    }

    pub(crate) fn requested_at(&self) -> Option<Instant> {
        self.requested_at.get()
    }

    /// Adds what a cancel should reach. Returns the key for [`remove`](Self::remove).
    ///
    /// # Errors
    /// Returns the entry if the node is cancelled.
    pub(crate) fn add(&self, entry: Entry) -> Result<usize, Entry> {
        let mut entries = lock(&self.entries);
        // The lock orders the store.
        if self.is_requested.load(Ordering::Relaxed) {
            return Err(entry);
        }
        Ok(entries.get_or_insert_default().insert(entry))
    }

    /// Removes an entry, unless a cancel has taken it.
    pub(crate) fn remove(&self, key: usize) {
        let removed = {
            let mut entries = lock(&self.entries);
            let removed = entries.as_mut().and_then(|it| it.try_remove(key));
            if entries.as_ref().is_some_and(|it| it.is_empty()) {
                *entries = None;
            }
            removed
        };
        // Dropped after the lock is released.
        drop_contained(removed);
    }

    /// Marks the node as cancelled. Returns what that reaches, or `None` if it was marked before.
    fn mark(&self) -> Option<Slab<Entry>> {
        let mut entries = lock(&self.entries);
        if self.is_requested.load(Ordering::Relaxed) {
            return None;
        }
        self.requested_at.set_now();
        self.is_requested.store(true, Ordering::Release);
        Some(entries.take().map(|it| *it).unwrap_or_default())
    }
}

impl Drop for CancelNode {
    /// Leaves the parent. Many nested nodes are dropped in a loop and not in a recursion.
    fn drop(&mut self) {
        let mut link = lock(&self.parent).take();
        while let Some(last) = link {
            let node = last.parent.node();
            node.remove(last.key);
            let is_last_use = Arc::strong_count(&last.parent) == 1;
            link = is_last_use.then(|| lock(&node.parent).take()).flatten();
        }
    }
}

/// Has a cancel of `parent` reach `child` too. Returns false if the parent is cancelled.
#[must_use]
pub(crate) fn link(child: &Arc<dyn CancelTarget>, parent: &Arc<dyn CancelTarget>) -> bool {
    let Ok(key) = parent.node().add(Entry::Child(Arc::downgrade(child))) else {
        return false;
    };
    let parent = parent.clone();
    *lock(&child.node().parent) = Some(Box::new(Link { parent, key }));
    true
}

/// Cancels a target and all below it. First marks all of them, then wakes the waiting threads, then
/// ends the queued tasks, then runs the callbacks.
pub(crate) fn cancel(target: Arc<dyn CancelTarget>) {
    let mut unmarked = vec![target];
    let mut marked = Vec::new();
    let mut waiters = Vec::new();
    let mut callbacks = Vec::new();
    while let Some(target) = unmarked.pop() {
        let Some(entries) = target.node().mark() else {
            continue;
        };
        for (_, entry) in entries {
            match entry {
                Entry::Child(child) => unmarked.extend(child.upgrade()),
                Entry::Waiter(waiter) => waiters.push(waiter),
                Entry::Callback(callback) => callbacks.push(callback),
            }
        }
        marked.push(target);
    }
    waiters.into_iter().for_each(Waiter::wake);
    marked.into_iter().for_each(CancelTarget::did_cancel);
    callbacks.into_iter().for_each(nested::run);
}
