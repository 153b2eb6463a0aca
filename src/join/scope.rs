//! Tasks that do not outlive a block of code.

use std::fmt;
use std::sync::Arc;

use super::builder::Builder;
use super::context::Context;
use super::error::SpawnError;
use super::header::Header;
use super::pool::Pool;
use super::sync::{Mutex, lock};
use super::task::Task;
use super::{registry, wait};

/// The starter of the tasks of one [`scope`].
#[derive(Default)]
pub struct Scope {
    started: Mutex<Vec<Arc<Header>>>,
}

/// Runs `f` and returns its value. When `f` returns or panics, all tasks started in its [`Scope`]
/// are cancelled and joined first.
///
/// To let the tasks finish, join them in the scope. Their closures must be `'static`, because a
/// cancelled task may still run for a while.
///
/// ```
/// use meanwhile_join as join;
///
/// let forever = join::scope(|scope| {
///     scope.spawn("forever", |context| loop { context.checkpoint() })
/// })?;
/// assert!(forever.is_finished());
/// # Ok::<(), join::SpawnError>(())
/// ```
///
/// If a task of the scope waits without a deadline for the task that ends the scope, neither could
/// end. So that wait returns [`WouldDeadlock`](super::JoinError::WouldDeadlock).
///
/// A panic of a task that is not joined does not reach the caller of `scope`. It is reported as
/// [`on_panic`](super::on_panic) says.
///
/// # Panics
/// Passes on a panic of `f`.
pub fn scope<R>(f: impl FnOnce(&Scope) -> R) -> R {
    let scope = Scope::default();
    let _end = EndOfScope(&scope);
    f(&scope)
}

impl Scope {
    /// Starts a task on a thread of its own; see [`Builder::spawn`].
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let sum = join::scope(|scope| {
    ///     let half = scope.spawn("half", |_| (1..=50).sum::<u32>())?;
    ///     let rest: u32 = (51..=100).sum();
    ///     Ok::<_, Box<dyn std::error::Error>>(half.join()? + rest)
    /// })?;
    /// assert_eq!(sum, 5_050);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`Builder::spawn`] does.
    pub fn spawn<T, F>(&self, name: impl Into<String>, f: F) -> Result<Task<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        Ok(self.adopt(Builder::new(name).spawn(f)?))
    }

    /// Queues a task on a pool; see [`Builder::spawn_on`].
    ///
    /// # Errors
    /// Fails as [`Builder::spawn_on`] does.
    pub fn spawn_on<T, F>(
        &self,
        pool: &Pool,
        name: impl Into<String>,
        f: F,
    ) -> Result<Task<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        Ok(self.adopt(Builder::new(name).spawn_on(pool, f)?))
    }

    fn adopt<T>(&self, task: Task<T>) -> Task<T> {
        let mut started = lock(&self.started);
        if started.len() == started.capacity() {
            started.retain(|task| !task.is_finished());
        }
        started.push(task.header().clone());
        task
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = lock(&self.started);
        let live = started.iter().filter(|task| !task.is_finished());
        f.debug_struct("Scope")
            .field("live", &live.count())
            .finish_non_exhaustive()
    }
}

struct EndOfScope<'a>(&'a Scope);

impl Drop for EndOfScope<'_> {
    fn drop(&mut self) {
        let started = std::mem::take(&mut *lock(&self.0.started));
        // Newest first: an older task may start others until it is cancelled.
        for task in started.iter().rev() {
            registry::cancel(task);
        }
        wait::for_all_breaking(started);
    }
}
