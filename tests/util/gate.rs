//! Waiting for each other without sleeping, and never for ever.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Far beyond anything a test waits for; reached only when something hangs.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A gate that is shut until somebody opens it.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn open(&self) {
        *self.0.0.lock().expect("never poisoned") = true;
        self.0.1.notify_all();
    }

    /// Blocks until the gate is open; fails the test when nobody opens it.
    #[track_caller]
    pub(crate) fn pass(&self) {
        let shut = self.0.0.lock().expect("never poisoned");
        let (_open, late) = self
            .0
            .1
            .wait_timeout_while(shut, LIMIT, |open| !*open)
            .expect("never poisoned");
        assert!(!late.timed_out(), "nobody opened the gate");
    }
}

/// Opens a gate when it is dropped, so that a failing test leaves nobody waiting.
pub(crate) struct OpenOnDrop(pub(crate) Gate);

impl Drop for OpenOnDrop {
    fn drop(&mut self) {
        self.0.open();
    }
}
