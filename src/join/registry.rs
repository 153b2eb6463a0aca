//! The tasks that live: listing them, and waiting for them at the end of the program.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use super::cell::Header;
use super::graph::{self, Graph};
use super::outcome::TaskInfo;
#[cfg(all(unix, not(loom)))]
use super::process;
use super::sync::{Mutex, lock, yield_now};
use super::{context, wait};

/// Tasks are spread over several locks, so that pool workers and spawners seldom meet.
const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };
const SPARE_CAPACITY: usize = 1024;

/// The live tasks of one process (or of one model).
pub(crate) struct Registry {
    shards: [Mutex<Slab<Arc<Header>>>; SHARDS],
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Slab::new())),
        }
    }

    pub(crate) fn add(&self, task: Arc<Header>) {
        let mut shard = lock(self.shard(&task));
        let entry = shard.vacant_entry();
        task.set_registry_key(entry.key());
        entry.insert(task);
    }

    pub(crate) fn remove(&self, task: &Header) {
        let removed = {
            let mut shard = lock(self.shard(task));
            let removed = shard.try_remove(task.registry_key());
            if shard.is_empty() && shard.capacity() > SPARE_CAPACITY {
                shard.shrink_to_fit();
            }
            removed
        };
        drop(removed);
    }

    /// The tasks whose outcome is not published, oldest first.
    pub(crate) fn live(&self) -> Vec<Arc<Header>> {
        let mut tasks = self.listed();
        tasks.retain(|task| !task.is_finished());
        tasks.sort_unstable_by_key(|task| task.id());
        tasks
    }

    /// The tasks that are added and not removed, as of one moment: a task that was spawned by
    /// another is there from before that one goes.
    fn listed(&self) -> Vec<Arc<Header>> {
        let shards: Vec<_> = self.shards.iter().map(lock).collect();
        shards
            .iter()
            .flat_map(|shard| shard.iter().map(|(_, task)| task.clone()))
            .collect()
    }

    /// Blocks until no task that `is_awaited` is left or the deadline has passed. False when some
    /// are left.
    pub(crate) fn wait_until_empty(
        &self,
        graph: &Graph,
        is_awaited: impl Fn(&Header) -> bool,
        deadline: Option<Instant>,
    ) -> bool {
        loop {
            let mut tasks = self.listed();
            tasks.retain(|task| is_awaited(task));
            if tasks.is_empty() {
                return true;
            }
            if wait::for_all(graph, tasks, deadline).is_err() {
                return false;
            }
            // All have ended, and those who ended them are about to remove them.
            yield_now();
        }
    }

    fn shard(&self, task: &Header) -> &Mutex<Slab<Arc<Header>>> {
        let index = usize::try_from(task.id().get() % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }
}

/// The registry of this process.
pub(crate) fn global() -> &'static Registry {
    static REGISTRY: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(Registry::new);
    &REGISTRY
}

/// Runs a task here if nobody has begun it. False when somebody has.
pub(crate) fn run(task: &Arc<Header>) -> bool {
    let ran = task.run();
    if ran {
        conclude(task);
    }
    ran
}

/// Asks a task to cancel.
pub(crate) fn cancel(task: &Arc<Header>) {
    if task.request_cancel() {
        conclude(task);
    }
}

/// Ends a task that could not be started.
pub(crate) fn discard(task: &Arc<Header>) {
    if task.discard() {
        conclude(task);
    }
}

fn conclude(task: &Arc<Header>) {
    global().remove(task);
    task.settle();
}

/// The live tasks, oldest first; never one whose join has returned.
///
/// A detached task stays listed until it ends.
///
/// ```
/// use meanwhile::join;
///
/// let task = join::spawn("listed", |context| loop { context.checkpoint() })?;
/// assert!(join::enumerate().iter().any(|live| live.id == task.id()));
/// task.cancel();
/// let _cancelled: Result<&(), _> = task.join();
/// assert!(join::enumerate().iter().all(|live| live.id != task.id()));
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn enumerate() -> Vec<TaskInfo> {
    global().live().iter().map(|task| task.info()).collect()
}

/// What [`shutdown`] left behind.
///
/// ```
/// use meanwhile::join;
/// use std::time::Duration;
///
/// let upload = join::spawn("upload", |context| -> () { loop { context.checkpoint() } })?;
/// let report = join::shutdown(Some(Duration::ZERO));
/// let names: Vec<&str> = report.remaining.iter().map(|task| &*task.name).collect();
/// assert_eq!(names, ["upload"]);
/// upload.cancel();
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ShutdownReport {
    /// The non-daemon tasks that still live, oldest first; empty when all have ended.
    pub remaining: Vec<TaskInfo>,
    /// The child processes that still live, oldest first; empty when all have ended.
    #[cfg(all(unix, not(loom)))]
    pub processes: Vec<process::ProcessInfo>,
}

impl ShutdownReport {
    /// Whether nothing is left.
    pub fn is_complete(&self) -> bool {
        #[cfg(all(unix, not(loom)))]
        if !self.processes.is_empty() {
            return false;
        }
        self.remaining.is_empty()
    }
}

/// Waits until every non-daemon task and child process has ended, also those that are started in
/// the meantime; then stops the daemon processes, with all they have started.
///
/// With a timeout it returns then at the latest, but for the second that a daemon process gets to
/// end by itself, and reports who is left; those go on. Daemon tasks are not waited for. Called
/// from a task, it does not wait for that task, and returns early when waiting would never end
/// because somebody waits for that task.
///
/// ```
/// use meanwhile::join::{self, Builder};
/// use std::time::Duration;
///
/// join::spawn("awaited", |_| ())?;
/// Builder::new("left alone").daemon(true).spawn(|_| std::thread::park())?;
/// let report = join::shutdown(Some(Duration::from_secs(60)));
/// assert!(report.is_complete());
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn shutdown(timeout: Option<Duration>) -> ShutdownReport {
    let deadline = wait::deadline(timeout);
    let current = context::current();
    let is_awaited = |task: &Header| !task.is_daemon() && Some(task.id()) != current;
    let wait_for_tasks = || global().wait_until_empty(graph::global(), is_awaited, deadline);
    let is_empty = wait_for_tasks();
    #[cfg(all(unix, not(loom)))]
    let (is_empty, processes) = {
        process::wait_for_non_daemons(deadline);
        process::stop_daemons();
        // A process that ends may start a task, and a task a process: whoever is quick is seen.
        (is_empty && wait_for_tasks(), process::active_children())
    };
    let remaining = if is_empty {
        Vec::new()
    } else {
        let mut live = global().live();
        live.retain(|task| is_awaited(task));
        live.iter().map(|task| task.info()).collect()
    };
    ShutdownReport {
        remaining,
        #[cfg(all(unix, not(loom)))]
        processes,
    }
}
