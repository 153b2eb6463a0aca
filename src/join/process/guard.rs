//! The guard of a tree: while one exists, the supervisor kills the tree when this program exits.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::error::SpawnError;
use super::supervisor::Supervisor;
use crate::join::sync::lock;

/// The supervisor of a launcher. `None` before the first launch.
pub(super) type SharedSupervisor = Arc<Mutex<Option<Supervisor>>>;

/// Keeps a tree supervised as long as it has holders: its process until that ends, and every call
/// that stops the tree, which may take longer.
pub(super) struct TreeGuard {
    supervisor: SharedSupervisor,
    tag: String,
    holders: Mutex<usize>,
}

impl TreeGuard {
    /// Adds a tree to the supervisor, with the process as its first holder. Starts `program` as a
    /// supervisor if none runs.
    pub(super) fn new(
        supervisor: &SharedSupervisor,
        program: &Path,
        tag: &str,
    ) -> Result<Self, SpawnError> {
        let mut current = lock(supervisor);
        let was_added = current.as_mut().is_some_and(|it| it.add(tag).is_ok());
        if !was_added {
            let mut fresh = Supervisor::start(program)?;
            // It fails if the supervisor has exited already; the next launch starts another.
            fresh.add(tag).ok();
            *current = Some(fresh);
        }
        Ok(Self {
            supervisor: supervisor.clone(),
            tag: tag.to_owned(),
            holders: Mutex::new(1),
        })
    }

    /// Adds a holder, which is removed when the returned value is dropped.
    pub(super) fn add_holder(&self) -> impl Drop {
        let mut holders = lock(&self.holders);
        *holders += 1;
        if *holders == 1
            && let Some(supervisor) = &mut *lock(&self.supervisor)
        {
            // A supervisor that has exited is no loss here: the tree is being stopped anyway.
            supervisor.add(&self.tag).ok();
        }
        Holder(self)
    }

    /// Removes a holder. The process itself is released when it ends.
    pub(super) fn release(&self) {
        let mut holders = lock(&self.holders);
        *holders -= 1;
        if *holders == 0
            && let Some(supervisor) = &mut *lock(&self.supervisor)
        {
            // A supervisor that has exited has no tag to remove.
            supervisor.remove(&self.tag).ok();
        }
    }
}

struct Holder<'a>(&'a TreeGuard);

impl Drop for Holder<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}
