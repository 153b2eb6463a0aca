//! The tasks, the process or the callbacks that a wait is for.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::calls::Calls;
use super::header::Header;
use super::id::TaskId;
use super::info::Placement;
use super::members::Members;
use super::own_waits::OwnWaits;
use super::sync::{AtomicUsize, Ordering};
use super::waiters::Batch;

/// The targets of a wait. A single task needs no list.
#[derive(Clone)]
pub(crate) enum Targets {
    One(Arc<Header>),
    Many(Arc<Group>),
    /// The tasks that are in a group when the wait begins.
    Members(Arc<Members>),
    /// A child process, by its process id. It joins no task, so no cycle goes through it.
    #[cfg_attr(
        any(not(all(unix, feature = "process")), loom),
        expect(dead_code, reason = "only `process` waits for processes")
    )]
    Process(u32),
    /// The callbacks of a task that has ended.
    Callbacks(Arc<Calls>),
}

impl Targets {
    /// Returns the number of tasks, without those that have left the wait.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(group) => group.tasks.len(),
            Self::Members(members) => members.len(),
            Self::Process(_) | Self::Callbacks(_) => 0,
        }
    }

    /// Returns the first task for which `is_sought` holds. It must take no lock.
    pub(crate) fn find(&self, mut is_sought: impl FnMut(&Header) -> bool) -> Option<TaskId> {
        match self {
            Self::One(target) => is_sought(target).then(|| target.id()),
            Self::Many(group) => {
                let mut tasks = group.tasks.iter();
                tasks.find(|task| is_sought(task)).map(|task| task.id())
            }
            Self::Members(members) => members.find(is_sought).map(|task| task.id()),
            Self::Process(_) | Self::Callbacks(_) => None,
        }
    }

    /// Returns the tasks for which `is_sought` holds. It must take no lock.
    pub(crate) fn filter(&self, mut is_sought: impl FnMut(&Header) -> bool) -> Vec<TaskId> {
        let mut found = Vec::new();
        self.find(|task| {
            if is_sought(task) {
                found.push(task.id());
            }
            false
        });
        found
    }

    pub(crate) fn contains(&self, task: TaskId) -> bool {
        match self {
            Self::One(target) => target.id() == task,
            Self::Many(group) => group.contains(task),
            Self::Members(members) => members.contains(task),
            Self::Process(_) | Self::Callbacks(_) => false,
        }
    }

    /// Returns the process id of a child process among the targets.
    pub(crate) fn process(&self) -> Option<u32> {
        match self {
            Self::One(_) | Self::Members(_) | Self::Callbacks(_) => None,
            Self::Many(group) => group.process,
            Self::Process(pid) => Some(*pid),
        }
    }

    /// Returns the number of tasks that have not ended.
    pub(crate) fn unfinished(&self) -> usize {
        match self {
            Self::One(target) => usize::from(!target.is_finished()),
            Self::Many(group) => group.batch.unfinished(),
            // A wait that goes on has returned all that had ended.
            Self::Members(members) => members.len(),
            Self::Process(_) => 0,
            Self::Callbacks(calls) => usize::from(!calls.are_over()),
        }
    }

    /// Returns the first task that has not ended.
    pub(crate) fn first_unfinished(&self) -> Option<TaskId> {
        match self {
            Self::Many(group) => group.first_unfinished(),
            _ => self.find(|task| !task.is_finished()),
        }
    }

    /// Returns whether all of them are known to have ended. Of a process that is not known here.
    pub(crate) fn have_ended(&self) -> bool {
        match self {
            Self::One(_) | Self::Many(_) | Self::Callbacks(_) => self.unfinished() == 0,
            Self::Members(members) => members.has_ended(),
            Self::Process(_) => false,
        }
    }

    /// Returns whether the waiting thread has been woken, or need not park.
    pub(crate) fn are_satisfied(&self) -> bool {
        match self {
            Self::One(target) => target.is_finished(),
            Self::Many(group) => group.batch.is_satisfied(),
            Self::Members(members) => members.has_ended(),
            Self::Process(_) => false,
            Self::Callbacks(calls) => calls.are_over(),
        }
    }

    /// Returns the pools on which tasks of this wait are queued.
    pub(crate) fn pools(&self) -> Vec<u64> {
        match self {
            Self::One(target) => match target.placement() {
                Placement::Pool(pool) if target.is_queued_on(pool) => vec![pool],
                _ => Vec::new(),
            },
            Self::Many(group) => group
                .queues
                .iter()
                .map(|queue| queue.pool)
                .filter(|pool| group.next_queued_on(*pool).is_some())
                .collect(),
            Self::Members(members) => members.pools(),
            Self::Process(_) | Self::Callbacks(_) => Vec::new(),
        }
    }

    /// Returns a task that is queued on this pool.
    pub(crate) fn next_queued_on(&self, pool: u64) -> Option<Arc<Header>> {
        match self {
            Self::One(target) => target.is_queued_on(pool).then(|| target.clone()),
            Self::Many(group) => group.next_queued_on(pool).cloned(),
            Self::Members(members) => members.next_queued_on(pool),
            Self::Process(_) | Self::Callbacks(_) => None,
        }
    }
}

/// The count among the waits of a pool.
impl Targets {
    /// Counts the wait for these tasks, which must all belong to the pool. Returns whether it does.
    pub(crate) fn begin_own_wait(&self, pool: u64, own_waits: &OwnWaits) -> bool {
        match self {
            Self::Many(group) if group.only_pool == Some(pool) => {
                group.batch.begin_own_wait(own_waits)
            }
            _ => false,
        }
    }

    pub(crate) fn end_own_wait(&self) {
        if let Self::Many(group) = self {
            group.batch.end_own_wait();
        }
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(target) => write!(f, "task {} `{}`", target.id(), target.name()),
            Self::Many(_) | Self::Members(_) => write!(f, "{} tasks", self.len()),
            Self::Process(pid) => write!(f, "process {pid}"),
            Self::Callbacks(calls) => write!(f, "the callbacks of task {}", calls.task()),
        }
    }
}

/// Several tasks that one thread waits for.
pub(crate) struct Group {
    tasks: Box<[Arc<Header>]>,
    batch: Arc<Batch>,
    queues: Box<[Queue]>,
    /// All tasks before this index have ended. As [`Queue::first`].
    first_unfinished: AtomicUsize,
    /// The pool of all these tasks, if they have one.
    only_pool: Option<u64>,
    /// The process id of a child process that can end the wait too.
    process: Option<u32>,
    sorted: OnceLock<Box<[TaskId]>>,
}

/// A pool that runs tasks of a group.
struct Queue {
    pool: u64,
    /// No task before this index is queued on the pool. A task that has begun is never queued
    /// again, so it only grows. Each thread that moves it has checked the tasks itself, so its
    /// accesses are relaxed.
    first: AtomicUsize,
}

impl Group {
    pub(crate) fn new(tasks: Vec<Arc<Header>>, batch: Arc<Batch>) -> Self {
        Self::with_process(tasks, None, batch)
    }

    /// A group with a child process, by its process id, which is shown as a target too.
    pub(crate) fn with_process(
        tasks: Vec<Arc<Header>>,
        process: Option<u32>,
        batch: Arc<Batch>,
    ) -> Self {
        let mut pools = Vec::new();
        for task in &tasks {
            if let Placement::Pool(pool) = task.placement()
                && pools.last() != Some(&pool)
            {
                pools.push(pool);
            }
        }
        pools.sort_unstable();
        pools.dedup();
        let only_pool = match *pools {
            [pool] => Some(pool),
            _ => None,
        };
        let is_there = |pool| {
            tasks
                .iter()
                .all(|it| it.placement() == Placement::Pool(pool))
        };
        let only_pool = only_pool.filter(|pool| is_there(*pool));
        let queue = |pool| Queue {
            pool,
            first: AtomicUsize::new(0),
        };
        Self {
            tasks: tasks.into(),
            batch,
            only_pool,
            queues: pools.into_iter().map(queue).collect(),
            process,
            first_unfinished: AtomicUsize::new(0),
            sorted: OnceLock::new(),
        }
    }

    pub(crate) fn tasks(&self) -> &[Arc<Header>] {
        &self.tasks
    }

    /// Takes the logarithm of the number of tasks, after the first call.
    pub(crate) fn contains(&self, task: TaskId) -> bool {
        let sorted = self.sorted.get_or_init(|| {
            let mut ids: Box<[TaskId]> = self.tasks.iter().map(|task| task.id()).collect();
            ids.sort_unstable();
            ids
        });
        sorted.binary_search(&task).is_ok()
    }

    /// Takes constant time on average over all ends.
    fn first_unfinished(&self) -> Option<TaskId> {
        let first = self.first_unfinished.load(Ordering::Relaxed);
        let at = (first..self.tasks.len()).find(|at| !self.tasks[*at].is_finished());
        let new_first = at.unwrap_or(self.tasks.len());
        self.first_unfinished
            .fetch_max(new_first, Ordering::Relaxed);
        at.map(|at| self.tasks[at].id())
    }

    /// Returns the first task that is queued on this pool.
    pub(crate) fn next_queued_on(&self, pool: u64) -> Option<&Arc<Header>> {
        let queue = self.queues.iter().find(|queue| queue.pool == pool)?;
        let first = queue.first.load(Ordering::Relaxed);
        let at = (first..self.tasks.len()).find(|at| self.tasks[*at].is_queued_on(pool));
        let new_first = at.unwrap_or(self.tasks.len());
        queue.first.fetch_max(new_first, Ordering::Relaxed);
        at.map(|at| &self.tasks[at])
    }
}
