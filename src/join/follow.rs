//! Tasks that go on with the value of another one.
//!
//! A follower begins when its leader has ended, on the thread that ended it. Until then the wait graph
//! has a wait of the follower for the leader: so a join of the follower closes the cycles that a join
//! of the leader would, and calls up the spare threads that the leader needs.

use std::panic::Location;
use std::sync::Arc;

use super::builder::Builder;
use super::closure;
use super::code::{ClosureOutcome, code};
use super::context::Context;
use super::error::cycle_text;
use super::graph;
use super::handle::Handle;
use super::header::{Header, TaskCode};
use super::id::TaskId;
use super::info::Placement;
use super::owned::OwnedTask;
use super::owned_slot;
use super::panic::{Caught, Contained, PanicReport, catch};
use super::sync::{Mutex, lock};
use super::trace::Spawner;
use super::traced::run_traced;
use super::{current, nested, registry};

impl<T: Send + 'static> OwnedTask<T> {
    /// Returns a task that calls `f` with the value of this one and returns the result.
    ///
    /// `f` runs on the thread that ends this task, before its other callbacks; or now, if it has ended
    /// already. So `f` should be short; for longer work, see [`and_then`](Self::and_then). It does not
    /// run if this task panics or is cancelled: then the new task ends the same way, with the same
    /// report. It also ends as cancelled if the outcome of this one was taken before. A panic of `f` is the
    /// outcome of the new task. A cancel of the new task before `f`
    /// begins cancels this one too. The new task has the name of this one, reports to the same
    /// [`Changes`](super::Changes), and is a daemon if this one is.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let length = join::spawn_owned("read", |_| String::from("hello"))?.map(|text| text.len());
    /// assert_eq!(length.join_into()?, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<U, F>(self, f: F) -> OwnedTask<U>
    where
        F: FnOnce(T) -> U + Send + 'static,
        U: Send + 'static,
    {
        self.map_with(move |value, _| f(value))
    }

    /// Like [`map`](Self::map), with the context of the new task. With it `f` reports progress, and sees a
    /// cancel that comes while it runs.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let pages = join::spawn_owned("read", |_| vec!["one", "two"])?;
    /// let length = pages.map_with(|pages, context| {
    ///     let mut length = 0;
    ///     for page in pages {
    ///         context.check()?;
    ///         length += page.len();
    ///     }
    ///     Ok::<usize, join::Cancelled>(length)
    /// });
    /// assert_eq!(length.join_into()?, Ok(6));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map_with<U, F>(self, f: F) -> OwnedTask<U>
    where
        F: FnOnce(T, &Context) -> U + Send + 'static,
        U: Send + 'static,
    {
        let (store, slot) = owned_slot::alone();
        let (follower, handle) = Follower::new(self.header());
        let spawner = Spawner::current();
        let header = Arc::clone(self.header());
        header.on_finish(Box::new(move || {
            follower.end_with(|header| match self.into_value() {
                Ok(value) => run_traced(spawner, header, || {
                    closure::run(
                        header,
                        Contained::new(|context: &Context| f(value, context)),
                        store,
                    )
                }),
                Err(outcome) => outcome,
            });
        }));
        OwnedTask::new(handle, slot)
    }

    /// Returns a task that calls `f` with the value of this one, and ends as the task that `f` returns.
    ///
    /// Where `f` runs, and what a panic or cancel does, is as with [`map`](Self::map). A cancel of the
    /// new task cancels the one of the two that runs. `f` gets no context, because it should only start
    /// the next task. If that may fail, return its error as a value, with [`OwnedTask::ready`]:
    ///
    /// ```
    /// use meanwhile_join::{self as join, OwnedTask, SpawnError};
    ///
    /// let text = join::spawn_owned("read", |_| String::from("hello"))?;
    /// let length = text.and_then(|text| match join::spawn_owned("measure", move |_| text.len()) {
    ///     Ok(task) => task.map(Ok),
    ///     Err(error) => OwnedTask::ready(Err::<usize, SpawnError>(error)),
    /// });
    /// assert_eq!(length.join_into()??, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```
    /// use meanwhile_join::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// let parser = pool.clone();
    /// let sum = pool
    ///     .spawn_owned(|_| String::from("1 2 3"))
    ///     .and_then(move |text| {
    ///         parser.spawn_owned(move |_| text.split(' ').flat_map(str::parse::<u32>).sum::<u32>())
    ///     });
    /// assert_eq!(sum.join_into()?, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// If the task that `f` returns waits for the new task, such as that task itself or a follower of
    /// it, the new task ends as [`Panicked`](super::JoinError::Panicked): the report has the ring and
    /// the place of this call. If there is a join in that ring, the join is refused instead.
    #[track_caller]
    pub fn and_then<U, F>(self, f: F) -> OwnedTask<U>
    where
        F: FnOnce(T) -> OwnedTask<U> + Send + 'static,
        U: Send + 'static,
    {
        let (store, slot) = owned_slot::alone();
        let (mut follower, handle) = Follower::new(self.header());
        let header = Arc::clone(self.header());
        let called_at = Location::caller();
        header.on_finish(Box::new(move || match follower.call(self, f) {
            Ok(next) => match follower.follow(next.header()) {
                Ok(()) => {
                    let header = Arc::clone(next.header());
                    header.on_finish(Box::new(move || {
                        follower.end_with(|_| match next.into_value() {
                            Ok(value) => {
                                store(Contained::new(value));
                                ClosureOutcome::Returned
                            }
                            Err(outcome) => outcome,
                        });
                    }));
                }
                Err(ring) => follower.end_in_ring(&ring, called_at),
            },
            Err(outcome) => follower.end_with(|_| outcome),
        }));
        OwnedTask::new(handle, slot)
    }
}

/// A task that has not begun, and its wait for its leader.
struct Follower {
    header: Arc<Header>,
    leader: Arc<Leader>,
    wait: graph::Following<'static>,
}

impl Follower {
    /// Returns the follower of a task, which has the name and the [`Changes`](super::Changes) of that,
    /// and its handle.
    fn new(leader: &Arc<Header>) -> (Self, Handle) {
        let link = Arc::new(Leader(Mutex::new(Some(leader.clone()))));
        let mut settings = Builder::new(&**leader.name()).daemon(leader.is_daemon());
        if let Some(changes) = leader.changes() {
            settings = settings.report_to(&changes);
        }
        let enter = |task: &Arc<Header>| {
            let graph = graph::global();
            graph.enter_new_follower(task.id(), leader.clone())
        };
        let (handle, wait) = settings.add_after(enter, Placement::Elsewhere, cancelling(&link));
        let follower = Self {
            header: Arc::clone(&handle),
            leader: link,
            wait,
        };
        (follower, handle)
    }

    /// Calls `f` with the value of the leader, which has ended. Returns the outcome of this task
    /// instead if there is no value or `f` does not return.
    fn call<T, U>(
        &self,
        leader: OwnedTask<T>,
        f: impl FnOnce(T) -> OwnedTask<U>,
    ) -> Result<OwnedTask<U>, ClosureOutcome> {
        let value = leader.into_value()?;
        if self.header.is_finished() {
            return Err(ClosureOutcome::Cancelled);
        }
        let _current = current::enter(self.header.id());
        match catch(&self.header, || f(value)) {
            Caught::Returned(next) => Ok(next),
            Caught::Cancelled => Err(ClosureOutcome::Cancelled),
            Caught::Panicked(report) => Err(ClosureOutcome::Panicked(report)),
        }
    }

    /// Follows another leader from now on.
    ///
    /// # Errors
    /// Returns the ring in which this task and that leader would wait for each other.
    fn follow(&mut self, leader: &Arc<Header>) -> Result<(), Vec<TaskId>> {
        self.wait.follow(leader.clone())?;
        self.leader.replace(leader);
        Ok(())
    }

    /// Ends the task because it would wait for itself.
    fn end_in_ring(self, ring: &[TaskId], called_at: &Location<'_>) {
        let message = if ring.len() == 1 {
            "the function of `and_then` returned its own task, which would wait for itself forever"
                .to_owned()
        } else {
            let ring = cycle_text(ring);
            format!(
                "the function of `and_then` returned a task that waits for it: {ring} would wait \
                 for each other forever"
            )
        };
        self.end_with(|header| {
            let report = PanicReport::of_text(&header.identity(), message, called_at);
            ClosureOutcome::Panicked(Arc::new(report))
        });
    }

    /// Ends the task with the outcome of `code`, unless it was cancelled.
    fn end_with(self, code: impl FnOnce(&Arc<Header>) -> ClosureOutcome) {
        // Its code may wait itself.
        drop(self.wait);
        registry::run_code(&self.header, || code(&self.header));
    }
}

/// The task that a follower waits for; `None` once the follower has begun or ended.
struct Leader(Mutex<Option<Arc<Header>>>);

impl Leader {
    fn replace(&self, leader: &Arc<Header>) {
        let is_cancelled = {
            let mut slot = lock(&self.0);
            slot.as_mut().map(|slot| *slot = leader.clone()).is_none()
        };
        if is_cancelled {
            registry::cancel(leader);
        }
    }
}

/// The code of a follower. It never runs; a cancel of the follower drops it, which cancels the leader.
fn cancelling(leader: &Arc<Leader>) -> TaskCode {
    let cancel = CancelOnDrop(leader.clone());
    code(move |_| {
        drop(cancel);
        ClosureOutcome::Cancelled
    })
}

struct CancelOnDrop(Arc<Leader>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let leader = lock(&self.0.0).take();
        if let Some(leader) = leader {
            // Its callbacks may join what the end of the follower ends.
            nested::later(Box::new(move || registry::cancel(&leader)));
        }
    }
}
