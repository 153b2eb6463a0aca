//! Several tasks in the order in which they end.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use super::error::{NO_THREAD, cycle_text};
use super::graph::{self, Need};
use super::id::TaskId;
use super::task::Task;
use super::wait::{WaitFailure, WaitSet, deadline};
use super::wait_many::{distinct, headers};

/// Returns an iterator over tasks in the order in which they end. It blocks until the next one has
/// ended.
///
/// Each task comes once; those that have ended already come first. A [`CompletionError`] ends the
/// iterator. It keeps no handle to a task that has come, so that
/// [`into_output`](Task::into_output) gives the value away. For tasks that are added meanwhile, or
/// whose values are not [`Sync`], see [`Group`](super::Group).
///
/// ```
/// use meanwhile_join as join;
///
/// let tasks = (0..3).map(|n| join::spawn(format!("square {n}"), move |_| n * n));
/// let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
/// let mut sum = 0;
/// for task in join::as_completed(tasks) {
///     sum += task?.join()?;
/// }
/// assert_eq!(sum, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn as_completed<T>(tasks: Vec<Task<T>>) -> AsCompleted<T> {
    completed_until(tasks, None)
}

/// Like [`as_completed`], with a timeout for all tasks together, which counts from this call. If it
/// expires before the last task has come, the iterator yields one [`CompletionError::TimedOut`] and
/// ends.
pub fn as_completed_timeout<T>(tasks: Vec<Task<T>>, timeout: Duration) -> AsCompleted<T> {
    completed_until(tasks, deadline(Some(timeout)))
}

/// Like [`as_completed_timeout`], but times out at this time, and never earlier. `None` is no deadline.
pub fn as_completed_deadline<T>(
    tasks: Vec<Task<T>>,
    deadline: impl Into<Option<Instant>>,
) -> AsCompleted<T> {
    completed_until(tasks, deadline.into())
}

fn completed_until<T>(tasks: Vec<Task<T>>, deadline: Option<Instant>) -> AsCompleted<T> {
    let tasks = distinct(tasks.into_iter());
    AsCompleted {
        set: WaitSet::new(headers(&tasks)),
        deadline,
        tasks: tasks.into_iter().map(Some).collect(),
        has_failed: false,
        not_send: PhantomData,
    }
}

/// The iterator of [`as_completed`], [`as_completed_timeout`] and [`as_completed_deadline`]. It stays on
/// the thread that made it.
#[must_use = "it waits only when it is asked for the next task"]
pub struct AsCompleted<T> {
    /// Those that have not come.
    tasks: Vec<Option<Task<T>>>,
    set: WaitSet,
    deadline: Option<Instant>,
    has_failed: bool,
    /// The set wakes the thread that made it.
    not_send: PhantomData<*const ()>,
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("unfinished", &self.set.unfinished())
            .field("total", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// The reason why [`as_completed`] ended before all of its tasks.
///
/// ```
/// use meanwhile_join::{self as join, CompletionError};
/// use std::time::Duration;
///
/// let slow = join::spawn("slow", |context| context.sleep_until(None))?;
/// let mut ended = join::as_completed_timeout(vec![slow.clone()], Duration::ZERO);
/// let Some(Err(error)) = ended.next() else { unreachable!("the task never ends by itself") };
/// assert_eq!(error, CompletionError::TimedOut { unfinished: 1, total: 1 });
/// assert_eq!(error.to_string(), "1 of 1 unfinished");
/// slow.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompletionError {
    /// The timeout expired.
    TimedOut {
        /// The number of tasks that have not come.
        unfinished: usize,
        /// The number of all tasks.
        total: usize,
    },
    /// The calling task itself is the only one left.
    CurrentThread,
    /// Waiting for the next task would close a deadlock cycle.
    WouldDeadlock {
        /// The cycle: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
    /// All threads of a [`Pool`](super::Pool) wait for tasks that are queued there, and the system refused
    /// one more. This thread can't run these tasks either: 32 run inside each other on it already. They
    /// stay queued.
    NoThread,
}

impl fmt::Display for CompletionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { unfinished, total } => write!(f, "{unfinished} of {total} unfinished"),
            Self::CurrentThread => f.write_str("cannot join current thread"),
            Self::WouldDeadlock { cycle } => {
                let cycle = cycle_text(cycle);
                write!(f, "cannot wait: {cycle} would wait for each other forever")
            }
            Self::NoThread => f.write_str(NO_THREAD),
        }
    }
}

impl std::error::Error for CompletionError {}

impl<T> Iterator for AsCompleted<T> {
    type Item = Result<Task<T>, CompletionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed || self.set.unfinished() == 0 {
            return None;
        }
        let blocked = self.set.block(graph::global(), Need::Any, self.deadline);
        if let Err(failure) = blocked {
            self.has_failed = true;
            return Some(Err(self.error(failure)));
        }
        let index = self.set.poll()?;
        self.tasks[index].take().map(Ok)
    }
}

impl<T> AsCompleted<T> {
    fn error(&self, failure: WaitFailure) -> CompletionError {
        match failure {
            WaitFailure::TimedOut => CompletionError::TimedOut {
                unfinished: self.set.unfinished(),
                total: self.tasks.len(),
            },
            WaitFailure::CurrentThread => CompletionError::CurrentThread,
            WaitFailure::WouldDeadlock(cycle) => CompletionError::WouldDeadlock { cycle },
            WaitFailure::NoThread => CompletionError::NoThread,
        }
    }
}
