//! The guard of a tree: while it has holders, the supervisor kills the tree when this program
//! exits.

use std::sync::{Arc, Mutex};

use super::super::sync::lock;
use super::error::SpawnError;
use super::keeper::Keeper;

/// Keeps a tree supervised as long as it has holders: its process until that ends, and every call
/// that stops the tree, which may take longer. Dropping it ends that in any case.
pub(super) struct TreeGuard {
    keeper: Arc<Keeper>,
    tag: String,
    holders: Mutex<usize>,
}

impl TreeGuard {
    /// Adds a tree to the supervisor, with the process as its first holder. Starts a supervisor if
    /// none runs.
    pub(super) fn new(keeper: &Arc<Keeper>, tag: &str) -> Result<Self, SpawnError> {
        keeper.add(tag)?;
        Ok(Self {
            keeper: keeper.clone(),
            tag: tag.to_owned(),
            holders: Mutex::new(1),
        })
    }

    /// Adds a holder, which is removed when the returned value is dropped.
    pub(super) fn add_holder(self: &Arc<Self>) -> Holder {
        let mut holders = lock(&self.holders);
        *holders += 1;
        if *holders == 1 {
            self.keeper.insert(&self.tag);
        }
        Holder(self.clone())
    }

    /// Removes a holder. The process itself is released when it ends.
    pub(super) fn release(&self) {
        let mut holders = lock(&self.holders);
        *holders -= 1;
        if *holders == 0 {
            self.keeper.remove(&self.tag);
        }
    }
}

impl Drop for TreeGuard {
    /// Has an effect if the process could not be started.
    fn drop(&mut self) {
        self.keeper.remove(&self.tag);
    }
}

/// A holder of a guard, until it is dropped.
pub(super) struct Holder(Arc<TreeGuard>);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.release();
    }
}
