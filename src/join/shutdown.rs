//! Waiting for all tasks and processes at the end: of the program, of a group, of a launcher.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::current::is_held_up;
use super::graph;
use super::group::Group;
use super::header::Header;
use super::idle::wait_until_empty;
use super::info::TaskInfo;
#[cfg(all(unix, feature = "process", not(loom)))]
use super::process;
use super::{registry, wait};

/// The tasks and processes that still run after [`shutdown`], [`Group::shutdown`] or
/// [`Launcher::shutdown`](super::process::Launcher::shutdown).
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

/// A child process that still runs after a shutdown.
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
/// This is for the end of `main`. A library or a test inside of a larger program shuts down only what it
/// has started: a [`Group`] of tasks, the processes of a
/// [`Launcher`](super::process::Launcher::shutdown). A [`Pool`](super::Pool) has
/// [`wait_until_idle`](super::Pool::wait_until_idle) and [`live_tasks`](super::Pool::live_tasks).
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

/// Like [`shutdown_timeout`], but waits at most until this time. `None` is no deadline.
pub fn shutdown_deadline(deadline: impl Into<Option<Instant>>) -> ShutdownReport {
    shut_down_until(deadline.into())
}

fn shut_down_until(deadline: Option<Instant>) -> ShutdownReport {
    let registry = registry::global();
    let is_awaited = |task: &Header| !task.is_daemon() && !is_held_up(task.id());
    let wait_for_tasks =
        || wait_until_empty(registry, graph::global(), is_awaited, deadline).is_ok();
    let is_empty = wait_for_tasks();
    shut_processes_down(None, deadline);
    // The end of a process may start a task, and a task may start a process.
    let is_empty = is_empty && wait_for_tasks();
    let processes = live_processes(None);
    let remaining = if is_empty {
        Vec::new()
    } else {
        let mut live = registry.live();
        live.retain(|task| is_awaited(task));
        live.iter().filter_map(|task| task.live_info()).collect()
    };
    ShutdownReport {
        remaining,
        processes,
    }
}

impl<T> Group<T> {
    /// Waits until every non-daemon task of the group has ended. Cancels none: for that, call
    /// [`cancel_all`](Self::cancel_all) before. The tasks stay in the group, so their values still come
    /// out.
    ///
    /// Returns a report of the tasks that still run. A task of the group that calls this does not wait for
    /// itself. If another task of it waits for the calling task, so that waiting would never end, this
    /// returns early.
    ///
    /// ```
    /// use meanwhile_join::Group;
    /// use std::time::Duration;
    ///
    /// let mut uploads = Group::new();
    /// uploads.spawn("photo", |context| context.sleep(Duration::from_secs(60)))?;
    /// uploads.cancel_all();
    /// assert!(uploads.shutdown().is_complete());
    /// assert!(uploads.live_tasks().is_empty());
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn shutdown(&self) -> ShutdownReport {
        self.shut_down_until(None)
    }

    /// Like [`shutdown`](Self::shutdown), but waits at most for `timeout`.
    pub fn shutdown_timeout(&self, timeout: Duration) -> ShutdownReport {
        self.shut_down_until(wait::deadline(Some(timeout)))
    }

    /// Like [`shutdown`](Self::shutdown), but waits at most until this time. `None` is no deadline.
    pub fn shutdown_deadline(&self, deadline: impl Into<Option<Instant>>) -> ShutdownReport {
        self.shut_down_until(deadline.into())
    }

    fn shut_down_until(&self, deadline: Option<Instant>) -> ShutdownReport {
        let mut tasks = self.members().all();
        tasks.retain(|task| !task.is_daemon() && !is_held_up(task.id()));
        // The report has what is left.
        wait::for_all(graph::global(), tasks.clone(), deadline).ok();
        ShutdownReport {
            remaining: tasks.iter().filter_map(|task| task.live_info()).collect(),
            processes: Vec::new(),
        }
    }
}

// It is here because the module `process` does not depend on tasks.
#[cfg(all(unix, feature = "process", not(loom)))]
impl process::Launcher {
    /// Does for the processes of this launcher what [`shutdown`](crate::shutdown) does for all. Waits
    /// until every non-daemon process has ended that it or a clone of it has started. Then stops its daemon
    /// processes with their descendants, and waits for those that are killed because their handles were
    /// dropped.
    ///
    /// Returns a report of the processes that still run. The launcher can be used after it. All clones of
    /// the installed launcher are one; for processes apart from those of the rest of the program, make
    /// another one with [`of_program`](Self::of_program).
    ///
    /// ```no_run
    /// use meanwhile_join::process::{Builder, LaunchOptions, Launcher};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let launcher = Launcher::of_program(std::env::current_exe()?);
    /// let server = Builder::new("sleep").arg("60").daemon(true);
    /// let server = server.launched_by(&launcher, LaunchOptions::default()).spawn()?;
    /// assert_eq!(launcher.live_processes()[0].pid, server.pid());
    /// assert!(launcher.shutdown().is_complete());
    /// assert!(server.is_finished());
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&self) -> ShutdownReport {
        shut_launcher_down(self, None)
    }

    /// Like [`shutdown`](Self::shutdown), but waits for non-daemon processes at most for `timeout`. The
    /// daemon processes are stopped then too.
    pub fn shutdown_timeout(&self, timeout: Duration) -> ShutdownReport {
        shut_launcher_down(self, wait::deadline(Some(timeout)))
    }

    /// Like [`shutdown_timeout`](Self::shutdown_timeout), but waits at most until this time. `None` is no
    /// deadline.
    pub fn shutdown_deadline(&self, deadline: impl Into<Option<Instant>>) -> ShutdownReport {
        shut_launcher_down(self, deadline.into())
    }
}

#[cfg(all(unix, feature = "process", not(loom)))]
fn shut_launcher_down(launcher: &process::Launcher, deadline: Option<Instant>) -> ShutdownReport {
    let id = Some(launcher.id());
    shut_processes_down(id, deadline);
    launcher.end_waiting_shims();
    ShutdownReport {
        remaining: Vec::new(),
        processes: live_processes(id),
    }
}

/// Waits for the non-daemon processes of one launcher, or of the whole program, then stops the daemons. Waits also for the end of trees that others
/// have stopped without waiting.
#[cfg(all(unix, feature = "process", not(loom)))]
fn shut_processes_down(launcher: Option<process::LauncherId>, deadline: Option<Instant>) {
    process::wait_for_non_daemons(launcher, deadline);
    process::stop_daemons(launcher);
    process::wait_until_idle(launcher, deadline);
}

#[cfg(not(all(unix, feature = "process", not(loom))))]
fn shut_processes_down(_launcher: Option<()>, _deadline: Option<Instant>) {}

#[cfg(all(unix, feature = "process", not(loom)))]
fn live_processes(launcher: Option<process::LauncherId>) -> Vec<RemainingProcess> {
    let remaining = |info: process::ProcessInfo| RemainingProcess {
        pid: info.pid,
        name: info.name,
        spawned_at: info.spawned_at,
    };
    process::live(launcher).into_iter().map(remaining).collect()
}

#[cfg(not(all(unix, feature = "process", not(loom))))]
fn live_processes(_launcher: Option<()>) -> Vec<RemainingProcess> {
    Vec::new()
}
