//! The number of handles to a task.

use std::sync::atomic::{AtomicU32, Ordering};

/// The handles to a task, and one more until the task has ended.
pub(crate) struct HandleCount(AtomicU32);

impl HandleCount {
    /// The count of a task with one handle.
    pub(crate) fn of_first() -> Self {
        Self(AtomicU32::new(2))
    }

    pub(crate) fn add(&self) {
        // A handle is made from another one, so the count can't reach zero meanwhile.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a handle that was not made from another one. Returns false if no handle could
    /// ask for the outcome any more.
    pub(crate) fn add_if_live(&self) -> bool {
        // Only the number counts. It stays above zero until this handle is dropped. What std has for this
        // loop has another name from 1.95 on than in the oldest Rust of the library.
        let mut count = self.0.load(Ordering::Relaxed);
        while count > 0 {
            let added = self.0.compare_exchange_weak(
                count,
                count + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match added {
                Ok(_) => return true,
                Err(changed) => count = changed,
            }
        }
        false
    }

    /// Counts a dropped handle or the end of the task. Returns true if no handle is left that could ask
    /// for the outcome.
    #[must_use]
    pub(crate) fn remove(&self) -> bool {
        // The last one acquires what the others released, such as the mark that the panic was seen.
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether no handle is left. Must be called before the task has ended.
    pub(crate) fn is_detached(&self) -> bool {
        // Only the number counts. Of a handle that comes or goes meanwhile either answer is right.
        self.0.load(Ordering::Relaxed) == 1
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::HandleCount;

    #[test]
    fn count_that_was_zero_takes_no_handle() {
        let count = HandleCount::of_first();
        assert!(count.add_if_live());
        assert!(!count.remove());
        assert!(!count.remove());
        assert!(count.remove());
        assert!(!count.add_if_live());
    }
}
