//! Ctrl-C: the first cancels the job, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ExitFn, INTERRUPTED};

/// The number of times that the user or the system has asked the program to stop.
#[derive(Clone, Default)]
pub(super) struct Interrupts(Arc<AtomicUsize>);

impl Interrupts {
    /// Starts to listen for Ctrl-C and for the signals with which a system ends a program. Calls
    /// `wake` after the first.
    ///
    /// # Errors
    /// The system refused, or the program listens already.
    pub(super) fn listen(
        leave: ExitFn,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, ctrlc::Error> {
        let interrupts = Self::default();
        let count = Arc::clone(&interrupts.0);
        ctrlc::set_handler(move || {
            if count.fetch_add(1, Ordering::AcqRel) > 0 {
                leave(i32::from(INTERRUPTED));
            }
            wake();
        })?;
        Ok(interrupts)
    }

    /// Whether there was any.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}
