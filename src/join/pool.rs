//! The thread pool.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::SpawnError;
use super::header::Header;
use super::info::Placement;
use super::priority::{Priority, spawn_thread};
use super::queue::Queue;
use super::workers::Workers;
use super::{graph, registry};

/// No system has more threads: Linux numbers them below this.
const MAX_THREADS: usize = 1 << 22;

/// A fixed number of threads that run tasks from one queue, first in, first out.
///
/// Clones share the threads. When the last handle is dropped, the queued tasks still run, then the
/// threads end; the drop itself does not wait. [`wait_until_idle`](Self::wait_until_idle) waits.
///
/// A pool never starves. Its tasks may join tasks that are queued behind them, directly or through
/// threads and other pools: while all of its threads wait, in any wait of this library, for tasks
/// that need one of them, a spare thread runs those. It may still run one when a thread of the pool
/// goes on, but begins no other; so no more tasks run at a time than there are threads. A spare thread
/// without work ends after a second, or at once if another one is without work too. Waits for channels,
/// locks, processes and [promises](super::Promise), pauses, and futures that an executor polls on a thread of
/// the pool do not count.
///
/// A join of a queued task of the same pool runs it on the same thread, up to 32 tasks inside each other. A
/// wait for the first of several needs a spare thread instead, so tasks that wait for new ones inside each
/// other take a thread each. If the system refuses one, the thread that waits runs the tasks itself, and
/// its wait may end late. If 32 tasks run inside each other on it already, the wait fails: see
/// [`JoinError::NoThread`](super::JoinError::NoThread).
///
/// ```
/// use meanwhile_join::{Pool, Task};
///
/// let pool = Pool::new(2)?;
/// let squares: Vec<Task<i32>> = (0..4).map(|n| pool.spawn(move |_| n * n)).collect();
/// let sum: i32 = squares.iter().map(|task| *task.join().unwrap()).sum();
/// assert_eq!(sum, 14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pool {
    queue: Arc<OpenQueue>,
    id: u64,
    threads: usize,
}

/// The settings of a new pool; see [`Pool::builder`].
///
/// ```
/// use meanwhile_join::{Builder, Pool, Priority};
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
    /// Starts a pool with this number of threads (0 counts as 1) and otherwise the default settings:
    /// see [`builder`](Self::builder).
    ///
    /// ```
    /// let pool = meanwhile_join::Pool::new(4)?;
    /// assert_eq!(pool.threads(), 4);
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`PoolBuilder::build`] does.
    pub fn new(threads: usize) -> Result<Self, SpawnError> {
        Self::builder().threads(threads).build()
    }

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

    /// Queues a task, which counts as listed already.
    pub(crate) fn push(&self, task: Arc<Header>) {
        self.queue.0.push(task);
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
    /// Fails if the system refuses one of them, or for more than 4 194 304. Then the threads that were
    /// started end.
    pub fn build(self) -> Result<Pool, SpawnError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if self.threads > MAX_THREADS {
            return Err(self.too_many_threads());
        }
        // A counter orders nothing else.
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let queue = Arc::new(Queue::new(self.threads));
        // The threads that have started end if another one is refused.
        let open = Arc::new(OpenQueue(queue.clone()));
        let next_for_spare = move |running: &_| graph::global().next_for_spare(id, running);
        let workers = Workers::new(id, self.name, self.threads, self.priority, next_for_spare);
        let members = Arc::new(Members {
            workers: Arc::new(workers),
            queue: queue.clone(),
        });
        graph::global().add_pool(members.workers.clone());
        registry::global().add_queue(id, queue);
        for thread in 0..self.threads {
            let members = members.clone();
            let name = format!("{}-{}", members.workers.name(), thread + 1);
            let builder = std::thread::Builder::new().name(name.clone());
            let run = move || members.workers.run_all(thread, &members.queue);
            spawn_thread(builder, self.priority, run)
                .map_err(|cause| SpawnError::new(name, cause))?;
        }
        Ok(Pool {
            queue: open,
            id,
            threads: self.threads,
        })
    }
}

impl PoolBuilder {
    fn too_many_threads(self) -> SpawnError {
        let text = format!(
            "a pool has at most {MAX_THREADS} threads, not {}",
            self.threads
        );
        let cause = io::Error::new(io::ErrorKind::InvalidInput, text);
        SpawnError::new(self.name, cause)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("id", &self.id)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// The queue of a pool that has a handle.
struct OpenQueue(Arc<Queue>);

impl Drop for OpenQueue {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The threads of a pool, shared by all of them. When the last one ends, the pool is forgotten.
struct Members {
    workers: Arc<Workers>,
    queue: Arc<Queue>,
}

impl Drop for Members {
    fn drop(&mut self) {
        let pool = self.workers.pool();
        graph::global().remove_pool(pool);
        registry::global().remove_queue(pool);
    }
}

#[cfg(all(test, not(any(loom, other_unix))))]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::graph::Graph;
    use super::*;

    #[test]
    fn pool_whose_threads_have_ended_is_not_kept() {
        let pool = Pool::builder().threads(2).priority(Priority::Normal);
        let pool = pool.build().expect("the system has a thread left");
        let queue = Arc::downgrade(&pool.queue.0);
        drop(pool);
        let begin = Instant::now();
        while queue.strong_count() > 0 {
            assert!(begin.elapsed() < Duration::from_secs(60), "it is kept");
            std::thread::yield_now();
        }
    }

    #[test]
    fn pool_removed_from_the_graph_is_not_kept() {
        let graph = Graph::new();
        let workers = Arc::new(Workers::new(1, String::new(), 1, Priority::Normal, |_| {
            None
        }));
        graph.add_pool(workers.clone());
        graph.remove_pool(1);
        assert_eq!(Arc::strong_count(&workers), 1);
    }
}
