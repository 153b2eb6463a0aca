//! The tasks that run on a thread, and what the panic hook has recorded of them.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::id::TaskIdentity;
use super::report::PanicCapture;

/// The most captures that a task keeps of panics that it catches itself. The hook reports further
/// ones at once.
const MAX_CAPTURES: usize = 16;

#[cfg(not(loom))]
thread_local! {
    /// Innermost last: a task runs inside another one that joins it.
    static RUNNING: RefCell<Vec<Run>> = const { RefCell::new(Vec::new()) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static RUNNING: RefCell<Vec<Run>> = RefCell::new(Vec::new());
}

/// The number of panics on threads that ran no task. Such a thread counts its panic before it hands it
/// to the thread of a task, which orders the accesses.
static FOREIGN_PANICS: AtomicUsize = AtomicUsize::new(0);

/// A task whose code runs.
pub(crate) trait RunningTask: Send + Sync {
    fn identity(&self) -> TaskIdentity;

    /// Whether no handle is left that could return its outcome.
    fn is_detached(&self) -> bool;

    /// Whether its cancel has unwound a thread that runs no task.
    fn has_unwound_helper(&self) -> bool;
}

/// A task on this thread's stack.
pub(super) struct Run {
    pub(super) task: Arc<dyn RunningTask>,
    pub(super) captures: Vec<PanicCapture>,
    foreign_panics: usize,
}

impl Run {
    fn new(task: Arc<dyn RunningTask>) -> Self {
        Self {
            task,
            captures: Vec::new(),
            foreign_panics: FOREIGN_PANICS.load(Ordering::Relaxed),
        }
    }

    /// Takes the latest capture with this message.
    pub(super) fn take_capture(&mut self, message: &str) -> Option<PanicCapture> {
        let at = self
            .captures
            .iter()
            .rposition(|capture| capture.message == message)?;
        Some(self.captures.remove(at))
    }

    /// Whether a thread that runs no task has panicked since this task began.
    pub(super) fn has_foreign_panic(&self) -> bool {
        self.foreign_panics != FOREIGN_PANICS.load(Ordering::Relaxed)
    }

    /// Whether the library's hook, or `record_panic`, is known to have been called since this task began:
    /// on its own thread, or on one without a task, whose panic it may pass on.
    pub(super) fn has_called_hook(&self) -> bool {
        !self.captures.is_empty() || self.has_foreign_panic()
    }

    /// Keeps a capture. Returns whether the library reports the panic, so that the hook need not.
    fn keep(&mut self, mut capture: PanicCapture, has_listener: bool) -> bool {
        let is_full = self.captures.len() >= MAX_CAPTURES;
        let is_ours = !is_full && (has_listener || !self.task.is_detached());
        capture.is_reported = !is_ours;
        self.captures.truncate(MAX_CAPTURES);
        self.captures.push(capture);
        is_ours
    }
}

/// Runs code as the innermost task of this thread. Returns its result and the captures of its
/// panics. The code must not unwind.
pub(super) fn enter<R>(
    task: &Arc<impl RunningTask + 'static>,
    code: impl FnOnce() -> R,
) -> (R, Run) {
    // A thread whose thread-locals are gone has no stack of tasks, so nothing is captured.
    let pushed = RUNNING.try_with(|running| running.borrow_mut().push(Run::new(task.clone())));
    let result = code();
    let popped = pushed.and_then(|()| RUNNING.try_with(|running| running.borrow_mut().pop()));
    let run = popped
        .ok()
        .flatten()
        .unwrap_or_else(|| Run::new(task.clone()));
    (result, run)
}

/// Records a panic of this thread. Returns whether the library reports it, so that the hook need
/// not.
pub(super) fn record(capture: impl FnOnce() -> PanicCapture, has_listener: bool) -> bool {
    if !is_running() {
        FOREIGN_PANICS.fetch_add(1, Ordering::Relaxed);
        return false;
    }
    let capture = capture();
    let kept = RUNNING.try_with(|running| {
        let mut running = running.borrow_mut();
        running
            .last_mut()
            .is_some_and(|run| run.keep(capture, has_listener))
    });
    kept.unwrap_or(false)
}

/// Whether this thread runs a task.
fn is_running() -> bool {
    RUNNING
        .try_with(|running| !running.borrow().is_empty())
        .unwrap_or(false)
}
