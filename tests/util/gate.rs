//! Synchronization with a timeout and without sleeping.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Longer than any test waits, also in the interpreter Miri. It passes only when something hangs.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(if cfg!(miri) { 3_600 } else { 60 });

/// A gate that is shut until it is opened.
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

    /// Blocks until the gate is open. Fails the test after [`TIMEOUT`].
    #[track_caller]
    pub(crate) fn pass(&self) {
        let shut = self.0.0.lock().expect("never poisoned");
        let (open, late) = self
            .0
            .1
            .wait_timeout_while(shut, TIMEOUT, |open| !*open)
            .expect("never poisoned");
        // A panic with the lock would poison it for the others.
        drop(open);
        assert!(!late.timed_out(), "the gate was not opened");
    }
}

/// Opens a gate when it is dropped, so that a failing test leaves no task waiting.
pub(crate) struct OpenOnDrop(pub(crate) Gate);

impl Drop for OpenOnDrop {
    fn drop(&mut self) {
        self.0.open();
    }
}
