//! A counted reference to a task.

use std::ops::Deref;
use std::sync::Arc;

use super::header::Header;

/// The header of a [`Task`](super::Task) or an [`AnyTask`](super::AnyTask). When the last handle is dropped
/// and the task has ended, a panic that no join or poll has returned is reported.
pub(crate) struct Handle(Arc<Header>);

impl Handle {
    pub(crate) fn new(header: Arc<Header>) -> Self {
        header.add_handle();
        Self(header)
    }

    /// Returns a handle to a task that may have no other, unless it has ended.
    pub(crate) fn of_live(header: Arc<Header>) -> Option<Self> {
        header.add_handle_if_live().then(|| Self(header))
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.remove_handle();
    }
}

impl Deref for Handle {
    type Target = Arc<Header>;

    fn deref(&self) -> &Arc<Header> {
        &self.0
    }
}
