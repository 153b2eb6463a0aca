//! Taking a callback back.

use std::fmt;

/// A callback that was added to a [`CancelToken`](super::CancelToken), a task or a process. Dropping
/// the guard takes the callback back: unless it has begun, it never runs and is dropped. A callback
/// that runs at that moment runs to its end, and the drop does not wait for that.
#[must_use = "dropping the guard takes the callback back; `keep` leaves it"]
pub struct CallbackGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl CallbackGuard {
    pub(crate) fn new(take_back: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(take_back)))
    }

    /// The guard of a callback that has run already.
    pub(crate) fn of_nothing() -> Self {
        Self(None)
    }

    /// Leaves the callback where it is. It is dropped with the token, task or process, if it has not run
    /// by then.
    ///
    /// ```
    /// use meanwhile_join::CancelToken;
    ///
    /// let token = CancelToken::new();
    /// let (send, receive) = std::sync::mpsc::channel();
    /// token.on_cancel(move || send.send("cancelled").unwrap()).keep();
    /// token.cancel();
    /// assert_eq!(receive.recv()?, "cancelled");
    /// # Ok::<(), std::sync::mpsc::RecvError>(())
    /// ```
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for CallbackGuard {
    fn drop(&mut self) {
        if let Some(take_back) = self.0.take() {
            take_back();
        }
    }
}

impl fmt::Debug for CallbackGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackGuard").finish_non_exhaustive()
    }
}
