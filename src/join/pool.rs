//! The thread pool.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender};

use super::error::SpawnError;
use super::header::Header;
use super::info::Placement;
use super::priority::{Priority, spawn_thread};
use super::registry;

/// A fixed number of threads that run tasks from one queue, first in, first out.
///
/// Clones share the threads. When the last handle is dropped, the queued tasks still run, then the
/// threads end.
///
/// ```
/// use meanwhile::join::{Builder, Pool};
///
/// let pool = Pool::builder().threads(2).build()?;
/// let squares = (0..4)
///     .map(|n| Builder::new(format!("square {n}")).spawn_on(&pool, move |_| n * n))
///     .collect::<Result<Vec<_>, _>>()?;
/// let sum: i32 = squares.iter().map(|task| *task.join().unwrap()).sum();
/// assert_eq!(sum, 14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    queue: Sender<Arc<Header>>,
    id: u64,
    threads: usize,
}

/// The settings of a new pool; see [`Pool::builder`].
///
/// ```
/// use meanwhile::join::{Builder, Pool, Priority};
///
/// let pool = Pool::builder()
///     .name("export")
///     .threads(1)
///     .priority(Priority::Normal)
///     .build()?;
/// let worker = Builder::new("page 1")
///     .spawn_on(&pool, |_| std::thread::current().name().map(str::to_owned))?;
/// assert_eq!(worker.join()?.as_deref(), Some("export-1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PoolBuilder {
    name: String,
    threads: usize,
    priority: Priority,
}

impl Pool {
    /// Returns the default settings: the name `pool`, one thread per core, and
    /// [`Priority::Background`], so that a busy pool does not slow down the window.
    pub fn builder() -> PoolBuilder {
        PoolBuilder {
            name: "pool".to_owned(),
            threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            priority: Priority::Background,
        }
    }

    /// Returns the number of threads, which is at least 1.
    pub fn threads(&self) -> usize {
        self.threads
    }

    pub(crate) fn placement(&self) -> Placement {
        Placement::Pool(self.id)
    }

    pub(crate) fn push(&self, task: Arc<Header>) {
        if let Err(refused) = self.queue.send(task) {
            // Sending fails only when every worker has ended, and none ends while a handle lives.
            registry::discard(&refused.into_inner());
        }
    }
}

impl PoolBuilder {
    /// Sets the name of the pool. Its threads are named `name-1` and so on. A NUL becomes U+FFFD.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into().replace('\0', "\u{fffd}");
        self
    }

    /// Sets the number of threads; 0 counts as 1.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets the priority of the threads.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Starts the threads, and returns the pool.
    ///
    /// # Errors
    /// Fails if the system refuses one of them. Then the threads that were started end.
    #[expect(
        clippy::disallowed_methods,
        reason = "a bounded queue would block the thread that spawns"
    )]
    pub fn build(self) -> Result<Pool, SpawnError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (queue, tasks) = crossbeam_channel::unbounded();
        for number in 1..=self.threads {
            let tasks = tasks.clone();
            let priority = self.priority;
            let name = format!("{}-{number}", self.name);
            let thread = std::thread::Builder::new().name(name.clone());
            spawn_thread(thread, priority, move || work(id, &tasks))
                .map_err(|source| SpawnError { name, source })?;
        }
        Ok(Pool {
            queue,
            id,
            threads: self.threads,
        })
    }
}

thread_local! {
    /// The number of the pool of which this thread is a worker; 0 for none.
    static WORKER_OF: Cell<u64> = const { Cell::new(0) };
}

fn work(pool: u64, tasks: &Receiver<Arc<Header>>) {
    WORKER_OF.set(pool);
    for task in tasks {
        registry::run(&task);
    }
}

/// Whether this thread is a worker of the pool of a task with this placement.
pub(crate) fn is_worker_of(placement: Placement) -> bool {
    match placement {
        Placement::Thread => false,
        Placement::Pool(id) => WORKER_OF.try_with(Cell::get).is_ok_and(|pool| pool == id),
    }
}
