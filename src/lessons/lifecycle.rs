//! The tasks and processes of a run: which are active, and how all of them are stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::{Mutex, MutexGuard};

use crate::join::process::Process;
use crate::join::{self, CancelToken, Select, TaskId};

/// The active tasks and processes that one process of a run has started.
pub(super) struct Lifecycle {
    /// The parent of `stop`.
    stop_by_user: CancelToken,
    /// Ends every sleep and kills every process.
    stop: CancelToken,
    state: Mutex<State>,
    /// Has a message when something active has ended.
    ended: (Sender<()>, Receiver<()>),
}

#[derive(Default)]
struct State {
    /// The number of [`ActiveGuard`]s.
    active: usize,
    /// The tasks that have begun.
    tasks: Vec<TaskId>,
    processes: Vec<Process>,
}

/// The payload with which a thread unwinds when its run is stopped.
struct StopUnwind;

/// Counts a task or process as active until its lane is closed, or until it is dropped without
/// having run.
pub(super) struct ActiveGuard(Arc<Lifecycle>);

impl ActiveGuard {
    pub(super) fn new(lifecycle: &Arc<Lifecycle>) -> Self {
        lifecycle.state().active += 1;
        Self(lifecycle.clone())
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.0.state().active -= 1;
        // If it is full, the one that waits is being woken already.
        self.0.ended.0.try_send(()).ok();
    }
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        let stop_by_user = CancelToken::new();
        Self {
            stop: stop_by_user.child(),
            stop_by_user,
            state: Mutex::default(),
            ended: crossbeam_channel::bounded(1),
        }
    }

    pub(super) fn add_task(&self, task: TaskId) {
        self.state().tasks.push(task);
    }

    pub(super) fn add_process(&self, process: &Process) {
        self.state().processes.push(process.clone());
        let process = process.clone();
        // A process that may not be killed ends with the run.
        self.on_stop(move || process.kill().unwrap_or_default());
    }

    /// Calls `stop` when the run is stopped; at once if it already is.
    pub(super) fn on_stop(&self, stop: impl FnOnce() + Send + 'static) {
        self.stop.on_cancel(stop).keep();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(super) fn is_stopped_by_user(&self) -> bool {
        self.stop_by_user.is_cancelled()
    }

    /// Unwinds if the run is stopped, but not while the thread unwinds already.
    pub(super) fn check(&self) {
        if self.is_stopped() && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new(StopUnwind));
        }
    }

    /// Sleeps; unwinds as soon as the run is stopped.
    pub(super) fn sleep(&self, time: Duration) {
        // A stop shows below.
        Select::new().token(&self.stop).timeout(time).wait().ok();
        self.check();
    }

    /// Stops the run because the user asked for it.
    pub(super) fn stop(&self) {
        self.stop_by_user.cancel();
    }

    /// Ends every sleep and kills every process, so that all threads finish.
    pub(super) fn abort(&self) {
        self.stop.cancel();
    }

    /// Waits until all tasks and processes have ended. After the timeout, or when the run is stopped,
    /// ends the processes.
    pub(super) fn finish(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        self.wait_while_active(deadline, &self.stop);
        if self.is_stopped() {
            // A task may wait for a descendant of a process that was killed.
            self.stop_processes();
        }
        self.wait_while_active(deadline, &CancelToken::new());
        // A task closes its lane shortly before its outcome is published.
        let tasks = std::mem::take(&mut self.state().tasks);
        for task in tasks.into_iter().filter_map(join::find) {
            // One that has not ended in time is left alone.
            Select::new().task(&task).deadline(deadline).wait().ok();
        }
        let processes = self.state().processes.clone();
        let is_running = |process: &Process| process.join_timeout(left()).is_err();
        if self.is_stopped() || processes.iter().any(is_running) {
            self.stop_processes();
        }
    }

    /// Waits until nothing is active, at most until the deadline or a cancel of the token.
    fn wait_while_active(&self, deadline: Instant, token: &CancelToken) {
        let ended = &self.ended.1;
        while self.state().active > 0 {
            let mut select = Select::new()
                .receiver(ended)
                .token(token)
                .deadline(deadline);
            if select.wait().is_err() {
                return;
            }
            ended.try_recv().ok();
        }
    }

    /// Kills every process with all its descendants.
    fn stop_processes(&self) {
        let processes = std::mem::take(&mut self.state().processes);
        for process in processes {
            // A descendant that can't be killed now is killed when this program exits.
            drop(process.stop(Duration::ZERO));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}
