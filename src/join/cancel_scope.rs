//! Tasks that are cancelled at the end of a block of code.

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

/// The starter of the tasks of one [`cancel_scope`].
#[derive(Default)]
pub struct CancelScope {
    started: Mutex<Vec<Arc<Header>>>,
}

/// Runs `f` and returns its value. When `f` returns or panics, all tasks started in its [`CancelScope`]
/// are cancelled and joined first.
///
/// For tasks that are pointless once `f` has its result, such as a search in several places. To let
/// some finish, join them in the scope. Their closures can't borrow local variables, because they may
/// run on a [`Pool`]; see [`scope`](super::scope()) for tasks that borrow, and are not cancelled.
///
/// ```
/// use meanwhile_join as join;
///
/// let forever = join::cancel_scope(|scope| {
///     scope.spawn("forever", |context| context.sleep_until(None))
/// })?;
/// assert!(forever.is_finished());
/// # Ok::<(), join::SpawnError>(())
/// ```
///
/// If a task of the scope waits without a deadline for the task that ends the scope, neither could
/// end. So that wait returns [`WouldDeadlock`](super::JoinError::WouldDeadlock).
///
/// A panic of a task that is not joined does not reach the caller of `cancel_scope`. It is reported as
/// [`on_panic`](super::on_panic) says, before `cancel_scope` returns unless a handle of that task is left.
///
/// # Panics
/// Passes on a panic of `f`.
pub fn cancel_scope<R>(f: impl FnOnce(&CancelScope) -> R) -> R {
    let scope = CancelScope::default();
    let _end = EndOfScope(&scope);
    f(&scope)
}

impl CancelScope {
    /// Starts a task on a thread of its own; see [`Builder::spawn`]. A closure that borrows belongs in a
    /// [`scope`](super::scope()).
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let sum = join::cancel_scope(|scope| {
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
        self.spawn_with(Builder::new(name), f)
    }

    /// Starts a task with these settings on a thread of its own.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Builder, Changes};
    ///
    /// let (wake, wakes) = std::sync::mpsc::channel();
    /// let changes = Changes::new(move || drop(wake.send(())));
    /// join::cancel_scope(|scope| {
    ///     let search = Builder::new("search").report_to(&changes);
    ///     scope.spawn_with(search, |context| context.sleep_until(None))
    /// })?;
    /// wakes.recv()?; // the end of the task
    /// assert_eq!(changes.take(usize::MAX).len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`Builder::spawn`] does.
    pub fn spawn_with<T, F>(&self, builder: Builder, f: F) -> Result<Task<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        Ok(self.adopt(builder.spawn(f)?))
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

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = lock(&self.started);
        let live = started.iter().filter(|task| !task.is_finished());
        f.debug_struct("CancelScope")
            .field("live", &live.count())
            .finish_non_exhaustive()
    }
}

struct EndOfScope<'a>(&'a CancelScope);

impl Drop for EndOfScope<'_> {
    fn drop(&mut self) {
        let started = std::mem::take(&mut *lock(&self.0.started));
        // Newest first: an older task may start others until it is cancelled.
        for task in started.iter().rev() {
            registry::cancel(task);
        }
        wait::for_all_breaking(started.clone());
        wait_for_reports(&started);
    }
}

/// Blocks until the unseen panics of these tasks, which have ended, are reported.
fn wait_for_reports(ended: &[Arc<Header>]) {
    // A task leaves the list after its report. Mostly none has panicked.
    let is_reporting = |task: &Header| {
        let is_one_of_them = || ended.iter().any(|it| it.id() == task.id());
        task.panic().is_some() && is_one_of_them()
    };
    if ended
        .iter()
        .any(|task| task.is_listed() && is_reporting(task))
    {
        registry::global().wait_for_removals(is_reporting, None);
    }
}
