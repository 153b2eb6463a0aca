//! Requests to stop, and what they reach.
//!
//! Each task and each [`CancelToken`](super::CancelToken) has a [`CancelNode`]. A node may have a
//! parent: then a cancel of the parent reaches it too. Neither keeps the task or token of the other. When
//! one is dropped, nobody can cancel it any more, and its children move to its parent.
//!
//! Adding to a node checks under its lock that it is not cancelled, and the cancel is stored under the
//! same lock. So whatever is added is either reached or refused.
//!
//! The lock order is in `sync`. Holding the entries of a node keeps the links of its children.

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

    /// Whether it is a task that has ended.
    fn has_ended(&self) -> bool {
        false
    }

    /// The node has been cancelled, with all that are below it.
    fn did_cancel(self: Arc<Self>) {}

    /// A check of this target has returned its cancel.
    fn did_fail_check(&self) {}
}

/// The node of one task or token, which is dropped with it.
pub(crate) struct CancelNode(Arc<Node>);

struct Node {
    /// Set with release order and read with acquire order: a task that sees the request also sees
    /// what the caller of `cancel` did before.
    is_requested: AtomicBool,
    requested_at: Stamp,
    /// `None` while there are none, and after the cancel.
    entries: Mutex<Option<Box<Slab<Entry>>>>,
    /// `None` also after the cancel.
    parent: Mutex<Option<Link>>,
}

/// What a cancel reaches.
pub(crate) enum Entry {
    Child(Child),
    Waiter(Waiter),
    Callback(Callback),
}

pub(crate) struct Child {
    node: Arc<Node>,
    target: Weak<dyn CancelTarget>,
}

/// The place of a child among the entries of its parent.
struct Link {
    parent: Arc<Node>,
    key: usize,
}

impl CancelNode {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Node {
            is_requested: AtomicBool::new(false),
            requested_at: Stamp::never(),
            entries: Mutex::new(None),
            parent: Mutex::new(None),
        }))
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.0.is_requested.load(Ordering::Acquire)
    }

    pub(crate) fn requested_at(&self) -> Option<Instant> {
        self.0.requested_at.get()
    }

    /// Adds what a cancel should reach. Returns the key for [`remove`](Self::remove).
    ///
    /// # Errors
    /// Returns the entry if the node is cancelled.
    pub(crate) fn add(&self, entry: Entry) -> Result<usize, Entry> {
        self.0.add(entry)
    }

    /// Removes an entry, unless a cancel has taken it.
    pub(crate) fn remove(&self, key: usize) {
        self.0.remove(key);
    }
}

impl Drop for CancelNode {
    fn drop(&mut self) {
        // The parent may be dropped at the same time, and put its own in its place.
        while let Some(parent) = self.0.parent() {
            if self.0.leave_children_to(&parent) {
                return;
            }
        }
        self.0.free_children();
    }
}

impl Node {
    fn add(&self, entry: Entry) -> Result<usize, Entry> {
        let mut entries = lock(&self.entries);
        // The lock orders the store.
        if self.is_requested.load(Ordering::Relaxed) {
            return Err(entry);
        }
        Ok(entries.get_or_insert_default().insert(entry))
    }

    fn remove(&self, key: usize) {
        let removed = {
            let mut entries = lock(&self.entries);
            let removed = entries.as_mut().and_then(|it| it.try_remove(key));
            drop_if_empty(&mut entries);
            removed
        };
        // Dropped after the lock is released.
        drop_contained(removed);
    }

    /// Marks the node as cancelled. Returns what that reaches, or `None` if it was marked before.
    fn mark(&self) -> Option<Slab<Entry>> {
        let reached = {
            let mut entries = lock(&self.entries);
            // The lock orders the store.
            if self.is_requested.load(Ordering::Relaxed) {
                return None;
            }
            self.requested_at.set_now();
            self.is_requested.store(true, Ordering::Release);
            entries.take().map(|it| *it).unwrap_or_default()
        };
        // Nothing more comes from there.
        let link = lock(&self.parent).take();
        if let Some(link) = link {
            link.parent.remove(link.key);
        }
        Some(reached)
    }

    fn parent(&self) -> Option<Arc<Self>> {
        lock(&self.parent).as_ref().map(|link| link.parent.clone())
    }

    /// Takes this node out of its parent, and puts its children there. Returns false if that is no longer
    /// its parent.
    fn leave_children_to(&self, parent: &Arc<Self>) -> bool {
        let mut dropped = Vec::new();
        let mut siblings = lock(&parent.entries);
        let mut own = lock(&self.entries);
        let Some(key) = self.key_in(parent) else {
            return false;
        };
        // If the parent is cancelled (the lock orders the store), its cancel still reaches the children
        // by way of this node.
        if let Some(siblings) = siblings.as_mut()
            && !parent.is_requested.load(Ordering::Relaxed)
        {
            *lock(&self.parent) = None;
            dropped.extend(siblings.try_remove(key));
            for (_, entry) in own.take().map(|it| *it).unwrap_or_default() {
                match entry {
                    Entry::Child(child) => dropped.extend(child.move_to(parent, siblings)),
                    entry => dropped.push(entry),
                }
            }
        }
        drop_if_empty(&mut siblings);
        drop((own, siblings));
        // Dropped after the locks are released.
        drop_contained(dropped);
        true
    }

    fn key_in(&self, parent: &Arc<Self>) -> Option<usize> {
        let link = lock(&self.parent);
        let link = link.as_ref()?;
        Arc::ptr_eq(&link.parent, parent).then_some(link.key)
    }

    /// Leaves the children without a parent.
    fn free_children(&self) {
        let dropped = {
            let mut entries = lock(&self.entries);
            let taken = entries.take();
            for (_, entry) in taken.iter().flat_map(|it| it.iter()) {
                if let Entry::Child(child) = entry {
                    *lock(&child.node.parent) = None;
                }
            }
            taken
        };
        // Dropped after the lock is released.
        drop_contained(dropped);
    }
}

impl Child {
    /// Moves a child to this parent with these entries. Returns the child if it has left its parent.
    fn move_to(self, parent: &Arc<Node>, entries: &mut Slab<Entry>) -> Option<Entry> {
        let node = self.node.clone();
        let mut link = lock(&node.parent);
        if let Some(link) = link.as_mut() {
            let parent = parent.clone();
            let key = entries.insert(Entry::Child(self));
            *link = Link { parent, key };
            return None;
        }
        Some(Entry::Child(self))
    }
}

fn drop_if_empty(entries: &mut Option<Box<Slab<Entry>>>) {
    if entries.as_ref().is_some_and(|it| it.is_empty()) {
        *entries = None;
    }
}

/// Has a cancel of `parent` reach `child` too, which has no parent. Returns false if the parent is
/// cancelled.
#[must_use]
pub(crate) fn link(child: &Arc<dyn CancelTarget>, parent: &Arc<dyn CancelTarget>) -> bool {
    let parent = &parent.node().0;
    let node = &child.node().0;
    let entry = Entry::Child(Child {
        node: node.clone(),
        target: Arc::downgrade(child),
    });
    let Ok(key) = parent.add(entry) else {
        return false;
    };
    let parent = parent.clone();
    *lock(&node.parent) = Some(Link { parent, key });
    true
}

/// Cancels a target and all below it. First marks all of them, then wakes the waiting threads, then
/// ends the queued tasks, then runs the callbacks.
pub(crate) fn cancel(target: Arc<dyn CancelTarget>) {
    let mut unmarked = vec![(target.node().0.clone(), Some(target))];
    let mut marked = Vec::new();
    let mut waiters = Vec::new();
    let mut callbacks = Vec::new();
    while let Some((node, target)) = unmarked.pop() {
        let Some(entries) = node.mark() else {
            continue;
        };
        for (_, entry) in entries {
            match entry {
                Entry::Child(child) => unmarked.push((child.node, child.target.upgrade())),
                Entry::Waiter(waiter) => waiters.push(waiter),
                Entry::Callback(callback) => callbacks.push(callback),
            }
        }
        marked.extend(target);
    }
    nested::run_all(callbacks, || {
        waiters.into_iter().for_each(Waiter::wake);
        marked.into_iter().for_each(CancelTarget::did_cancel);
    });
}
