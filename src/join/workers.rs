//! The threads of a pool, as the wait graph sees them, and the spare threads that it calls up.
//!
//! A pool could starve: all its threads wait, directly or through other tasks, for tasks that are
//! queued behind them. A worker that waits for a queued task of its own pool and for nothing else
//! runs that task itself, up to [`MAX_DEPTH`] tasks on one stack. In every other case the wait graph
//! finds the [`Shortage`], and a spare thread runs the queued tasks of that wait. It asks the graph
//! before each further one: while a thread of the pool can go on, it rests. Of several that rest, all but
//! one end.
//!
//! If the system refuses the spare thread, the thread that waits runs the queued tasks itself, inside of
//! its wait, so this may end late. These tasks count for [`MAX_DEPTH`] too. Beyond it the wait fails. A
//! task that runs there can't wait for the one around it: that would close a cycle.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::header::Header;
use super::id::TaskId;
use super::innermost::InnermostTask;
use super::own_waits::OwnWaits;
#[cfg(not(loom))]
use super::priority;
use super::priority::Priority;
use super::queue::{Next, Queue};
use super::registry;
use super::sync::{Condvar, Mutex, lock, wait_timeout};
use super::targets::Targets;

/// The number of tasks that run inside each other on one thread. With std's stack of 2 MiB each has
/// 64 KiB.
pub(crate) const MAX_DEPTH: usize = 32;

/// A spare thread without work ends after this time.
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// The threads of one pool.
pub(crate) struct Workers {
    pool: u64,
    name: String,
    priority: Priority,
    running: Box<[InnermostTask]>,
    spares: Mutex<Spares>,
    own_waits: OwnWaits,
    /// Wakes the spare threads when there is a shortage.
    has_shortage: Condvar,
    next_for_spare: NextForSpare,
}

/// Asks the wait graph for a task for a spare thread, and notes it where that notes what it runs.
type NextForSpare = Box<dyn Fn(&InnermostTask) -> Option<Arc<Header>> + Send + Sync>;

#[derive(Default)]
struct Spares {
    /// The spare threads, by their numbers.
    running: BTreeMap<u64, InnermostTask>,
    next_number: u64,
    shortages: VecDeque<Shortage>,
    /// The number of times that there was a shortage.
    calls: u64,
    /// Whether one of the spare threads waits for a shortage.
    does_one_rest: bool,
}

/// A wait with targets that are queued on a pool whose threads all wait.
pub(crate) struct Shortage {
    targets: Targets,
    /// Gone when the wait has ended.
    wait: Weak<()>,
}

impl Shortage {
    pub(crate) fn new(targets: Targets, wait: &Arc<()>) -> Self {
        Self {
            targets,
            wait: Arc::downgrade(wait),
        }
    }

    /// Returns a queued target, while the wait lasts.
    fn next(&self, pool: u64) -> Option<Arc<Header>> {
        (self.wait.strong_count() > 0)
            .then(|| self.targets.next_queued_on(pool))
            .flatten()
    }
}

impl Workers {
    /// `next_for_spare` is [`Graph::next_for_spare`](super::graph::Graph::next_for_spare) of the pool.
    pub(crate) fn new(
        pool: u64,
        name: String,
        threads: usize,
        priority: Priority,
        next_for_spare: impl Fn(&InnermostTask) -> Option<Arc<Header>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            pool,
            name,
            priority,
            running: (0..threads).map(|_| InnermostTask::default()).collect(),
            spares: Mutex::default(),
            own_waits: OwnWaits::default(),
            has_shortage: Condvar::new(),
            next_for_spare: Box::new(next_for_spare),
        }
    }

    pub(crate) fn pool(&self) -> u64 {
        self.pool
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs the tasks of a queue on this thread, which becomes the one with this index.
    pub(crate) fn run_all(&self, thread: usize, queue: &Queue) {
        let running = &self.running[thread];
        self.enter(running);
        let mut free_since = None;
        while let Some(Next { task, at_once }) = queue.next(thread) {
            let begun = free_since.filter(|_| at_once);
            free_since = running.during(task.id(), || registry::run_next(&task, begun));
        }
    }

    /// Returns where the thread with this index notes what it runs.
    #[cfg(all(test, not(any(loom, other_unix))))]
    pub(crate) fn running_on(&self, thread: usize) -> InnermostTask {
        self.running[thread].clone()
    }

    fn enter(&self, running: &InnermostTask) {
        Self::replace_worker(Some(Worker {
            pool: self.pool,
            running: running.clone(),
            outer: Vec::new(),
        }));
    }

    fn replace_worker(worker: Option<Worker>) -> Option<Worker> {
        // Destructors of other thread locals may wait, too.
        let replaced = WORKER.try_with(|own| own.replace(worker));
        replaced.ok().flatten()
    }

    /// Makes this thread one of the pool while `code` runs.
    pub(crate) fn while_entered<T>(&self, running: &InnermostTask, code: impl FnOnce() -> T) -> T {
        let mut outer = outer_running_here();
        outer.extend(running_here());
        let before = Self::replace_worker(Some(Worker {
            pool: self.pool,
            running: running.clone(),
            outer,
        }));
        let value = code();
        Self::replace_worker(before);
        value
    }

    pub(crate) fn threads(&self) -> usize {
        self.running.len()
    }

    /// Returns the tasks that the pool's own threads run, or `None` if one of them runs none.
    pub(crate) fn running(&self) -> Option<Vec<TaskId>> {
        self.running.iter().map(InnermostTask::get).collect()
    }

    /// Whether each of the pool's own threads runs a task for which `is_meant` holds.
    pub(crate) fn do_all_run(&self, is_meant: impl Fn(TaskId) -> bool) -> bool {
        let mut running = self.running.iter();
        running.all(|running| running.get().is_some_and(&is_meant))
    }

    /// Returns the spare threads that run a task, by their numbers.
    pub(crate) fn busy_spares(&self) -> Vec<(u64, TaskId)> {
        let spares = lock(&self.spares);
        let running = |(number, running): (&u64, &InnermostTask)| Some((*number, running.get()?));
        spares.running.iter().filter_map(running).collect()
    }

    pub(crate) fn own_waits(&self) -> &OwnWaits {
        &self.own_waits
    }

    /// Whether each thread of the pool is in one of its [own waits](Self::own_waits). Then none can go on.
    pub(crate) fn do_all_wait(&self) -> bool {
        let spares = lock(&self.spares).running.len();
        self.own_waits.count() == self.threads() + spares
    }

    /// Whether so many spare threads run a task for which `is_meant` holds. Looks at the newest first.
    pub(crate) fn has_spares(&self, count: usize, is_meant: impl Fn(TaskId) -> bool) -> bool {
        let spares = lock(&self.spares);
        let newest_first = spares.running.values().rev();
        let tasks = newest_first.filter_map(InnermostTask::get);
        tasks.filter(|task| is_meant(*task)).take(count).count() == count
    }

    /// Starts a spare thread for the shortages. If the system refuses it, this thread runs their tasks now,
    /// unless too many run inside each other on it already. Before the first one it passes to `before` where
    /// it notes what it runs.
    pub(crate) fn serve(self: &Arc<Self>, before: impl FnOnce(InnermostTask)) -> Service {
        let (number, running) = self.add_spare();
        if self.spawn_spare(number, running.clone()).is_ok() {
            return Service::Settled;
        }
        // Others count on this spare thread already, so the current one takes its place.
        if may_go_deeper() {
            return self.serve_here(number, &running, before);
        }
        self.remove_spare(number);
        Service::Refused
    }

    fn serve_here(
        &self,
        number: u64,
        running: &InnermostTask,
        before: impl FnOnce(InnermostTask),
    ) -> Service {
        let mut before = Some(before);
        self.while_entered(running, || {
            while let Some(task) = self.next_or_leave(number, running, None) {
                if let Some(before) = before.take() {
                    before(running.clone());
                }
                one_deeper(|| registry::run_queued(&task));
                running.replace(None);
            }
        });
        match before {
            Some(_not_called) => Service::Settled,
            None => Service::RanHere,
        }
    }

    /// Has the spare threads run the queued targets of waits. Returns whether all of them are stuck.
    pub(crate) fn add_shortages(&self, shortages: Vec<Shortage>, stuck: &StuckSpares) -> bool {
        let mut spares = lock(&self.spares);
        spares.shortages.extend(shortages);
        spares.calls += 1;
        self.has_shortage.notify_all();
        match stuck {
            StuckSpares::All => true,
            StuckSpares::These(stuck) => spares.running.keys().all(|it| stuck.contains(it)),
        }
    }

    /// Counts one more spare thread. Returns its number and where it notes what it runs.
    pub(crate) fn add_spare(&self) -> (u64, InnermostTask) {
        let mut spares = lock(&self.spares);
        spares.next_number += 1;
        let number = spares.next_number;
        let running = InnermostTask::default();
        spares.running.insert(number, running.clone());
        (number, running)
    }

    pub(crate) fn remove_spare(&self, number: u64) {
        lock(&self.spares).running.remove(&number);
    }

    /// Starts the spare thread with this number.
    fn spawn_spare(self: &Arc<Self>, number: u64, running: InnermostTask) -> io::Result<()> {
        #[cfg(all(test, not(any(loom, other_unix))))]
        refusals::check(self.pool)?;
        let workers = self.clone();
        let name = format!("{}-spare-{number}", self.name);
        spawn_thread(name, self.priority, move || {
            workers.enter(&running);
            // The graph has just said that the pool needs this thread.
            let mut first = workers.first_of_shortages();
            let next = || {
                first
                    .take()
                    .or_else(|| workers.next_or_leave(number, &running, Some(REST_TIMEOUT)))
            };
            for task in std::iter::from_fn(next) {
                running.replace(Some(task.id()));
                registry::run_queued(&task);
                running.replace(None);
            }
        })
    }

    fn first_of_shortages(&self) -> Option<Arc<Header>> {
        // Dropped after the lock is released.
        let mut served = Vec::new();
        self.next_of_shortages(&mut served)
    }

    /// Returns a queued task of a shortage. Moves those without one to `served`, which the caller must
    /// drop after it has released its locks.
    pub(crate) fn next_of_shortages(&self, served: &mut Vec<Shortage>) -> Option<Arc<Header>> {
        lock(&self.spares).next(self.pool, served)
    }

    /// Blocks until there is a task for the spare thread with this number, for at most this time without a
    /// shortage. Returns `None` if there was none, or another one rests already. Then no one counts on it.
    pub(crate) fn next_or_leave(
        &self,
        number: u64,
        running: &InnermostTask,
        rest: Option<Duration>,
    ) -> Option<Arc<Header>> {
        loop {
            let calls = lock(&self.spares).calls;
            if let Some(task) = (self.next_for_spare)(running) {
                return Some(task);
            }
            let mut spares = lock(&self.spares);
            // A shortage may have begun after the graph was asked.
            if spares.calls != calls {
                continue;
            }
            if let Some(rest) = rest.filter(|_| !spares.does_one_rest) {
                spares.does_one_rest = true;
                let (guard, has_timed_out) = wait_timeout(&self.has_shortage, spares, rest);
                spares = guard;
                spares.does_one_rest = false;
                if !has_timed_out || spares.calls != calls {
                    continue;
                }
            }
            spares.running.remove(&number);
            return None;
        }
    }
}

/// What has become of the queued targets of waits.
#[must_use]
pub(crate) enum Service {
    /// A spare thread runs them, or nothing is left to run.
    Settled,
    /// This thread has run tasks. A wait that began meanwhile counted on it.
    RanHere,
    /// No thread can run them.
    Refused,
}

/// The spare threads that can't go on, by their numbers.
pub(crate) enum StuckSpares {
    All,
    These(BTreeSet<u64>),
}

impl Spares {
    /// Returns a queued task of a shortage. Moves those without one to `served`.
    fn next(&mut self, pool: u64, served: &mut Vec<Shortage>) -> Option<Arc<Header>> {
        while let Some(shortage) = self.shortages.pop_front() {
            if let Some(task) = shortage.next(pool) {
                self.shortages.push_back(shortage);
                return Some(task);
            }
            served.push(shortage);
        }
        None
    }
}

#[cfg(not(loom))]
fn spawn_thread(
    name: String,
    priority: Priority,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    priority::spawn_thread(std::thread::Builder::new().name(name), priority, run)
}

#[cfg(loom)]
#[expect(clippy::unnecessary_wraps, reason = "as without loom")]
fn spawn_thread(
    _name: String,
    _priority: Priority,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    drop(loom::thread::spawn(run));
    Ok(())
}

/// A thread of a pool.
struct Worker {
    pool: u64,
    running: InnermostTask,
    /// Where it notes what it runs besides, as the thread that runs tasks in place of a spare one.
    outer: Vec<InnermostTask>,
}

#[cfg(not(loom))]
thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
    /// The number of tasks that this thread runs inside of waits.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static WORKER: RefCell<Option<Worker>> = RefCell::new(None);
    static DEPTH: Cell<usize> = Cell::new(0);
}

/// Returns the pool of which this thread is a worker, if it may run queued tasks of that pool
/// inside of the task that it runs.
pub(crate) fn may_help() -> Option<u64> {
    pool_here().filter(|_| may_go_deeper())
}

/// Returns the pool of which this thread is a worker.
pub(crate) fn pool_here() -> Option<u64> {
    of_worker(|worker| worker.pool)
}

/// Returns where this thread notes what it runs, if it is a worker of a pool.
pub(crate) fn running_here() -> Option<InnermostTask> {
    of_worker(|worker| worker.running.clone())
}

/// Returns where else this thread notes what it runs, the outermost first.
pub(crate) fn outer_running_here() -> Vec<InnermostTask> {
    of_worker(|worker| worker.outer.clone()).unwrap_or_default()
}

fn of_worker<T>(get: impl FnOnce(&Worker) -> T) -> Option<T> {
    // Destructors of other thread locals may wait, too.
    let got = WORKER.try_with(|worker| worker.borrow().as_ref().map(get));
    got.ok().flatten()
}

/// Whether this thread may run one more task inside of those that it runs.
fn may_go_deeper() -> bool {
    DEPTH.with(|depth| depth.get() < MAX_DEPTH)
}

/// Counts one more task that this thread runs inside of others while `run` runs.
fn one_deeper<T>(run: impl FnOnce() -> T) -> T {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    // A task's panic is its outcome, so nothing unwinds from here.
    let value = run();
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    value
}

/// Runs a queued task inside of the current one, and passes to `before` where this thread notes
/// what it runs. Returns false if another thread has begun the task.
pub(crate) fn help(task: &Arc<Header>, before: impl FnOnce(InnermostTask)) -> bool {
    let running = running_here().unwrap_or_default();
    before(running.clone());
    one_deeper(|| running.during(task.id(), || registry::run_queued(task)))
}

/// The pools whose spare threads a test has the system refuse.
#[cfg(all(test, not(any(loom, other_unix))))]
pub(crate) mod refusals {
    use std::collections::BTreeSet;
    use std::io;
    use std::sync::{Mutex, PoisonError};

    static REFUSED: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

    pub(crate) fn begin(pool: u64) {
        let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(pool);
    }

    pub(super) fn check(pool: u64) -> io::Result<()> {
        let refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.contains(&pool) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}
