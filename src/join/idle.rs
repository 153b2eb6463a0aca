//! Waiting until no task of some kind is left.

use std::time::{Duration, Instant};

use super::current::is_held_up;
use super::error::JoinError;
use super::graph::{self, Graph};
use super::header::Header;
use super::info::TaskInfo;
use super::pool::Pool;
use super::registry::{self, Registry};
use super::wait::{self, WaitFailure};

impl Pool {
    /// Blocks until no task of the pool is queued or running. That includes tasks that are added
    /// during the wait.
    ///
    /// A task of the pool that calls this does not wait for itself. The pool can be used after it.
    ///
    /// ```
    /// use meanwhile_join::Pool;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// let pool = Pool::new(2)?;
    /// let sum = Arc::new(AtomicU64::new(0));
    /// for n in 1..=10 {
    ///     let sum = sum.clone();
    ///     pool.spawn(move |_| sum.fetch_add(n, Ordering::Relaxed));
    /// }
    /// pool.wait_until_idle()?;
    /// assert_eq!(sum.load(Ordering::Relaxed), 55);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WouldDeadlock`](JoinError::WouldDeadlock) if a task of the pool waits for the calling task.
    pub fn wait_until_idle(&self) -> Result<(), JoinError> {
        self.wait_until_idle_or(None)
    }

    /// Like [`wait_until_idle`](Self::wait_until_idle), but times out after `timeout`.
    ///
    /// # Errors
    /// - [`TimedOut`](JoinError::TimedOut) if the timeout expires first. The tasks go on.
    /// - The errors of [`wait_until_idle`](Self::wait_until_idle).
    pub fn wait_until_idle_timeout(&self, timeout: Duration) -> Result<(), JoinError> {
        self.wait_until_idle_or(wait::deadline(Some(timeout)))
    }

    /// Like [`wait_until_idle_timeout`](Self::wait_until_idle_timeout), but times out at this time, and
    /// never earlier. `None` is no deadline.
    ///
    /// # Errors
    /// As [`wait_until_idle_timeout`](Self::wait_until_idle_timeout).
    pub fn wait_until_idle_deadline(
        &self,
        deadline: impl Into<Option<Instant>>,
    ) -> Result<(), JoinError> {
        self.wait_until_idle_or(deadline.into())
    }

    /// Returns the tasks of the pool that are queued or running, oldest first. Those of the whole program
    /// are in [`live_tasks`](super::live_tasks()), which takes the same time.
    ///
    /// ```
    /// use meanwhile_join::{Builder, JoinError, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::new(1)?;
    /// let page = Builder::new("page 1").spawn_on(&pool, |context| context.sleep_until(None))?;
    /// let idle = pool.wait_until_idle_timeout(Duration::from_millis(1));
    /// assert!(matches!(idle, Err(JoinError::TimedOut)));
    /// assert_eq!(&*pool.live_tasks()[0].name, "page 1");
    /// # page.cancel();
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn live_tasks(&self) -> Vec<TaskInfo> {
        let placement = self.placement();
        let live = registry::global().live().into_iter();
        let live = live.filter(|task| task.placement() == placement);
        live.filter_map(|task| task.live_info()).collect()
    }

    fn wait_until_idle_or(&self, deadline: Option<Instant>) -> Result<(), JoinError> {
        let placement = self.placement();
        let is_awaited = |task: &Header| task.placement() == placement && !is_held_up(task.id());
        wait_until_empty(registry::global(), graph::global(), is_awaited, deadline)?;
        Ok(())
    }
}

/// Blocks until no awaited task is listed or the deadline has passed.
pub(crate) fn wait_until_empty(
    registry: &Registry,
    graph: &Graph,
    is_awaited: impl Fn(&Header) -> bool,
    deadline: Option<Instant>,
) -> Result<(), WaitFailure> {
    loop {
        let mut tasks = registry.listed();
        tasks.retain(|task| is_awaited(task));
        if tasks.is_empty() {
            return Ok(());
        }
        wait::for_all(graph, tasks, deadline)?;
        if !registry.wait_for_removals(&is_awaited, deadline) {
            return Err(WaitFailure::TimedOut);
        }
    }
}
