//! Waiting for all tasks at the end of the program.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::current::is_held_up;
use super::graph;
use super::header::Header;
use super::idle::wait_until_empty;
use super::info::TaskInfo;
#[cfg(all(unix, feature = "process", not(loom)))]
use super::process;
use super::{registry, wait};

/// The tasks and processes that still run after [`shutdown`].
#[derive(Clone, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct ShutdownReport {
    /// The non-daemon tasks that still live, oldest first; empty when all have ended.
    pub remaining: Vec<TaskInfo>,
    /// The child processes that still live, oldest first; empty when all have ended, and where the
    /// library has no processes.
    pub processes: Vec<RemainingProcess>,
}

/// A child process that still runs after [`shutdown`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemainingProcess {
    /// Its process id.
    pub pid: u32,
    /// Its name, by default that of its program.
    pub name: Arc<str>,
    /// The time at which it was started.
    pub spawned_at: Instant,
}

impl ShutdownReport {
    /// Returns whether all of them have ended.
    pub fn is_complete(&self) -> bool {
        self.remaining.is_empty() && self.processes.is_empty()
    }
}

/// Waits until every non-daemon task and child process has ended, including those that are started
/// during the wait. Then stops the daemon processes with their descendants, and waits until those are killed
/// whose handles were dropped with `kill_on_drop`.
///
/// Returns a report of the tasks and processes that still run. The daemon processes are stopped all at
/// the same time, which takes as long as it takes them to exit. They have a second until they are
/// killed. After that the call waits at most five seconds more for processes that the system has not
/// ended yet, such as one that reads from a disk that does not respond. It does not wait for daemon
/// tasks. A task that calls this does not wait for itself. If another task waits for the calling task,
/// so that waiting would never end, this returns early.
///
/// ```
/// use meanwhile_join::{self as join, Builder};
///
/// join::spawn("awaited", |_| ())?;
/// Builder::new("left alone").daemon(true).spawn(|_| std::thread::park())?;
/// let report = join::shutdown();
/// assert!(report.is_complete());
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn shutdown() -> ShutdownReport {
    shut_down_until(None)
}

/// Like [`shutdown`], but waits for non-daemon tasks and processes at most for `timeout`. The daemon
/// processes are stopped then too.
///
/// ```standalone_crate
/// use meanwhile_join as join;
/// use std::time::Duration;
///
/// let deaf = join::spawn("deaf", |_| std::thread::park())?;
/// let report = join::shutdown_timeout(Duration::from_millis(10));
/// assert_eq!(report.remaining[0].id, deaf.id());
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn shutdown_timeout(timeout: Duration) -> ShutdownReport {
    shut_down_until(wait::deadline(Some(timeout)))
}

fn shut_down_until(deadline: Option<Instant>) -> ShutdownReport {
    let registry = registry::global();
    let is_awaited = |task: &Header| !task.is_daemon() && !is_held_up(task.id());
    let wait_for_tasks =
        || wait_until_empty(registry, graph::global(), is_awaited, deadline).is_ok();
    let is_empty = wait_for_tasks();
    shut_processes_down(deadline);
    // The end of a process may start a task, and a task may start a process.
    let is_empty = is_empty && wait_for_tasks();
    let processes = live_processes();
    let remaining = if is_empty {
        Vec::new()
    } else {
        let mut live = registry.live();
        live.retain(|task| is_awaited(task));
        live.iter().map(|task| task.info()).collect()
    };
    ShutdownReport {
        remaining,
        processes,
    }
}

/// Waits for the non-daemon processes, then stops the daemons. Waits also for the end of trees that others
/// have stopped without waiting.
#[cfg(all(unix, feature = "process", not(loom)))]
fn shut_processes_down(deadline: Option<Instant>) {
    process::wait_for_non_daemons(deadline);
    process::stop_daemons();
    process::wait_until_idle(deadline);
}

#[cfg(not(all(unix, feature = "process", not(loom))))]
fn shut_processes_down(_deadline: Option<Instant>) {}

#[cfg(all(unix, feature = "process", not(loom)))]
fn live_processes() -> Vec<RemainingProcess> {
    let remaining = |info: process::ProcessInfo| RemainingProcess {
        pid: info.pid,
        name: info.name,
        spawned_at: info.spawned_at,
    };
    process::live_processes()
        .into_iter()
        .map(remaining)
        .collect()
}

#[cfg(not(all(unix, feature = "process", not(loom))))]
fn live_processes() -> Vec<RemainingProcess> {
    Vec::new()
}
