//! Waiting for one task, for several, and for several one by one.

use std::collections::{HashSet, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cell::{Batch, Header};
use super::graph::{Graph, Intent, Need, Targets};
use super::outcome::{JoinError, TaskId};
use super::sync::{current_thread, park_until};
use super::task::Task;
use super::{context, graph, pool, registry};

/// Why a wait ended before its target did.
#[derive(Debug)]
pub(crate) enum Unmet {
    TimedOut,
    CurrentThread,
    WouldDeadlock(Vec<TaskId>),
}

impl From<Unmet> for JoinError {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::TimedOut => Self::TimedOut,
            Unmet::CurrentThread => Self::CurrentThread,
            Unmet::WouldDeadlock(cycle) => Self::WouldDeadlock { cycle },
        }
    }
}

/// The point in time at which a timeout is over; `None` for one that is never over.
pub(crate) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// Blocks until `target` has ended or the deadline has passed.
pub(crate) fn for_one(
    graph: &Graph,
    target: &Arc<Header>,
    deadline: Option<Instant>,
) -> Result<(), Unmet> {
    if target.is_finished() {
        return Ok(());
    }
    if is_current(target) {
        return Err(Unmet::CurrentThread);
    }
    let wait = graph
        .enter(Intent {
            targets: Targets::One(target.clone()),
            need: Need::All,
            deadline,
        })
        .map_err(Unmet::WouldDeadlock)?;
    if deadline.is_none() && help(target) {
        return Ok(());
    }
    target.park(deadline, &wait);
    if target.is_finished() {
        Ok(())
    } else {
        Err(wait.broken().map_or(Unmet::TimedOut, Unmet::WouldDeadlock))
    }
}

fn is_current(target: &Header) -> bool {
    context::current() == Some(target.id())
}

/// Runs a task that is queued on the pool whose worker this thread is. False when it was not.
fn help(target: &Arc<Header>) -> bool {
    pool::is_worker_of(target.placement()) && registry::run(target)
}

/// Blocks until all `targets` have ended or the deadline has passed.
pub(crate) fn for_all(
    graph: &Graph,
    targets: Vec<Arc<Header>>,
    deadline: Option<Instant>,
) -> Result<(), Unmet> {
    let mut gathering = Gathering::new(targets);
    while gathering.unfinished() > 0 {
        gathering.block(graph, Need::All, deadline)?;
        while gathering.poll().is_some() {}
    }
    Ok(())
}

/// Blocks until all `targets` have ended, whoever waits for this task.
pub(crate) fn for_all_breaking(targets: Vec<Arc<Header>>) {
    let mut gathering = Gathering::new(targets);
    while gathering.unfinished() > 0 {
        if gathering.poll().is_none() {
            gathering.block_breaking();
        }
    }
}

/// A wait for several tasks that takes them in as they end.
struct Gathering {
    targets: Arc<[Arc<Header>]>,
    tickets: Vec<Option<u64>>,
    batch: Arc<Batch>,
    ready: VecDeque<usize>,
    taken: usize,
    helped: usize,
}

impl Gathering {
    fn new(targets: Vec<Arc<Header>>) -> Self {
        let batch = Arc::new(Batch::new(current_thread()));
        let tickets: Vec<Option<u64>> = targets
            .iter()
            .enumerate()
            .map(|(index, target)| target.join_batch(batch.clone(), index))
            .collect();
        let mut ready: Vec<usize> = (0..targets.len())
            .filter(|index| tickets[*index].is_none())
            .collect();
        ready.sort_by_key(|index| targets[*index].finished_at());
        Self {
            targets: targets.into(),
            tickets,
            batch,
            ready: ready.into(),
            taken: 0,
            helped: 0,
        }
    }

    /// How many [`poll`](Self::poll) has not given yet.
    fn unfinished(&self) -> usize {
        self.targets.len() - self.taken
    }

    /// The next task that has ended, if one has.
    fn poll(&mut self) -> Option<usize> {
        if !self.has_news() {
            return None;
        }
        let index = self.ready.pop_front()?;
        self.tickets[index] = None;
        self.taken += 1;
        Some(index)
    }

    /// Blocks until [`poll`](Self::poll) has a task to give.
    fn block(&mut self, graph: &Graph, need: Need, deadline: Option<Instant>) -> Result<(), Unmet> {
        while !self.has_news() {
            if self.waits_for_itself(need) {
                return Err(Unmet::CurrentThread);
            }
            let wait = graph
                .enter(self.intent(need, deadline))
                .map_err(Unmet::WouldDeadlock)?;
            if deadline.is_none() && self.help() {
                continue;
            }
            let in_time = self.has_news() || park_until(deadline);
            if let Some(cycle) = wait.broken() {
                return Err(Unmet::WouldDeadlock(cycle));
            }
            if !in_time && !self.has_news() {
                return Err(Unmet::TimedOut);
            }
        }
        Ok(())
    }

    /// Blocks for a while; a wait that would keep the targets from ending is broken.
    fn block_breaking(&mut self) {
        let _wait = graph::global().enter_breaking(self.intent(Need::All, None));
        if !self.help() && !self.has_news() {
            park_until(None);
        }
    }

    fn has_news(&mut self) -> bool {
        self.ready.extend(self.batch.take());
        !self.ready.is_empty()
    }

    fn intent(&self, need: Need, deadline: Option<Instant>) -> Intent {
        Intent {
            targets: Targets::Many(self.targets.clone()),
            need,
            deadline,
        }
    }

    /// Whether nothing but the end of the current task itself could end this wait.
    fn waits_for_itself(&self, need: Need) -> bool {
        let is_member = self.targets.iter().any(|target| is_current(target));
        is_member && (need == Need::All || self.unfinished() == 1)
    }

    /// Runs one task that is queued on this worker's own pool.
    fn help(&mut self) -> bool {
        while let Some(target) = self.targets.get(self.helped) {
            self.helped += 1;
            if help(target) {
                return true;
            }
        }
        false
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        for (target, ticket) in self.targets.iter().zip(&self.tickets) {
            if let Some(ticket) = ticket {
                target.leave(*ticket);
            }
        }
    }
}

/// When [`wait`] is satisfied.
///
/// ```
/// use meanwhile::join::{self, JoinError, WaitUntil};
///
/// // One upload that fails makes the others pointless.
/// let broken = join::spawn("a", |_| panic!("no connection"))?;
/// let endless = join::spawn("b", |context| loop { context.checkpoint() })?;
/// let waited = join::wait(&[broken, endless], WaitUntil::FirstFailure, None);
/// for rest in &waited.pending {
///     rest.cancel();
/// }
/// assert!(matches!(waited.done[0].join(), Err(JoinError::Panicked(_))));
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitUntil {
    /// One task has ended, in whatever way.
    First,
    /// One task has panicked, or all have ended. A cancelled task is no failure.
    FirstFailure,
    /// All tasks have ended.
    All,
}

/// What [`wait`] found when it ended.
///
/// ```
/// use meanwhile::join::{self, WaitUntil, Waited};
///
/// let pages = [join::spawn("page 1", |_| 300)?, join::spawn("page 2", |_| 500)?];
/// let Waited { done, pending, .. } = join::wait(&pages, WaitUntil::All, None);
/// let mut words = 0;
/// for page in &done {
///     words += page.join()?;
/// }
/// assert_eq!(format!("{words} words, {} to go", pending.len()), "800 words, 0 to go");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Waited<T> {
    /// The tasks that have ended, each once, in the order given.
    pub done: Vec<Task<T>>,
    /// The tasks that still run, each once, in the order given.
    pub pending: Vec<Task<T>>,
    /// Why the wait ended.
    pub end: WaitEnd,
}

/// Why [`wait`] ended.
///
/// ```
/// use meanwhile::join::{self, WaitEnd, WaitUntil};
/// use std::time::Duration;
///
/// let slow = join::spawn("slow", |context| -> () { loop { context.checkpoint() } })?;
/// let waited = join::wait(&[slow.clone()], WaitUntil::All, Some(Duration::ZERO));
/// assert_eq!(waited.end, WaitEnd::TimedOut);
/// slow.cancel();
/// let waited = join::wait(&[slow], WaitUntil::All, None);
/// assert_eq!(waited.end, WaitEnd::Satisfied);
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// What was waited for has come.
    Satisfied,
    /// The time was up.
    TimedOut,
    /// Only the end of the calling task itself could have ended the wait.
    CurrentThread,
    /// The wait would close a ring of tasks that wait for each other.
    WouldDeadlock {
        /// The ring: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
}

impl From<Unmet> for WaitEnd {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::TimedOut => Self::TimedOut,
            Unmet::CurrentThread => Self::CurrentThread,
            Unmet::WouldDeadlock(cycle) => Self::WouldDeadlock { cycle },
        }
    }
}

/// Blocks until enough of `tasks` have ended or the timeout is over, and sorts them into done and
/// pending.
///
/// A task that stands in `tasks` more than once counts once. An empty set returns at once. What
/// has ended already needs no waiting.
///
/// ```
/// use meanwhile::join::{self, WaitUntil};
///
/// let quick = join::spawn("quick", |_| 1)?;
/// let patient = join::spawn("patient", |context| {
///     while !context.is_cancelled() { std::thread::yield_now(); }
///     2
/// })?;
/// let waited = join::wait(&[quick.clone(), patient.clone()], WaitUntil::First, None);
/// assert_eq!(waited.done[0].id(), quick.id());
/// assert_eq!(waited.pending[0].id(), patient.id());
/// patient.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn wait<T>(tasks: &[Task<T>], until: WaitUntil, timeout: Option<Duration>) -> Waited<T> {
    let tasks = distinct(tasks.iter().cloned());
    let deadline = deadline(timeout);
    let mut gathering = Gathering::new(headers(&tasks));
    let need = match until {
        WaitUntil::All => Need::All,
        WaitUntil::First | WaitUntil::FirstFailure => Need::Any,
    };
    let mut failed = false;
    let end = loop {
        while let Some(index) = gathering.poll() {
            failed |= gathering.targets[index].panic().is_some();
        }
        let satisfied = gathering.unfinished() == 0
            || match until {
                WaitUntil::First => gathering.taken > 0,
                WaitUntil::FirstFailure => failed,
                WaitUntil::All => false,
            };
        if satisfied {
            break WaitEnd::Satisfied;
        }
        if let Err(unmet) = gathering.block(graph::global(), need, deadline) {
            break unmet.into();
        }
    };
    let (done, pending) = tasks.into_iter().partition(Task::is_finished);
    Waited { done, pending, end }
}

fn distinct<T>(tasks: impl Iterator<Item = Task<T>>) -> Vec<Task<T>> {
    let mut seen = HashSet::new();
    tasks.filter(|task| seen.insert(task.id())).collect()
}

fn headers<T>(tasks: &[Task<T>]) -> Vec<Arc<Header>> {
    tasks.iter().map(|task| task.header().clone()).collect()
}

/// The tasks as they end: an iterator that blocks until the next one has.
///
/// Each task comes once, those that have ended already first. When the timeout, which counts from
/// this call, is over before the last one has come, the iterator yields one
/// [`CompletionError::TimedOut`] and ends.
///
/// ```
/// use meanwhile::join;
///
/// let tasks = (0..3).map(|n| join::spawn(format!("square {n}"), move |_| n * n));
/// let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
/// let mut sum = 0;
/// for task in join::as_completed(tasks, None) {
///     sum += task?.join()?;
/// }
/// assert_eq!(sum, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn as_completed<T>(tasks: Vec<Task<T>>, timeout: Option<Duration>) -> AsCompleted<T> {
    let tasks = distinct(tasks.into_iter());
    AsCompleted {
        gathering: Gathering::new(headers(&tasks)),
        deadline: deadline(timeout),
        tasks,
        ended: false,
        not_send: PhantomData,
    }
}

/// The iterator of [`as_completed`]. It stays on the thread that made it.
///
/// ```
/// use meanwhile::join::{self, AsCompleted};
///
/// // Two mirrors of one file: whichever answers first will do.
/// let slow = join::spawn("slow mirror", |context| loop { context.checkpoint() })?;
/// let quick = join::spawn("quick mirror", |_| "the file")?;
/// let mut answers: AsCompleted<&str> = join::as_completed(vec![slow.clone(), quick], None);
/// let first = answers.next().expect("there are two")?;
/// assert_eq!(*first.join()?, "the file");
/// slow.cancel();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsCompleted<T> {
    tasks: Vec<Task<T>>,
    gathering: Gathering,
    deadline: Option<Instant>,
    ended: bool,
    /// The thread that is woken is the one that made it.
    not_send: PhantomData<*const ()>,
}

/// Why [`as_completed`] ended before every task had.
///
/// ```
/// use meanwhile::join::{self, CompletionError};
/// use std::time::Duration;
///
/// let slow = join::spawn("slow", |context| -> () { loop { context.checkpoint() } })?;
/// let mut ended = join::as_completed(vec![slow.clone()], Some(Duration::ZERO));
/// let Some(Err(error)) = ended.next() else { unreachable!("it never ends by itself") };
/// assert_eq!(error, CompletionError::TimedOut { unfinished: 1, total: 1 });
/// assert_eq!(error.to_string(), "1 of 1 unfinished");
/// slow.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompletionError {
    /// The time was up.
    #[error("{unfinished} of {total} unfinished")]
    TimedOut {
        /// How many tasks have not come.
        unfinished: usize,
        /// How many there are.
        total: usize,
    },
    /// All that is left is the calling task itself.
    #[error("cannot join current thread")]
    CurrentThread,
    /// Waiting for the next one would never end.
    #[error("cannot wait: {} would wait for each other for ever", super::outcome::ring(.cycle))]
    WouldDeadlock {
        /// The ring: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Result<Task<T>, CompletionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.gathering.unfinished() == 0 {
            return None;
        }
        if let Err(unmet) = self
            .gathering
            .block(graph::global(), Need::Any, self.deadline)
        {
            self.ended = true;
            return Some(Err(self.error(unmet)));
        }
        let index = self.gathering.poll()?;
        Some(Ok(self.tasks[index].clone()))
    }
}

impl<T> AsCompleted<T> {
    fn error(&self, unmet: Unmet) -> CompletionError {
        match unmet {
            Unmet::TimedOut => CompletionError::TimedOut {
                unfinished: self.gathering.unfinished(),
                total: self.tasks.len(),
            },
            Unmet::CurrentThread => CompletionError::CurrentThread,
            Unmet::WouldDeadlock(cycle) => CompletionError::WouldDeadlock { cycle },
        }
    }
}
