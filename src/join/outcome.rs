//! How a task stands and how it ended.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::panic::PanicReport;

/// Numbers the tasks of this process, from 1, in the order in which they were spawned.
///
/// A number is never used twice.
///
/// ```
/// use meanwhile::join;
/// use std::collections::BTreeMap;
///
/// let task = join::spawn("read a.txt", |_| ())?;
/// // What the program itself knows about its tasks.
/// let files = BTreeMap::from([(task.id(), "a.txt")]);
/// assert_eq!(files[&task.id()], "a.txt");
/// assert_eq!(task.id().to_string(), format!("#{}", task.id().get()));
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub(crate) u64);

impl TaskId {
    /// The number itself, at least 1.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where a task stands.
///
/// ```
/// use meanwhile::join::{self, TaskState};
///
/// fn mark(state: TaskState) -> char {
///     match state {
///         TaskState::Queued => '·',
///         TaskState::Running => '>',
///         TaskState::Returned => '+',
///         TaskState::Panicked => '!',
///         TaskState::Cancelled => '-',
///     }
/// }
///
/// let task = join::spawn("import", |_| panic!("the disk is full"))?;
/// assert!(task.join().is_err());
/// assert_eq!(mark(task.state()), '!');
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Spawned; its closure has not begun.
    Queued,
    /// Its closure runs.
    Running,
    /// Its closure returned a value.
    Returned,
    /// Its closure panicked; the [`PanicReport`] is kept.
    Panicked,
    /// It was cancelled: its closure never ran, or unwound at a
    /// [`checkpoint`](super::Context::checkpoint).
    Cancelled,
}

impl TaskState {
    /// Whether the outcome is published and nothing more will happen.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let tasks = [join::spawn("a", |_| 1)?, join::spawn("b", |_| 2)?];
    /// tasks[0].join()?;
    /// let ended = tasks.iter().filter(|task| task.state().is_finished()).count();
    /// assert!(ended >= 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Returned | Self::Panicked | Self::Cancelled)
    }
}

/// Why a join came back without the task's value.
///
/// [`TimedOut`](Self::TimedOut), [`CurrentThread`](Self::CurrentThread) and
/// [`WouldDeadlock`](Self::WouldDeadlock) say something about the wait: the task goes on and may
/// be joined again. The other two are how the task ended, the same for every joiner.
///
/// ```
/// use meanwhile::join::{self, JoinError};
/// use std::time::Duration;
///
/// fn shown(joined: Result<&u32, JoinError>) -> String {
///     match joined {
///         Ok(pages) => format!("{pages} pages"),
///         Err(JoinError::TimedOut) => "still counting".to_owned(),
///         Err(error) => error.to_string(),
///     }
/// }
///
/// let task = join::spawn("count pages", |context| loop { context.checkpoint() })?;
/// assert_eq!(shown(task.join_timeout(Duration::ZERO)), "still counting");
/// task.cancel();
/// assert_eq!(shown(task.join()), "the task was cancelled");
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, thiserror::Error)]
pub enum JoinError {
    /// The time was up; the task still runs.
    #[error("it still runs: the join timed out")]
    TimedOut,
    /// The task panicked.
    #[error("{0}")]
    Panicked(Arc<PanicReport>),
    /// The task was cancelled.
    #[error("the task was cancelled")]
    Cancelled,
    /// A task tried to join itself, which could never end.
    #[error("cannot join current thread")]
    CurrentThread,
    /// Waiting would close a ring of tasks that wait for each other, which could never end.
    #[error("cannot join: {} would wait for each other for ever", ring(.cycle))]
    WouldDeadlock {
        /// The ring: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
}

impl JoinError {
    /// Whether the task itself has ended, so that every later join says the same.
    ///
    /// ```
    /// use meanwhile::join;
    /// use std::time::Duration;
    ///
    /// let task = join::spawn("endless", |context| -> () { loop { context.checkpoint() } })?;
    /// assert!(task.join_timeout(Duration::ZERO).is_err_and(|error| !error.is_outcome()));
    /// task.cancel();
    /// assert!(task.join().is_err_and(|error| error.is_outcome()));
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Panicked(_) | Self::Cancelled)
    }
}

pub(crate) fn ring(cycle: &[TaskId]) -> String {
    let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    format!("tasks {}", names.join(" → "))
}

/// The system refused a thread; nothing was started and nothing is left behind.
///
/// ```
/// use meanwhile::join::Builder;
///
/// let refused = Builder::new("huge").stack_size(usize::MAX / 2).spawn(|_| ());
/// let Err(error) = refused else { unreachable!("no machine has room for this stack") };
/// assert_eq!(error.name, "huge");
/// assert!(error.to_string().starts_with("could not start a thread for `huge`"));
/// ```
#[derive(Debug, thiserror::Error)]
#[error("could not start a thread for `{name}`: {source}; end some running work and try again")]
pub struct SpawnError {
    /// The name of the task or pool.
    pub name: String,
    /// What the system said.
    pub source: std::io::Error,
}

/// How far a task says it is.
///
/// ```
/// use meanwhile::join::{self, Progress};
///
/// fn shown(progress: &Progress) -> String {
///     let Progress { done, total, message } = progress;
///     let message = message.as_deref().unwrap_or("working");
///     match total {
///         0 => format!("{message}: {done}"),
///         total => format!("{message}: {done} of {total}"),
///     }
/// }
///
/// let task = join::spawn("copy", |context| {
///     context.set_progress(3, 4);
///     context.set_message("c.txt");
/// })?;
/// assert_eq!(shown(&Progress::default()), "working: 0");
/// task.join()?;
/// assert_eq!(shown(&task.progress()), "c.txt: 3 of 4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Work done, in the task's own unit.
    pub done: u64,
    /// Work in all, in the same unit; 0 where that is not known.
    pub total: u64,
    /// The latest message, if any was set.
    pub message: Option<Arc<str>>,
}

/// Where a task runs.
///
/// ```
/// use meanwhile::join::{self, Builder, Placement, Pool};
///
/// let pool = Pool::builder().threads(1).build()?;
/// let alone = join::spawn("alone", |_| ())?;
/// let a = Builder::new("a").spawn_on(&pool, |_| ())?;
/// let b = Builder::new("b").spawn_on(&pool, |_| ())?;
/// assert_eq!(alone.info().placement, Placement::Thread);
/// assert!(matches!(a.info().placement, Placement::Pool(_)));
/// assert_eq!(a.info().placement, b.info().placement);
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// A thread of its own.
    Thread,
    /// A pool, by its number.
    Pool(u64),
}

/// A snapshot of what is known about a task.
///
/// ```
/// use meanwhile::join::{self, TaskInfo};
///
/// fn row(info: &TaskInfo) -> String {
///     format!("{}: {:?}, {} done", info.name, info.state, info.progress.done)
/// }
///
/// let task = join::spawn("index", |context| context.set_progress(7, 7))?;
/// task.join()?;
/// let info = task.info();
/// assert_eq!(row(&info), "index: Returned, 7 done");
/// assert!(info.spawned_at <= info.started_at.expect("it ran"));
/// assert!(info.started_at <= info.finished_at);
/// assert_eq!(info.cancel_requested_at, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Its number.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub state: TaskState,
    /// Whether [`shutdown`](super::shutdown) does not wait for it.
    pub daemon: bool,
    /// Where it runs.
    pub placement: Placement,
    /// When it was spawned.
    pub spawned_at: Instant,
    /// When its closure began.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// When it was first asked to cancel, whatever came of it.
    pub cancel_requested_at: Option<Instant>,
    /// How far it is.
    pub progress: Progress,
}

impl TaskInfo {
    /// How long its closure has run, or ran; `None` before it began.
    ///
    /// ```
    /// use meanwhile::join;
    ///
    /// let task = join::spawn("index", |_| ())?;
    /// task.join()?;
    /// let ran = task.info().elapsed();
    /// assert!(ran.is_some());
    /// assert_eq!(task.info().elapsed(), ran); // no longer counting
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn elapsed(&self) -> Option<Duration> {
        let end = self.finished_at.unwrap_or_else(Instant::now);
        Some(end.saturating_duration_since(self.started_at?))
    }
}
