//! What a wait depends on, and whether that can come true.

use std::collections::{BTreeMap, BTreeSet};

use super::super::id::TaskId;

/// A part of the graph that others wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Task(TaskId),
    /// The thread that runs the callbacks of this task, which has ended.
    Callbacks(TaskId),
    /// A thread of a pool for a task that is queued there, by the number of the pool.
    Pool(u64),
    /// All spare threads of a pool.
    Spares(u64),
}

impl Node {
    /// The task that a cycle shows for this node.
    pub(super) fn task(self) -> Option<TaskId> {
        match self {
            Self::Task(task) | Self::Callbacks(task) => Some(task),
            Self::Pool(_) | Self::Spares(_) => None,
        }
    }
}

/// The condition under which a node can go on.
pub(super) enum Needs {
    /// Each of these nodes can go on. If there are none, it can.
    All(Vec<Node>),
    /// One of these nodes can go on. If there are none, it can't.
    Any(Vec<Node>),
}

impl Needs {
    pub(super) fn nothing() -> Self {
        Self::All(Vec::new())
    }

    pub(super) fn nodes(&self) -> &[Node] {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes,
        }
    }
}

/// Returns the nodes that can never go on, among `start` and all that it depends on.
///
/// It first assumes that none can, and then takes away those that need no stuck one, until nothing
/// changes. What is left waits for itself.
pub(super) fn stuck<const N: usize>(
    start: [Node; N],
    needs_of: impl Fn(Node) -> Needs,
) -> BTreeSet<Node> {
    let mut needs = BTreeMap::new();
    let mut open = start.to_vec();
    while let Some(node) = open.pop() {
        needs.entry(node).or_insert_with(|| {
            #[cfg(all(test, not(any(loom, other_unix))))]
            super::visits::count();
            let needs = needs_of(node);
            open.extend(needs.nodes());
            needs
        });
    }
    let mut needed_by: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    let mut missing = BTreeMap::new();
    let mut free = Vec::new();
    for (node, needs) in &needs {
        for needed in needs.nodes() {
            needed_by.entry(*needed).or_default().push(*node);
        }
        let count = match needs {
            Needs::All(nodes) => nodes.len(),
            Needs::Any(_) => 1,
        };
        missing.insert(*node, count);
        if count == 0 {
            free.push(*node);
        }
    }
    while let Some(node) = free.pop() {
        missing.remove(&node);
        for waiter in needed_by.remove(&node).unwrap_or_default() {
            if let Some(count) = missing.get_mut(&waiter)
                && *count > 0
            {
                *count -= 1;
                if *count == 0 {
                    free.push(waiter);
                }
            }
        }
    }
    missing.into_keys().collect()
}
