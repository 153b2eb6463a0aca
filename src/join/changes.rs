//! The queue of changed tasks. With it a window follows any number of tasks.
//!
//! A window that polls every task each frame pays for all of them. Here only changed tasks queue
//! up, each once, however often it changed. A frame in which nothing changed costs one atomic load.
//! The wake function is called when the queue stops being empty, and not again before it is empty:
//! a task that reports a million times wakes the window once a frame. A change is published before
//! the wake, so the frame that the wake causes sees it.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::id::TaskId;
use super::panic::contain;
use super::sync::{AtomicBool, Mutex, Ordering, fence, lock};

/// A queue of the tasks that reported progress or ended since they were last taken.
///
/// Tasks report to it when they are spawned with [`Builder::report_to`](super::Builder::report_to), and
/// processes with a [method of the same name](super::process::Builder::report_to). A window takes the tasks
/// with [`take`](Self::take) and the processes with [`take_processes`](Self::take_processes). Each of the
/// two lists wakes it when it stops being empty. Clones share one queue.
///
/// ```
/// use meanwhile_join::{Builder, Changes};
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
///
/// let wakes = Arc::new(AtomicUsize::new(0));
/// let changes = Changes::new({
///     let wakes = wakes.clone();
///     move || { wakes.fetch_add(1, Ordering::SeqCst); } // a window: `context.request_repaint()`
/// });
/// let (begin, may_begin) = std::sync::mpsc::channel();
/// let task = Builder::new("count").report_to(&changes).spawn(move |context| {
///     may_begin.recv().expect("the main thread sends");
///     for done in 0..1_000 {
///         context.set_progress(done, 1_000);
///     }
/// })?;
/// let (finished, is_finished) = std::sync::mpsc::channel();
/// task.on_finish(move || finished.send(()).expect("the main thread waits"));
/// begin.send(()).expect("the task waits");
/// is_finished.recv().expect("callbacks run");
/// assert_eq!(changes.take(usize::MAX), [task.id()]);
/// assert_eq!(changes.take(usize::MAX), []);
/// assert_eq!(wakes.load(Ordering::SeqCst), 1);
/// # Ok::<(), meanwhile_join::SpawnError>(())
/// ```
#[derive(Clone)]
pub struct Changes(Arc<ChangeQueue>);

pub(crate) struct ChangeQueue {
    tasks: List<dyn Observed>,
    /// The module of processes knows their type.
    processes: List<dyn Any + Send + Sync>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct List<E: ?Sized> {
    /// Whether there are entries. Written under their lock and read without it. Release and acquire order
    /// let a thread that sees an entry here also see its change.
    pending: AtomicBool,
    entries: Mutex<VecDeque<Arc<E>>>,
}

impl<E: ?Sized> List<E> {
    fn new() -> Self {
        Self {
            pending: AtomicBool::new(false),
            entries: Mutex::new(VecDeque::new()),
        }
    }

    fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Returns whether the list was empty.
    fn push(&self, entry: Arc<E>) -> bool {
        let mut entries = lock(&self.entries);
        entries.push_back(entry);
        !self.pending.swap(true, Ordering::AcqRel)
    }

    /// Takes at most `budget` entries, and returns whether there are more.
    fn take(&self, budget: usize) -> (Vec<Arc<E>>, bool) {
        if !self.is_pending() {
            return (Vec::new(), false);
        }
        let mut entries = lock(&self.entries);
        let count = entries.len().min(budget);
        let taken = entries.drain(..count).collect();
        if entries.is_empty() {
            self.pending.store(false, Ordering::Release);
        }
        (taken, !entries.is_empty())
    }
}

impl Changes {
    /// Returns an empty queue.
    ///
    /// `wake` is called on the thread of the task that changed, so it must not block. For a window
    /// it requests a repaint. If it panics, the panic is ignored.
    ///
    /// A wake that comes before the window can take it is lost, and the next comes only after a
    /// [`take`](Self::take). So a window takes what is queued in its first frame, too.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(ChangeQueue {
            tasks: List::new(),
            processes: List::new(),
            wake: Box::new(wake),
        }))
    }

    /// Returns whether [`take`](Self::take) would return a task, or
    /// [`take_processes`](Self::take_processes) a process. Takes two atomic loads at most.
    #[inline]
    pub fn is_pending(&self) -> bool {
        self.0.tasks.is_pending() || self.0.processes.is_pending()
    }

    /// Takes at most `budget` of the tasks that changed, oldest change first. If others stay queued,
    /// the window is woken again.
    ///
    /// If nothing changed, this takes one atomic load and no allocation.
    ///
    /// ```
    /// use meanwhile_join::{Builder, Changes};
    ///
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let changes = Changes::new(move || drop(wake.try_send(())));
    /// for name in ["a", "b", "c"] {
    ///     Builder::new(name).report_to(&changes).spawn(|_| ())?;
    /// }
    /// let mut seen = Vec::new();
    /// while seen.len() < 3 {
    ///     woken.recv()?;
    ///     seen.extend(changes.take(2)); // as many as a frame has time for
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take(&self, budget: usize) -> Vec<TaskId> {
        let (taken, has_more) = self.0.tasks.take(budget);
        if has_more {
            self.wake();
        }
        taken
            .iter()
            .map(|task| {
                task.change_mark().mark_taken();
                task.id()
            })
            .collect()
    }

    /// Takes at most `budget` of the processes that changed. The caller lets them be queued again.
    #[cfg(all(unix, feature = "process", not(loom)))]
    pub(crate) fn take_queued_processes(&self, budget: usize) -> Vec<Arc<dyn Any + Send + Sync>> {
        let (taken, has_more) = self.0.processes.take(budget);
        if has_more {
            self.wake();
        }
        taken
    }

    /// Wakes the window.
    pub(crate) fn wake(&self) {
        contain(|| (self.0.wake)());
    }
}

/// A task that can be in the queue.
pub(crate) trait Observed: Send + Sync {
    fn id(&self) -> TaskId;

    fn change_mark(&self) -> &ChangeMark;
}

/// A task's link to the queue, if it has one. It does not keep the queue alive, which holds tasks.
pub(crate) struct Subscription(Option<Weak<ChangeQueue>>);

/// Whether a task is in the queue. Without a queue it stays set once it was, so that later progress
/// does no more than to read it.
///
/// Both swaps have release and acquire order. Of a swap that queues and one that takes, the later
/// sees the earlier: either the task is queued again, or who takes it sees its change.
#[derive(Default)]
pub(crate) struct ChangeMark(AtomicBool);

impl Subscription {
    /// A subscription to `changes`; `None` subscribes to nothing.
    pub(crate) fn new(changes: Option<&Changes>) -> Self {
        Self(changes.map(|changes| Arc::downgrade(&changes.0)))
    }

    /// Whether it subscribes to nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the queue, if there is one and it is still used.
    pub(crate) fn changes(&self) -> Option<Changes> {
        self.0.as_ref()?.upgrade().map(Changes)
    }

    /// Whether a change since then need not be queued. The caller must have stored the change.
    #[inline]
    pub(crate) fn is_queued(&self, mark: &ChangeMark) -> bool {
        if self.0.is_some() {
            // The change is stored before this load, and `mark_taken` stores before the change is
            // read. Of these two threads one sees the store of the other: either the task is queued
            // again, or the change is seen. Weaker orders allow that neither does.
            fence(Ordering::SeqCst);
        }
        mark.0.load(Ordering::Relaxed)
    }

    /// Queues `task`, whose subscription this is, unless it is in the queue already.
    pub(crate) fn notify<T: Observed + 'static>(&self, task: &Arc<T>) {
        if task.change_mark().0.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(queue) = self.0.as_ref().and_then(Weak::upgrade) else {
            return;
        };
        if queue.tasks.push(task.clone()) {
            contain(|| (queue.wake)());
        }
    }

    /// Queues `process`, which has this mark and whose subscription this is, unless it is in the queue
    /// already. Returns the queue if its window must be woken.
    #[cfg(all(unix, feature = "process", not(loom)))]
    pub(crate) fn queue_process<T: Any + Send + Sync>(
        &self,
        mark: &ChangeMark,
        process: &Arc<T>,
    ) -> Option<Changes> {
        if self.is_queued(mark) || mark.0.swap(true, Ordering::AcqRel) {
            return None;
        }
        let changes = self.changes()?;
        let was_empty = changes.0.processes.push(process.clone());
        was_empty.then_some(changes)
    }
}

impl ChangeMark {
    /// Lets later changes queue the task again. The fence belongs to that of
    /// [`is_queued`](Subscription::is_queued).
    pub(crate) fn mark_taken(&self) {
        self.0.swap(false, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes")
            .field("pending", &self.is_pending())
            .finish_non_exhaustive()
    }
}
