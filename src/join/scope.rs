//! Tasks that don't outlive a block of code.

use std::sync::Arc;

use super::builder::Builder;
use super::cell::Header;
use super::context::Context;
use super::outcome::SpawnError;
use super::pool::Pool;
use super::sync::{Mutex, lock};
use super::task::Task;
use super::{registry, wait};

/// Where the tasks of one [`scope`] are started.
#[derive(Default)]
pub struct Scope {
    started: Mutex<Vec<Arc<Header>>>,
}

/// Runs `f`; whatever is started in its [`Scope`] is cancelled and joined when it ends, also when
/// it panics.
///
/// To let the tasks come to their own end, join them in the scope. The tasks' closures are
/// `'static` like those of any task, because a cancelled task may go on for a while.
///
/// ```
/// use meanwhile::join;
///
/// let forever = join::scope(|scope| {
///     scope.spawn("forever", |context| loop { context.checkpoint() })
/// })?;
/// assert!(forever.is_finished());
/// # Ok::<(), join::SpawnError>(())
/// ```
///
/// A task that waits without a deadline for the task that ends the scope would keep the scope from
/// ever ending: that wait returns [`WouldDeadlock`](super::JoinError::WouldDeadlock).
pub fn scope<R>(f: impl FnOnce(&Scope) -> R) -> R {
    let scope = Scope::default();
    let _end = EndOfScope(&scope);
    f(&scope)
}

impl Scope {
    /// Starts a task on a thread of its own; see [`Builder::spawn`].
    ///
    /// # Errors
    /// As [`Builder::spawn`].
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
    /// As [`Builder::spawn_on`].
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

struct EndOfScope<'a>(&'a Scope);

impl Drop for EndOfScope<'_> {
    fn drop(&mut self) {
        let started = std::mem::take(&mut *lock(&self.0.started));
        for task in &started {
            registry::cancel(task);
        }
        wait::for_all_breaking(started);
    }
}
