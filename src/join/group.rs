//! Tasks that are added and joined one by one.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use super::context::Context;
use super::error::{JoinError, SpawnError};
use super::future::JoinFuture;
use super::id::TaskId;
use super::info::TaskInfo;
use super::members::Members;
use super::owned::{OwnedTask, spawn_owned};
use super::pool::Pool;
use super::select::Select;
use super::{graph, wait};

/// A growing set of tasks whose values come out in the order in which the tasks end. Adding and
/// joining a task takes at most the logarithm of the number of tasks.
///
/// Dropping the group cancels the tasks that it still holds, the newest first, and waits for none.
/// [`detach_all`](Self::detach_all) lets them run on.
///
/// ```
/// use meanwhile_join::{Group, Pool};
///
/// let pool = Pool::new(2)?;
/// let mut lengths = Group::new();
/// for word in ["one", "three", "eleven"] {
///     lengths.spawn_on(&pool, move |_| word.len());
/// }
/// let mut sum = 0;
/// while let Some((_task, length)) = lengths.join_next() {
///     sum += length?; // it may also start more tasks here
/// }
/// assert_eq!(sum, 14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A window takes what has ended, and never waits:
///
/// ```
/// use meanwhile_join::{Builder, Changes, Group};
///
/// struct View { changes: Changes, pages: Group<String>, texts: Vec<String> }
///
/// impl View {
///     fn clicked(&mut self, page: u32) -> Result<(), meanwhile_join::SpawnError> {
///         let task = Builder::new(format!("page {page}")).report_to(&self.changes);
///         self.pages.add(task.spawn_owned(move |_| format!("This is page {page}."))?);
///         Ok(())
///     }
///
///     fn frame(&mut self) {
///         while let Some((_task, page)) = self.pages.try_join_next() {
///             self.texts.push(page.unwrap_or_else(|error| error.to_string()));
///         }
///     }
/// }
/// # let (wake, woken) = std::sync::mpsc::sync_channel(1);
/// # let changes = Changes::new(move || drop(wake.try_send(())));
/// # let mut view = View { changes, pages: Group::new(), texts: Vec::new() };
/// # view.clicked(7)?;
/// # while view.texts.is_empty() { woken.recv()?; view.frame(); }
/// # assert_eq!(view.texts, ["This is page 7."]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Group<T> {
    members: Arc<Members>,
    tasks: BTreeMap<TaskId, OwnedTask<T>>,
}

impl<T> Group<T> {
    /// Returns an empty group.
    pub fn new() -> Self {
        Self {
            members: Arc::default(),
            tasks: BTreeMap::new(),
        }
    }

    /// Adds a task that was started otherwise, and returns its number. One that has ended already
    /// comes out as if it ended now.
    pub fn add(&mut self, task: OwnedTask<T>) -> TaskId {
        let id = task.id();
        self.members.add(task.header());
        self.tasks.insert(id, task);
        id
    }

    /// Starts a task on a thread of its own, and returns its number. For other settings, pass a task
    /// of [`Builder::spawn_owned`](super::Builder::spawn_owned) to [`add`](Self::add).
    ///
    /// # Errors
    /// Fails as [`Builder::spawn`](super::Builder::spawn) does.
    pub fn spawn<F>(&mut self, name: impl Into<String>, f: F) -> Result<TaskId, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(self.add(spawn_owned(name, f)?))
    }

    /// Queues a task on a pool, as [`Pool::spawn`] does, and returns its number.
    pub fn spawn_on<F>(&mut self, pool: &Pool, f: F) -> TaskId
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + 'static,
    {
        self.add(pool.spawn_owned(f))
    }

    /// Blocks until a task of the group has ended, and returns it with its outcome. Returns `None` if
    /// the group is empty.
    ///
    /// Each task comes out once, in the order of the ends. A task of a pool may join tasks of the
    /// same pool: the pool does not starve.
    ///
    /// If waiting could never end, a task comes out with an error that is no
    /// [outcome](JoinError::is_outcome): [`CurrentThread`](JoinError::CurrentThread) if only the
    /// calling task itself is left, [`WouldDeadlock`](JoinError::WouldDeadlock) if all that are
    /// left wait for the calling task, or [`NoThread`](JoinError::NoThread) if their pool starves and the
    /// system refuses a spare thread. That task goes on, detached.
    ///
    /// ```
    /// use meanwhile_join::{Group, JoinError};
    ///
    /// let mut group = Group::new();
    /// let broken = group.spawn("broken", |_| -> u32 { panic!("no connection") })?;
    /// let Some((task, Err(JoinError::Panicked(report)))) = group.join_next() else { unreachable!() };
    /// assert_eq!((task, report.message()), (broken, "no connection"));
    /// assert!(group.join_next().is_none());
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn join_next(&mut self) -> Option<(TaskId, Result<T, JoinError>)> {
        self.join_next_until(None)
    }

    /// Like [`join_next`](Self::join_next), but also returns `None` if no task has ended after
    /// `timeout`. Then [`is_empty`](Self::is_empty) is false.
    pub fn join_next_timeout(
        &mut self,
        timeout: Duration,
    ) -> Option<(TaskId, Result<T, JoinError>)> {
        self.join_next_until(wait::deadline(Some(timeout)))
    }

    /// Like [`join_next_timeout`](Self::join_next_timeout), but returns `None` at this time, and never
    /// earlier. So all joins of a loop share one deadline. `None` is no deadline.
    ///
    /// ```
    /// use meanwhile_join::Group;
    /// use std::time::{Duration, Instant};
    ///
    /// let mut uploads = Group::new();
    /// uploads.spawn("photo", |_| 1)?;
    /// uploads.spawn("film", |context| context.sleep(Duration::from_secs(3_600)).map_or(0, |()| 2))?;
    /// let deadline = Instant::now() + Duration::from_millis(20);
    /// while let Some((_task, uploaded)) = uploads.join_next_deadline(deadline) {
    ///     assert!(matches!(uploaded, Ok(1)));
    /// }
    /// assert!(!uploads.is_empty()); // the film was not ready in time
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn join_next_deadline(
        &mut self,
        deadline: impl Into<Option<Instant>>,
    ) -> Option<(TaskId, Result<T, JoinError>)> {
        self.join_next_until(deadline.into())
    }

    fn join_next_until(
        &mut self,
        deadline: Option<Instant>,
    ) -> Option<(TaskId, Result<T, JoinError>)> {
        loop {
            if let Some(joined) = self.try_join_next() {
                return Some(joined);
            }
            let (&oldest, _) = self.tasks.first_key_value()?;
            match wait::for_next(graph::global(), &self.members, deadline).map_err(JoinError::from)
            {
                Ok(()) => {}
                Err(JoinError::TimedOut) => return None,
                Err(error) => {
                    self.remove(oldest);
                    return Some((oldest, Err(error)));
                }
            }
        }
    }

    /// Returns a task that has ended, with its outcome. Returns `None` if none has, or the group is
    /// empty.
    pub fn try_join_next(&mut self) -> Option<(TaskId, Result<T, JoinError>)> {
        while let Some(id) = self.members.next_ended() {
            let outcome = self.remove(id).and_then(|mut task| task.try_take());
            if let Some(outcome) = outcome {
                return Some((id, outcome));
            }
        }
        None
    }

    /// Returns a future that waits as [`join_next`](Self::join_next) does, on any executor and without
    /// blocking a thread. No cycle of tasks is refused.
    ///
    /// Dropping the future loses no task, so it may be one of several in a `select!` or have a timeout.
    /// One that is polled after its end waits for the next task.
    ///
    /// ```
    /// use meanwhile_join::Group;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let mut squares = Group::new();
    /// for n in 0..4 {
    ///     squares.spawn(format!("square {n}"), move |_| n * n)?;
    /// }
    /// let mut sum = 0;
    /// while let Some((_task, square)) = squares.next_ended().await {
    ///     sum += square?;
    /// }
    /// assert_eq!(sum, 14);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_ended(&mut self) -> JoinFuture<&mut Self> {
        let members = self.members.clone();
        JoinFuture::new(self, members)
    }

    fn remove(&mut self, id: TaskId) -> Option<OwnedTask<T>> {
        self.members.remove(id);
        self.tasks.remove(&id)
    }

    /// Requests that all tasks of the group stop, the newest first; see
    /// [`Task::cancel`](super::Task::cancel). They stay in the group and come out when they have
    /// ended.
    pub fn cancel_all(&self) {
        for task in self.tasks.values().rev() {
            task.cancel();
        }
    }

    /// Removes all tasks from the group. They run on.
    pub fn detach_all(&mut self) {
        // The tasks report their ends to the old set.
        self.members = Arc::default();
        self.tasks.clear();
    }

    /// Returns the tasks of the group that have not ended, oldest first. Those of the whole program are in
    /// [`live_tasks`](super::live_tasks()).
    pub fn live_tasks(&self) -> Vec<TaskInfo> {
        let tasks = self.members.all();
        tasks.iter().filter_map(|task| task.live_info()).collect()
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// Returns the number of tasks that have not come out.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Returns whether all tasks have come out.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

impl<T> Future for JoinFuture<&mut Group<T>> {
    type Output = Option<(TaskId, Result<T, JoinError>)>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let future = self.get_mut();
        loop {
            let Poll::Ready(group) = future.poll_end(context) else {
                return Poll::Pending;
            };
            let joined = group.try_join_next();
            // The end may have been that of a task that was removed.
            if joined.is_some() || group.is_empty() {
                return Poll::Ready(joined);
            }
        }
    }
}

impl<'a> Select<'a> {
    /// Adds a group as a source. It is ready when [`Group::try_join_next`] returns a task, or when the
    /// group is empty.
    ///
    /// ```
    /// use meanwhile_join::{Group, Select};
    ///
    /// let (send, jobs) = crossbeam_channel::bounded::<u32>(1);
    /// let mut group = Group::new();
    /// group.spawn("seven", |_| 7)?;
    /// assert_eq!(Select::new().receiver(&jobs).group(&group).wait(), Ok(1));
    /// assert!(matches!(group.try_join_next(), Some((_, Ok(7)))));
    /// # drop(send);
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn group<T>(self, group: &'a Group<T>) -> Self {
        self.members(group.members.clone())
    }
}

impl<T> Drop for Group<T> {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Extend<OwnedTask<T>> for Group<T> {
    fn extend<I: IntoIterator<Item = OwnedTask<T>>>(&mut self, tasks: I) {
        for task in tasks {
            self.add(task);
        }
    }
}

impl<T> FromIterator<OwnedTask<T>> for Group<T> {
    fn from_iter<I: IntoIterator<Item = OwnedTask<T>>>(tasks: I) -> Self {
        let mut group = Self::new();
        group.extend(tasks);
        group
    }
}

impl<T> fmt::Debug for Group<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tasks.values()).finish()
    }
}
