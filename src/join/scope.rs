//! Tasks that borrow from the code around them.

use std::fmt;
use std::sync::Arc;

use super::builder::Builder;
use super::closure;
use super::code::{ClosureOutcome, code};
use super::context::Context;
use super::error::SpawnError;
use super::handle::Handle;
use super::owned::OwnedTask;
use super::owned_slot;
use super::panic::{Contained, PanicReport};
use super::priority::spawn_scoped;
use super::sync::{Mutex, lock};
use super::trace::Spawner;
use super::traced::run_traced;
use super::{registry, wait};

/// The starter of the tasks of one [`scope`](scope()). A task of the scope that starts others needs a
/// clone.
pub struct Scope<'scope, 'env: 'scope> {
    threads: &'scope std::thread::Scope<'scope, 'env>,
    started: Arc<Started>,
}

/// Runs `f` and returns its value. The closures of tasks started in its [`Scope`] may borrow local
/// variables: when `f` returns or panics, all of them are joined first.
///
/// This is the contract of [`std::thread::scope`], with tasks that have names and can be joined with a
/// timeout, polled and cancelled. The tasks run on threads of their own. For `'static` closures on a
/// [`Pool`](super::Pool) that should not outlive a block, see [`cancel_scope`](super::cancel_scope).
///
/// ```
/// use meanwhile_join as join;
///
/// let mut numbers = [3, 1, 2, 9, 7, 8];
/// let (low, high) = numbers.split_at_mut(3);
/// let smallest = join::scope(|scope| {
///     let first = scope.spawn("sort the low half", |_| { low.sort_unstable(); low[0] })?;
///     scope.spawn("sort the high half", |_| high.sort_unstable())?;
///     Ok::<_, Box<dyn std::error::Error>>(first.join_into()?)
/// })?;
/// assert_eq!((smallest, numbers), (1, [1, 2, 3, 7, 8, 9]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A task of the scope may start others in it:
///
/// ```
/// use meanwhile_join as join;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let visited = AtomicU32::new(0);
/// join::scope(|scope| {
///     let inner = scope.clone();
///     scope.spawn("folder", |_| {
///         let inner = inner;
///         visited.fetch_add(1, Ordering::Relaxed);
///         inner.spawn("file", |_| visited.fetch_add(1, Ordering::Relaxed)).map(drop)
///     }).map(drop)
/// })?;
/// assert_eq!(visited.into_inner(), 2);
/// # Ok::<(), join::SpawnError>(())
/// ```
///
/// If a task of the scope waits without a deadline for the task that ends the scope, neither could
/// end. So that wait returns [`WouldDeadlock`](super::JoinError::WouldDeadlock).
///
/// # Panics
/// Passes on a panic of `f`. Otherwise goes on with the panic of the oldest task that panicked and
/// whose outcome was not taken, as [`PanicReport::resume_unwind`] does. The panics of others are
/// reported as [`on_panic`](super::on_panic) says.
pub fn scope<'env, R>(f: impl for<'scope> FnOnce(&Scope<'scope, 'env>) -> R) -> R {
    let started = Arc::new(Started::default());
    let value = std::thread::scope(|threads| {
        let _end = EndOfScope(&started);
        f(&Scope {
            threads,
            started: started.clone(),
        })
    });
    if let Some(report) = started.unseen_panic() {
        report.resume_unwind();
    }
    value
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a task on a thread of its own.
    ///
    /// # Errors
    /// Fails if the system refuses the thread. Then nothing was started and `f` is dropped.
    pub fn spawn<T, F>(&self, name: impl Into<String>, f: F) -> Result<OwnedTask<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.spawn_with(Builder::new(name), f)
    }

    /// Starts a task with these settings on a thread of its own.
    ///
    /// A thread that is started on one of [background](super::Priority::Background) priority has that
    /// too.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Builder};
    ///
    /// let text = String::from("borrowed");
    /// let length = join::scope(|scope| {
    ///     let small = Builder::new("measure").stack_size(64 * 1024);
    ///     scope.spawn_with(small, |_| text.len())?.join_into()
    ///         .map_err(Box::<dyn std::error::Error>::from)
    /// })?;
    /// assert_eq!(length, 8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`spawn`](Self::spawn) does.
    pub fn spawn_with<T, F>(&self, builder: Builder, f: F) -> Result<OwnedTask<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (store, slot) = owned_slot::alone();
        let f = Contained::new(f);
        let spawner = Spawner::current();
        // The code of a task can't borrow. So the thread has the closure, and the code only says who begins.
        let code = code(|_| ClosureOutcome::Cancelled);
        let handle = builder.start_by(code, |thread, priority, header| {
            spawn_scoped(self.threads, thread, priority, move || {
                let code = || closure::run(&header, f, store);
                registry::run_code(&header, || run_traced(spawner, &header, code));
            })
        })?;
        self.started.add(handle.clone());
        Ok(OwnedTask::new(handle, slot))
    }
}

impl Clone for Scope<'_, '_> {
    fn clone(&self) -> Self {
        Self {
            threads: self.threads,
            started: self.started.clone(),
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = lock(&self.started.tasks);
        let live = tasks.iter().filter(|task| !task.is_finished());
        f.debug_struct("Scope")
            .field("live", &live.count())
            .finish_non_exhaustive()
    }
}

/// The tasks of a scope that live, and those that panicked.
#[derive(Default)]
struct Started {
    tasks: Mutex<Vec<Handle>>,
}

impl Started {
    fn add(&self, task: Handle) {
        // Dropped after the lock is released.
        let mut ended = Vec::new();
        let mut tasks = lock(&self.tasks);
        if tasks.len() == tasks.capacity() {
            ended.extend(tasks.extract_if(.., |task| has_ended_well(task)));
        }
        tasks.push(task);
    }

    /// Blocks until all tasks have ended, including those that are started during the wait.
    fn wait(&self) {
        loop {
            let live = {
                let tasks = lock(&self.tasks).clone();
                let headers = tasks.iter().map(|task| Arc::clone(task));
                headers
                    .filter(|task| !task.is_finished())
                    .collect::<Vec<_>>()
            };
            if live.is_empty() {
                return;
            }
            wait::for_all_breaking(live);
        }
    }

    /// Returns the unseen panic of the oldest task.
    fn unseen_panic(&self) -> Option<Arc<PanicReport>> {
        let tasks = lock(&self.tasks);
        let unseen = tasks.iter().filter_map(|task| task.unseen_panic());
        let report = unseen.min_by_key(|report| report.task())?.clone();
        report.mark_seen();
        Some(report)
    }
}

fn has_ended_well(task: &Handle) -> bool {
    task.is_finished() && task.unseen_panic().is_none()
}

struct EndOfScope<'a>(&'a Started);

impl Drop for EndOfScope<'_> {
    fn drop(&mut self) {
        self.0.wait();
    }
}
