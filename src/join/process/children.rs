//! The list of running processes, and their end at shutdown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::sync::lock;
use super::exit::{ProcessInfo, ProcessState};
use super::launcher_id::LauncherId;
use super::shared::ProcessShared;
use super::stop::StopReport;
use super::stop_all::{end_all, stop_all};
use super::tree::Root;
use super::tree_signal;

/// The time that [`stop_daemons`] gives a daemon to handle `SIGTERM`.
const DAEMON_GRACE: Duration = Duration::from_secs(1);

/// The processes whose end is not published yet, oldest first.
static CHILDREN: Mutex<BTreeMap<u64, Arc<ProcessShared>>> = Mutex::new(BTreeMap::new());

pub(super) fn add(child: &Arc<ProcessShared>) {
    lock(&CHILDREN).insert(child.key(), child.clone());
}

pub(super) fn remove(child: &ProcessShared) {
    // Dropped after the lock is released.
    let removed = lock(&CHILDREN).remove(&child.key());
    drop(removed);
}

/// Returns the pids of all.
pub(super) fn pids() -> BTreeSet<i32> {
    let children = lock(&CHILDREN);
    children.values().map(|child| Root::pid(&**child)).collect()
}

fn running(predicate: impl Fn(&ProcessShared) -> bool) -> Vec<Arc<ProcessShared>> {
    let children = lock(&CHILDREN);
    let children = children.values().filter(|child| predicate(child));
    children.cloned().collect()
}

/// Returns the processes that this program started and that have not ended, oldest first.
///
/// A process whose join has returned an exit is not listed. A detached process is listed until it
/// ends.
///
/// ```
/// use meanwhile_join::process::{self, Builder};
///
/// let sleeper = Builder::new("sleep").arg("60").spawn()?;
/// assert!(process::live_processes().iter().any(|child| child.pid == sleeper.pid()));
/// sleeper.kill()?;
/// sleeper.join()?;
/// assert!(process::live_processes().iter().all(|child| child.pid != sleeper.pid()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn live_processes() -> Vec<ProcessInfo> {
    live(None)
}

/// Returns the running processes of one launcher, or of the whole program.
pub(crate) fn live(launcher: Option<LauncherId>) -> Vec<ProcessInfo> {
    let live = running(|child| child.is_of(launcher));
    let infos = live.iter().map(|child| child.info());
    // One may have ended since.
    let is_live = |info: &ProcessInfo| !matches!(info.state, ProcessState::Ended(_));
    infos.filter(is_live).collect()
}

// It is here because the module `exit` does not depend on the list.
impl ProcessInfo {
    /// Ends the process and all its descendants; see [`Process::stop`](super::Process::stop). Returns
    /// `None` if the process itself has ended. It never stops another process that has the same pid
    /// now.
    ///
    /// ```
    /// use meanwhile_join::process::{self, Builder};
    /// use std::time::Duration;
    ///
    /// drop(Builder::new("sleep").name("detached").arg("60").spawn()?);
    /// let live = process::live_processes();
    /// let detached = live.iter().find(|child| &*child.name == "detached").ok_or("it has ended")?;
    /// assert!(detached.stop(Duration::from_secs(5)).is_some());
    /// assert!(detached.stop(Duration::from_secs(5)).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&self, grace: Duration) -> Option<StopReport> {
        let process = lock(&CHILDREN).get(&self.key).cloned()?;
        stop_all(&[process], grace).pop()
    }

    /// Pauses the process and all its descendants; see [`Process::pause`](super::Process::pause). Has no
    /// effect after the end.
    pub fn pause(&self) {
        let process = lock(&CHILDREN).get(&self.key).cloned();
        if let Some(process) = process {
            tree_signal::pause(&*process);
        }
    }

    /// Continues the process and all its descendants; see [`Process::resume`](super::Process::resume).
    /// Has no effect after the end.
    ///
    /// ```
    /// use meanwhile_join::process::{self, Builder, ProcessState};
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// let live = process::live_processes();
    /// let info = live.iter().find(|info| info.pid == sleeper.pid()).ok_or("it has ended")?;
    /// info.pause();
    /// while sleeper.state() != ProcessState::Stopped {} // the system takes a moment
    /// info.resume();
    /// while sleeper.state() == ProcessState::Stopped {}
    /// sleeper.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(&self) {
        let process = lock(&CHILDREN).get(&self.key).cloned();
        if let Some(process) = process {
            tree_signal::resume(&*process);
        }
    }
}

/// Blocks until every non-daemon process of one launcher, or of the whole program, has ended or the
/// deadline has passed.
pub(crate) fn wait_for_non_daemons(launcher: Option<LauncherId>, deadline: Option<Instant>) {
    let is_awaited = |child: &ProcessShared| child.is_of(launcher) && !child.is_daemon();
    while let Some(child) = running(is_awaited).first() {
        if child.wait(deadline).is_none() {
            return;
        }
    }
}

/// Stops all daemon processes of one launcher, or of the whole program, with their descendants, at the
/// same time. Takes as long as one [`Process::stop`](super::Process::stop) with a grace of a second.
pub(crate) fn stop_daemons(launcher: Option<LauncherId>) {
    let daemons = running(|child| child.is_of(launcher) && child.is_daemon());
    // The caller reports the processes that are left.
    drop(end_all(&daemons, DAEMON_GRACE));
}
