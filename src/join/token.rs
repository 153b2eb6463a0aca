//! Cancel requests that can be shared and nested.

use std::fmt;
use std::sync::Arc;

use super::callback_guard::CallbackGuard;
use super::cancel_tree::{self, CancelNode, CancelTarget, Entry};
use super::error::Cancelled;
use super::nested;

/// A request to stop that several tasks, processes and waits share. Clones are the same token.
///
/// A token stays cancelled. A [child](Self::child) is cancelled with its parent, but not the parent
/// with it. A task [has a token](super::Context::token) too: cancelling the one cancels the other.
///
/// ```
/// use meanwhile_join::{self as join, Builder, CancelToken, JoinError};
///
/// let window = CancelToken::new();
/// let search = window.child();
/// let task = Builder::new("search")
///     .cancel_token(&search)
///     .spawn(join::cancellable(|context| context.sleep_until(None)))?;
/// window.cancel();
/// assert!(search.is_cancelled());
/// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
/// # Ok::<(), meanwhile_join::SpawnError>(())
/// ```
#[derive(Clone)]
pub struct CancelToken(Arc<dyn CancelTarget>);

/// A token that is not that of a task.
struct Unbound(CancelNode);

impl CancelTarget for Unbound {
    fn node(&self) -> &CancelNode {
        &self.0
    }
}

impl CancelToken {
    /// Returns a token without a parent.
    pub fn new() -> Self {
        Self(Arc::new(Unbound(CancelNode::new())))
    }

    pub(crate) fn of(target: Arc<dyn CancelTarget>) -> Self {
        Self(target)
    }

    pub(crate) fn target(&self) -> &Arc<dyn CancelTarget> {
        &self.0
    }

    /// Returns a new token that is cancelled with this one. If this one is cancelled already, so is
    /// the new one. Dropping the last handle of a child leaves nothing of it in its parent.
    ///
    /// ```
    /// use meanwhile_join::CancelToken;
    ///
    /// let all = CancelToken::new();
    /// let one = all.child();
    /// one.cancel();
    /// assert!(!all.is_cancelled());
    /// let other = all.child();
    /// all.cancel();
    /// assert!(other.is_cancelled());
    /// ```
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self::new();
        if !cancel_tree::link(&child.0, &self.0) {
            child.cancel();
        }
        child
    }

    /// Cancels this token and those below it, without waiting for the tasks. When this returns, all of
    /// them are cancelled, queued tasks have ended, and the callbacks have run on this thread. A
    /// second call has no effect.
    pub fn cancel(&self) {
        cancel_tree::cancel(self.0.clone());
    }

    /// Returns whether the token is cancelled. Takes one atomic load.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.0.node().is_requested()
    }

    /// Returns `Err` if the token is cancelled, so that `token.check()?` stops the work.
    ///
    /// # Errors
    /// [`Cancelled`] if the token is cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            self.0.did_fail_check();
            return Err(Cancelled);
        }
        Ok(())
    }

    /// Runs `callback` when the token is cancelled, or now if it is cancelled already. Dropping the
    /// guard takes the callback back. The guard keeps the token: it may be the only handle of a child.
    ///
    /// It runs on the thread that cancels, so it must not block. No lock is held meanwhile: it may use
    /// any token. Callbacks run in no particular order. If one panics, the panic is ignored.
    ///
    /// ```
    /// use meanwhile_join::CancelToken;
    /// use std::net::{Shutdown, TcpListener, TcpStream};
    /// use std::io::Read as _;
    ///
    /// let server = TcpListener::bind("127.0.0.1:0")?;
    /// let mut connection = TcpStream::connect(server.local_addr()?)?;
    /// let token = CancelToken::new();
    /// let closing = connection.try_clone()?;
    /// let guard = token.on_cancel(move || closing.shutdown(Shutdown::Both).unwrap_or_default());
    /// # let canceller = std::thread::spawn({ let token = token.clone(); move || token.cancel() });
    /// let read = connection.read(&mut [0; 16])?; // ends when another thread cancels
    /// # canceller.join().unwrap();
    /// drop(guard);
    /// assert_eq!(read, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_cancel(&self, callback: impl FnOnce() + Send + 'static) -> CallbackGuard {
        match self.0.node().add(Entry::Callback(Box::new(callback))) {
            Ok(key) => {
                let target = self.0.clone();
                CallbackGuard::new(move || target.node().remove(key))
            }
            Err(entry) => {
                if let Entry::Callback(callback) = entry {
                    nested::run(callback);
                }
                CallbackGuard::of_nothing()
            }
        }
    }

    /// Returns a guard that cancels the token when it is dropped, also by a panic.
    ///
    /// So an `async fn` that is dropped before its end, as after a timeout, cancels the task that it
    /// awaits. If it runs to its end, the task has ended, and the cancel has no effect.
    ///
    /// ```
    /// use meanwhile_join::{Builder, CancelToken};
    /// use std::error::Error;
    ///
    /// async fn lines(text: String) -> Result<usize, Box<dyn Error>> {
    ///     let token = CancelToken::new();
    ///     let _guard = token.cancel_on_drop();
    ///     let task = Builder::new("lines").cancel_token(&token);
    ///     Ok(task.spawn_owned(move |_| text.lines().count())?.await?)
    /// }
    ///
    /// let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    /// assert_eq!(runtime.block_on(lines("one\ntwo".to_owned()))?, 2);
    /// # Ok::<(), Box<dyn Error>>(())
    /// ```
    pub fn cancel_on_drop(&self) -> CancelGuard {
        CancelGuard(self.clone())
    }
}

/// Cancels a token or a task when it is dropped; from [`CancelToken::cancel_on_drop`] and
/// [`Task::cancel_on_drop`](super::Task::cancel_on_drop).
#[derive(Debug)]
#[must_use = "dropping it cancels the token or the task"]
pub struct CancelGuard(CancelToken);

impl CancelGuard {
    pub(crate) fn of_task(task: Arc<dyn CancelTarget>) -> Self {
        Self(CancelToken(task))
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if !self.0.0.has_ended() {
            self.0.cancel();
        }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
