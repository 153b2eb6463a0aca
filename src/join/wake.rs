//! What changed since one last looked: how a window follows any number of tasks.
//!
//! A window that polls every task each frame pays for all of them. Here the tasks that changed
//! queue up, each once, however often it changed; a frame in which nothing changed costs one
//! atomic load. The wake function is called when the queue stops being empty, and not again
//! before it was taken: a task that reports a million times wakes the window once a frame.
//! The change is published before the wake, so that the frame it causes sees it.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::cell::Header;
use super::outcome::TaskId;
use super::sync::{AtomicBool, Mutex, Ordering, lock};

/// A queue of the tasks that began to report progress, went on or ended since it was last taken.
///
/// Tasks report to it when they are spawned with [`Builder::report_to`](super::Builder::report_to).
/// Clones share one queue.
///
/// ```
/// use meanwhile::join::{Builder, Changes};
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
///     may_begin.recv().expect("this thread says when");
///     for done in 0..1_000 {
///         context.set_progress(done, 1_000);
///     }
/// })?;
/// let (finished, is_finished) = std::sync::mpsc::channel();
/// task.on_finish(move || finished.send(()).expect("this thread waits"));
/// begin.send(()).expect("the task waits");
/// is_finished.recv().expect("callbacks run");
/// assert_eq!(changes.take(usize::MAX), [task.id()]);
/// assert_eq!(changes.take(usize::MAX), []);
/// assert_eq!(wakes.load(Ordering::SeqCst), 1);
/// # Ok::<(), meanwhile::join::SpawnError>(())
/// ```
#[derive(Clone)]
pub struct Changes(Arc<Inner>);

pub(crate) struct Inner {
    pending: AtomicBool,
    queue: Mutex<VecDeque<Arc<Header>>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Changes {
    /// An empty queue. `wake` is called on the thread of the task that changed, so it must not
    /// block; for a window it asks for a repaint.
    ///
    /// ```
    /// use meanwhile::join::{Builder, Changes};
    ///
    /// // A program without a window sleeps until there is something to see.
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let changes = Changes::new(move || drop(wake.try_send(())));
    /// let task = Builder::new("index").report_to(&changes).spawn(|_| ())?;
    /// woken.recv()?;
    /// assert!(changes.is_pending());
    /// assert_eq!(changes.take(100), [task.id()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            pending: AtomicBool::new(false),
            queue: Mutex::new(VecDeque::new()),
            wake: Box::new(wake),
        }))
    }

    /// Whether [`take`](Self::take) has something to give: one atomic load.
    ///
    /// ```
    /// use meanwhile::join::Changes;
    ///
    /// let changes = Changes::new(|| ());
    /// assert!(!changes.is_pending()); // so this frame need not look at any task
    /// ```
    #[inline]
    pub fn is_pending(&self) -> bool {
        self.0.pending.load(Ordering::Acquire)
    }

    /// The tasks that changed, oldest change first, at most `budget` of them; the others stay.
    ///
    /// When nothing changed this is one atomic load and no allocation.
    ///
    /// ```
    /// use meanwhile::join::{Builder, Changes};
    ///
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let changes = Changes::new(move || drop(wake.try_send(())));
    /// for name in ["a", "b", "c"] {
    ///     Builder::new(name).report_to(&changes).spawn(|_| ())?;
    /// }
    /// let mut seen = Vec::new();
    /// while seen.len() < 3 {
    ///     woken.recv()?;
    ///     while changes.is_pending() {
    ///         seen.extend(changes.take(2)); // as many as a frame has time for
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take(&self, budget: usize) -> Vec<TaskId> {
        if !self.is_pending() {
            return Vec::new();
        }
        let taken: Vec<Arc<Header>> = {
            let mut queue = lock(&self.0.queue);
            let count = queue.len().min(budget);
            let taken = queue.drain(..count).collect();
            if queue.is_empty() {
                self.0.pending.store(false, Ordering::Release);
            }
            taken
        };
        taken
            .iter()
            .map(|task| {
                task.clear_change();
                task.id()
            })
            .collect()
    }

    pub(crate) fn observer(&self) -> Observer {
        Observer(Some(Arc::downgrade(&self.0)))
    }
}

/// A task's way to the queue, if there is one. It does not keep the queue, which holds tasks.
#[derive(Default)]
pub(crate) struct Observer(Option<Weak<Inner>>);

impl Observer {
    /// Queues a task that is not queued, unless nobody can look any more.
    pub(crate) fn tell(&self, task: &Arc<Header>) {
        let Some(inner) = self.0.as_ref().and_then(Weak::upgrade) else {
            return;
        };
        let was_pending = {
            let mut queue = lock(&inner.queue);
            queue.push_back(task.clone());
            inner.pending.swap(true, Ordering::AcqRel)
        };
        if !was_pending {
            super::panic::contain(|| (inner.wake)());
        }
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes")
            .field("pending", &self.is_pending())
            .finish_non_exhaustive()
    }
}
