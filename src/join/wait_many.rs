//! Waiting for some or all of several tasks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::graph::{self, Need};
use super::header::Header;
use super::id::TaskId;
use super::task::Task;
use super::wait::{WaitFailure, WaitSet, deadline};

/// The condition that [`wait`] waits for.
///
/// ```
/// use meanwhile_join::{self as join, JoinError, WaitUntil};
///
/// // One upload that fails makes the others pointless.
/// let broken = join::spawn("a", |_| panic!("no connection"))?;
/// let endless = join::spawn("b", |context| context.sleep_until(None))?;
/// let waited = join::wait(&[broken, endless], WaitUntil::FirstFailure);
/// for rest in &waited.pending {
///     rest.cancel();
/// }
/// assert!(matches!(waited.done[0].join(), Err(JoinError::Panicked(_))));
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitUntil {
    /// One task has ended, whatever its outcome.
    First,
    /// One task has panicked, or all have ended. A cancelled task is not a failure.
    FirstFailure,
    /// All tasks have ended.
    All,
}

/// The result of [`wait`].
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Waited<T> {
    /// The tasks that have ended, each once, in the order given.
    pub done: Vec<Task<T>>,
    /// The tasks that have not ended, each once, in the order given.
    pub pending: Vec<Task<T>>,
    /// The reason why the wait ended.
    pub end: WaitOutcome,
}

/// The reason why [`wait`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitOutcome {
    /// The condition holds.
    Satisfied,
    /// The timeout expired.
    TimedOut,
    /// Only the end of the calling task itself could have satisfied the wait.
    CurrentThread,
    /// The wait would close a deadlock cycle.
    WouldDeadlock {
        /// The cycle: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
    /// All threads of a [`Pool`](super::Pool) wait for tasks that are queued there, and the system refused
    /// one more. This thread can't run these tasks either: 32 run inside each other on it already. They
    /// stay queued.
    NoThread,
}

impl From<WaitFailure> for WaitOutcome {
    fn from(failure: WaitFailure) -> Self {
        match failure {
            WaitFailure::TimedOut => Self::TimedOut,
            WaitFailure::CurrentThread => Self::CurrentThread,
            WaitFailure::WouldDeadlock(cycle) => Self::WouldDeadlock { cycle },
            WaitFailure::NoThread => Self::NoThread,
        }
    }
}

/// Blocks until the condition `until` holds. Returns the tasks that have ended and those that have
/// not, and the reason why the wait ended.
///
/// A task that is in `tasks` more than once counts
/// once. Returns at once if `tasks` is empty or the condition holds already.
///
/// ```
/// use meanwhile_join::{self as join, WaitUntil};
///
/// let quick = join::spawn("quick", |_| 1)?;
/// let patient = join::spawn("patient", |context| {
///     while !context.is_cancelled() { std::thread::yield_now(); }
///     2
/// })?;
/// let waited = join::wait(&[quick.clone(), patient.clone()], WaitUntil::First);
/// assert_eq!(waited.done[0].id(), quick.id());
/// assert_eq!(waited.pending[0].id(), patient.id());
/// patient.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn wait<T>(tasks: &[Task<T>], until: WaitUntil) -> Waited<T> {
    wait_until(tasks, until, None)
}

/// Like [`wait`], but times out after `timeout`. Then [`Waited::end`] is [`WaitOutcome::TimedOut`].
pub fn wait_timeout<T>(tasks: &[Task<T>], until: WaitUntil, timeout: Duration) -> Waited<T> {
    wait_until(tasks, until, deadline(Some(timeout)))
}

/// Like [`wait_timeout`], but times out at this time, and never earlier. `None` is no deadline.
///
/// ```
/// use meanwhile_join::{self as join, WaitOutcome, WaitUntil};
/// use std::time::{Duration, Instant};
///
/// let deadline = Instant::now() + Duration::from_millis(1);
/// let endless = join::spawn("endless", |context| context.sleep_until(None))?;
/// let waited = join::wait_deadline(&[endless.clone()], WaitUntil::All, deadline);
/// assert_eq!(waited.end, WaitOutcome::TimedOut);
/// endless.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn wait_deadline<T>(
    tasks: &[Task<T>],
    until: WaitUntil,
    deadline: impl Into<Option<Instant>>,
) -> Waited<T> {
    wait_until(tasks, until, deadline.into())
}

fn wait_until<T>(tasks: &[Task<T>], until: WaitUntil, deadline: Option<Instant>) -> Waited<T> {
    let tasks = distinct(tasks.iter().cloned());
    let mut set = WaitSet::new(headers(&tasks));
    let need = match until {
        WaitUntil::All => Need::All,
        WaitUntil::First | WaitUntil::FirstFailure => Need::Any,
    };
    let mut any_ended = false;
    let mut any_failed = false;
    let end = loop {
        while let Some(index) = set.poll() {
            any_ended = true;
            any_failed |= tasks[index].header().panic().is_some();
        }
        let satisfied = set.unfinished() == 0
            || match until {
                WaitUntil::First => any_ended,
                WaitUntil::FirstFailure => any_failed,
                WaitUntil::All => false,
            };
        if satisfied {
            break WaitOutcome::Satisfied;
        }
        if let Err(failure) = set.block(graph::global(), need, deadline) {
            break failure.into();
        }
    };
    let (done, pending) = tasks.into_iter().partition(Task::is_finished);
    Waited { done, pending, end }
}

/// Returns the tasks without repetitions, in their order.
pub(super) fn distinct<T>(tasks: impl Iterator<Item = Task<T>>) -> Vec<Task<T>> {
    let mut seen = HashSet::new();
    tasks.filter(|task| seen.insert(task.id())).collect()
}

pub(super) fn headers<T>(tasks: &[Task<T>]) -> Vec<Arc<Header>> {
    tasks.iter().map(|task| task.header().clone()).collect()
}
