//! The tasks and processes of a run: which are active, and how all of them are stopped.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::join::process::Process;
use crate::join::{self, Select, TaskId};

/// The active tasks and processes that one process of a run has started.
#[derive(Default)]
pub(super) struct Lifecycle {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_stopped: bool,
    is_stopped_by_user: bool,
    /// The number of [`ActiveGuard`]s.
    active: usize,
    /// The tasks that have begun.
    tasks: Vec<TaskId>,
    processes: Vec<Process>,
    on_stop: Vec<Box<dyn FnOnce() + Send>>,
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
        self.0.changed.notify_all();
    }
}

impl Lifecycle {
    pub(super) fn add_task(&self, task: TaskId) {
        self.state().tasks.push(task);
    }

    pub(super) fn add_process(&self, process: &Process) {
        let mut state = self.state();
        state.processes.push(process.clone());
        if state.is_stopped {
            // A process that may not be killed ends with the run.
            process.kill().ok();
        }
    }

    /// Calls `stop` when the run is stopped; at once if it already is.
    pub(super) fn on_stop(&self, stop: Box<dyn FnOnce() + Send>) {
        let mut state = self.state();
        if state.is_stopped {
            drop(state);
            stop();
        } else {
            state.on_stop.push(stop);
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    pub(super) fn is_stopped_by_user(&self) -> bool {
        self.state().is_stopped_by_user
    }

    /// Unwinds if the run is stopped, but not while the thread unwinds already.
    pub(super) fn check(&self) {
        if self.is_stopped() && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new(StopUnwind));
        }
    }

    /// Sleeps; unwinds as soon as the run is stopped.
    pub(super) fn sleep(&self, time: Duration) {
        let deadline = Instant::now().checked_add(time);
        let mut state = self.state();
        while !state.is_stopped {
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return;
            }
            self.changed.wait_for(&mut state, left);
        }
        drop(state);
        self.check();
    }

    /// Stops the run because the user asked for it.
    pub(super) fn stop(&self) {
        self.state().is_stopped_by_user = true;
        self.abort();
    }

    /// Ends every sleep and kills every process, so that all threads finish.
    pub(super) fn abort(&self) {
        let mut state = self.state();
        state.is_stopped = true;
        let on_stop = std::mem::take(&mut state.on_stop);
        for process in &state.processes {
            process.kill().ok();
        }
        drop(state);
        self.changed.notify_all();
        for stop in on_stop {
            stop();
        }
    }

    /// Waits until all tasks and processes have ended. After the timeout, or when the run is stopped,
    /// ends the processes.
    pub(super) fn finish(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        self.wait_while(deadline, |state| state.active > 0 && !state.is_stopped);
        if self.is_stopped() {
            // A task may wait for a descendant of a process that was killed.
            self.stop_processes();
        }
        self.wait_while(deadline, |state| state.active > 0);
        // A task closes its lane shortly before its outcome is published.
        let tasks = std::mem::take(&mut self.state().tasks);
        for task in tasks.into_iter().filter_map(join::find) {
            // One that has not ended in time is left alone.
            Select::new().task(&task).deadline(deadline).wait().ok();
        }
        let (is_stopped, processes) = {
            let state = self.state();
            (state.is_stopped, state.processes.clone())
        };
        let is_running = |process: &Process| process.join_timeout(left()).is_err();
        if is_stopped || processes.iter().any(is_running) {
            self.stop_processes();
        }
    }

    /// Waits until the condition is false, at most until the deadline.
    fn wait_while(&self, deadline: Instant, condition: impl Fn(&State) -> bool) {
        let mut state = self.state();
        while condition(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.changed.wait_for(&mut state, left);
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
