//! Waiting for the first of several things of different kinds.
//!
//! Tasks, processes and tokens report to a [`Batch`], as in every wait for several tasks. It unparks
//! the thread, or, if channels are selected too, sends to a channel of its own, which is one more of
//! them.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select as Channels, bounded};

use super::any_task::AnyTask;
use super::cancel_tree::Entry;
use super::current::is_held_up;
use super::error::{JoinError, NO_THREAD, cycle_text};
use super::graph::{self, Intent, Need};
use super::header::Header;
use super::id::TaskId;
use super::members::Members;
use super::sync::{current_thread, park_until};
use super::targets::{Group, Targets};
use super::token::CancelToken;
use super::wait::{WaitFailure, deadline};
use super::waiters::{Awaited, Batch, Ends, Waiter, Wake};

/// A wait for the first of several sources: tasks of any type, groups, processes, pipelines, lines and
/// channels. A deadline or a cancel ends it with an error.
///
/// [`wait`](Self::wait) returns the number of the source that is ready, in the order in which they were
/// added, from 0. If several are ready, it is the first of them. A source stays ready until what made
/// it so is taken: a task or process that has ended stays ready for ever.
///
/// ```
/// use meanwhile_join::{self as join, Select, SelectError};
/// use std::time::Duration;
///
/// let (send, lines) = crossbeam_channel::bounded(1);
/// let number = join::spawn("number", |context| context.sleep_until(None))?;
/// let text = join::spawn("text", |_| "ready")?;
///
/// let first = Select::new().task(&number).task(&text).receiver(&lines).wait();
/// assert_eq!(first, Ok(1));
/// send.send("a line")?;
/// let first = Select::new().task(&number).receiver(&lines).wait();
/// assert_eq!(first, Ok(1));
/// assert_eq!(lines.try_recv(), Ok("a line"));
/// let none = Select::new().task(&number).receiver(&lines).timeout(Duration::ZERO).wait();
/// assert_eq!(none, Err(SelectError::TimedOut));
/// # number.cancel();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In a task, [`Context::select`](super::Context::select) returns one that the task's cancel ends.
#[must_use = "it waits when `wait` is called"]
pub struct Select<'a> {
    sources: Vec<Source>,
    channels: Channels<'a>,
    tokens: Vec<CancelToken>,
    deadline: Option<Instant>,
    /// Whether a cycle of joins is refused although a token could end the wait.
    refuses_cycles: bool,
}

enum Source {
    Task(AnyTask),
    Group(Arc<Members>),
    /// It is ready when all of these are.
    Others(Box<[Arc<dyn Awaited>]>),
    /// A channel, by its number in `channels`.
    Receiver(usize),
}

/// The reason why a [`Select`] ended without a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// The deadline has passed.
    TimedOut,
    /// A token is cancelled.
    Cancelled,
    /// It waits only for the task that calls it.
    CurrentThread,
    /// It waits for tasks alone, and would close a deadlock cycle.
    WouldDeadlock {
        /// The cycle: each task waits for the next, the last for the first.
        cycle: Vec<TaskId>,
    },
    /// All threads of a [`Pool`](super::Pool) wait for tasks that are queued there, and the system refused
    /// one more. This thread can't run these tasks either: 32 run inside each other on it already. They
    /// stay queued.
    NoThread,
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("nothing was ready: the wait timed out"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::CurrentThread => f.write_str("cannot wait for current thread"),
            Self::WouldDeadlock { cycle } => {
                let cycle = cycle_text(cycle);
                write!(f, "cannot wait: {cycle} would wait for each other forever")
            }
            Self::NoThread => f.write_str(NO_THREAD),
        }
    }
}

impl Error for SelectError {}

impl From<WaitFailure> for SelectError {
    fn from(failure: WaitFailure) -> Self {
        match failure {
            WaitFailure::TimedOut => Self::TimedOut,
            WaitFailure::CurrentThread => Self::CurrentThread,
            WaitFailure::WouldDeadlock(cycle) => Self::WouldDeadlock { cycle },
            WaitFailure::NoThread => Self::NoThread,
        }
    }
}

impl From<SelectError> for JoinError {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::TimedOut => Self::TimedOut,
            SelectError::Cancelled => Self::Cancelled,
            SelectError::CurrentThread => Self::CurrentThread,
            SelectError::WouldDeadlock { cycle } => Self::WouldDeadlock { cycle },
            SelectError::NoThread => Self::NoThread,
        }
    }
}

impl<'a> Select<'a> {
    /// Returns a wait without sources.
    pub fn new() -> Self {
        Self {
            sources: Vec::new(),
            channels: Channels::new_biased(),
            tokens: Vec::new(),
            deadline: None,
            refuses_cycles: false,
        }
    }

    /// Adds a task as a source. It is ready when it has ended, whatever its outcome.
    pub fn task(mut self, task: impl Into<AnyTask>) -> Self {
        self.sources.push(Source::Task(task.into()));
        self
    }

    pub(crate) fn members(mut self, members: Arc<Members>) -> Self {
        self.sources.push(Source::Group(members));
        self
    }

    #[cfg_attr(
        any(not(all(unix, feature = "process")), loom),
        expect(dead_code, reason = "only `process` has such sources")
    )]
    pub(crate) fn others(mut self, parts: impl IntoIterator<Item = Arc<dyn Awaited>>) -> Self {
        self.sources
            .push(Source::Others(parts.into_iter().collect()));
        self
    }

    /// Adds a channel as a source. It is ready when it has a message, or no sender any more. Take the
    /// message with `try_recv`: another receiver may be faster.
    pub fn receiver<T>(mut self, receiver: &'a Receiver<T>) -> Self {
        let number = self.channels.recv(receiver);
        self.sources.push(Source::Receiver(number));
        self
    }

    /// Has the wait end with [`SelectError::Cancelled`] when the token is cancelled, even if a source
    /// is ready. A token is no source, and several may be added.
    pub fn token(mut self, token: &CancelToken) -> Self {
        self.tokens.push(token.clone());
        self
    }

    /// Has the wait for one task refused as a join would be, although a token could end it.
    pub(crate) fn refuse_cycles(mut self) -> Self {
        self.refuses_cycles = true;
        self
    }

    /// Has the wait end with [`SelectError::TimedOut`] at this time, and never earlier, if no source is
    /// ready. `None` is no deadline.
    pub fn deadline(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Like [`deadline`](Self::deadline), with the time from now. [`Duration::ZERO`] polls. A timeout
    /// too long for the clock, such as [`Duration::MAX`], is no deadline.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(deadline(Some(timeout)))
    }

    /// Returns the first source that is ready, without waiting. Ignores tokens and the deadline.
    pub fn try_ready(&mut self) -> Option<usize> {
        // The selection is biased, so this is the first channel that is ready.
        let channel = self.channels.try_ready().ok();
        self.sources.iter().position(|source| match source {
            Source::Task(task) => task.is_finished(),
            Source::Group(members) => members.has_ended() || members.len() == 0,
            Source::Others(parts) => parts.iter().all(|part| part.is_ready()),
            Source::Receiver(number) => channel == Some(*number),
        })
    }

    /// Blocks until a source is ready, and returns its number.
    ///
    /// # Errors
    /// - [`Cancelled`](SelectError::Cancelled) and [`TimedOut`](SelectError::TimedOut) as
    ///   [`token`](Self::token) and [`deadline`](Self::deadline) say.
    /// - [`CurrentThread`](SelectError::CurrentThread) and
    ///   [`WouldDeadlock`](SelectError::WouldDeadlock) if all sources are tasks, there is no token and
    ///   none of the tasks could end before this wait.
    /// - [`NoThread`](SelectError::NoThread) if the pool of a task starves and the system refuses a spare
    ///   thread.
    ///
    /// # Panics
    /// Panics if there is nothing to wait for: no source, no token and no deadline.
    pub fn wait(&mut self) -> Result<usize, SelectError> {
        let can_end = !self.sources.is_empty() || !self.tokens.is_empty();
        assert!(
            can_end || self.deadline.is_some(),
            "nothing could end this wait"
        );
        loop {
            if self.tokens.iter().any(|token| token.check().is_err()) {
                return Err(SelectError::Cancelled);
            }
            if let Some(ready) = self.try_ready() {
                return Ok(ready);
            }
            match self.block() {
                Ok(()) => {}
                Err(WaitFailure::TimedOut) => {
                    return self.try_ready().ok_or(SelectError::TimedOut);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Blocks until a source may be ready or a token is cancelled.
    fn block(&self) -> Result<(), WaitFailure> {
        let tasks = self.tasks();
        let need = self.need(&tasks);
        if need != Need::Nothing && matches!(&*tasks, [task] if is_held_up(task.id())) {
            return Err(WaitFailure::CurrentThread);
        }
        let (send, woken) = bounded(1);
        let wake = if self.has_channels() {
            Wake::Send(send)
        } else {
            Wake::Unpark(current_thread())
        };
        let Some(others) = self.unready_others() else {
            return Ok(());
        };
        let process_id = others.first().and_then(|other| other.process_id());
        let Some(registered) = self.register(&tasks, &others, wake) else {
            return Ok(());
        };
        let batch = registered.batch.clone();
        let group = Group::with_process(tasks, process_id, batch.clone());
        let wait = graph::global().enter(Intent {
            targets: Targets::Many(Arc::new(group)),
            need,
            deadline: self.deadline,
        });
        wait.begin()?;
        if self.has_channels() {
            return self.block_on_channels(&woken);
        }
        while !batch.has_any_ended() {
            let in_time = park_until(self.deadline);
            if let Some(refusal) = wait.broken() {
                return Err(refusal.into());
            }
            if !in_time && !batch.has_any_ended() {
                return Err(WaitFailure::TimedOut);
            }
        }
        Ok(())
    }

    fn block_on_channels(&self, woken: &Receiver<()>) -> Result<(), WaitFailure> {
        let mut channels: Channels<'_> = self.channels.clone();
        channels.recv(woken);
        match self.deadline {
            None => drop(channels.ready()),
            Some(deadline) => {
                let ready = channels.ready_deadline(deadline);
                ready.map_err(|_none| WaitFailure::TimedOut)?;
            }
        }
        Ok(())
    }

    /// Returns the tasks, also those of groups, each once.
    fn tasks(&self) -> Vec<Arc<Header>> {
        let tasks = self.sources.iter().flat_map(|source| match source {
            Source::Task(task) => vec![task.header().clone()],
            Source::Group(members) => members.all(),
            Source::Others(_) | Source::Receiver(_) => Vec::new(),
        });
        let mut seen = HashSet::new();
        tasks.filter(|task| seen.insert(task.id())).collect()
    }

    fn groups(&self) -> impl Iterator<Item = &Arc<Members>> {
        self.sources.iter().filter_map(|source| match source {
            Source::Group(members) => Some(members),
            _ => None,
        })
    }

    /// Has the first end of a source and the first cancel of a token reported to a batch. Returns `None`
    /// if there is one already.
    fn register(
        &self,
        tasks: &[Arc<Header>],
        others: &[&Arc<dyn Awaited>],
        wake: Wake,
    ) -> Option<Registered> {
        let count = tasks.len() + others.len() + self.tokens.len();
        let mut registered = Registered::new(count, wake);
        let mut seen = HashSet::new();
        for source in &self.sources {
            if let Source::Task(task) = source
                && seen.insert(task.id())
            {
                registered.add_task(task.header())?;
            }
        }
        for members in self.groups() {
            registered.add_ends(members.ends())?;
        }
        for other in others {
            registered.add_other(other)?;
        }
        for token in &self.tokens {
            registered.add_token(token)?;
        }
        Some(registered)
    }

    /// Returns the first part that is not ready of each source that has parts, or `None` if all parts of
    /// one are ready.
    fn unready_others(&self) -> Option<Vec<&Arc<dyn Awaited>>> {
        let parts = self.sources.iter().filter_map(|source| match source {
            Source::Others(parts) => Some(parts),
            Source::Task(_) | Source::Group(_) | Source::Receiver(_) => None,
        });
        parts
            .map(|parts| parts.iter().find(|part| !part.is_ready()))
            .collect()
    }

    fn has_channels(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| matches!(source, Source::Receiver(_)))
    }

    fn need(&self, tasks: &[Arc<Header>]) -> Need {
        let are_tasks = self
            .sources
            .iter()
            .all(|source| matches!(source, Source::Task(_) | Source::Group(_)));
        if !are_tasks || tasks.is_empty() {
            return Need::Nothing;
        }
        match (self.tokens.is_empty(), self.refuses_cycles) {
            (true, _) => Need::Any,
            // Its one task, but not the token.
            (false, true) => Need::All,
            (false, false) => Need::Nothing,
        }
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("sources", &self.sources.len())
            .field("tokens", &self.tokens)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// The sources and tokens that report to a batch. They stop when this is dropped.
struct Registered {
    batch: Arc<Batch>,
    members: Vec<Member>,
}

enum Member {
    Task(Arc<Header>, u64),
    Ends(Arc<Ends>, u64),
    Other(Arc<dyn Awaited>, u64),
    Token(CancelToken, usize),
}

impl Registered {
    /// Nothing of this many yet. The first end of them is enough.
    fn new(count: usize, wake: Wake) -> Self {
        let batch = Arc::new(Batch::new(wake, count));
        batch.wake_at(count.saturating_sub(1));
        Self {
            batch,
            members: Vec::with_capacity(count),
        }
    }

    fn add_task(&mut self, task: &Arc<Header>) -> Option<()> {
        let ticket = task.add_waiter(self.waiter())?;
        self.members.push(Member::Task(task.clone(), ticket));
        Some(())
    }

    fn add_ends(&mut self, ends: &Arc<Ends>) -> Option<()> {
        let ticket = ends.add_waiter(self.waiter())?;
        self.members.push(Member::Ends(ends.clone(), ticket));
        Some(())
    }

    fn add_other(&mut self, other: &Arc<dyn Awaited>) -> Option<()> {
        let ticket = other.add_waiter(self.waiter())?;
        self.members.push(Member::Other(Arc::clone(other), ticket));
        Some(())
    }

    fn add_token(&mut self, token: &CancelToken) -> Option<()> {
        let entry = Entry::Waiter(self.waiter());
        let key = token.target().node().add(entry).ok()?;
        self.members.push(Member::Token(token.clone(), key));
        Some(())
    }

    fn waiter(&self) -> Waiter {
        Waiter::Member(self.batch.clone(), self.members.len())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        for member in &self.members {
            match member {
                Member::Task(task, ticket) => task.remove_waiter(*ticket),
                Member::Ends(ends, ticket) => ends.remove_waiter(*ticket),
                Member::Other(other, ticket) => other.remove_waiter(*ticket),
                Member::Token(token, key) => token.target().node().remove(*key),
            }
        }
    }
}
