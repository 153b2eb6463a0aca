//! The processes that live: listing them, and what becomes of them at the end of the program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::exit::ProcessInfo;
use super::handle::Shared;
use crate::join::sync::lock;

/// How long a daemon has to end by itself once it is asked to.
const DAEMON_GRACE: Duration = Duration::from_secs(1);

/// The children whose end is not published, by the order in which they were started.
static CHILDREN: Mutex<BTreeMap<u64, Arc<Shared>>> = Mutex::new(BTreeMap::new());

pub(super) fn add(child: &Arc<Shared>) {
    lock(&CHILDREN).insert(child.key(), child.clone());
}

pub(super) fn remove(child: &Shared) {
    let removed = lock(&CHILDREN).remove(&child.key());
    drop(removed);
}

fn live(which: impl Fn(&Shared) -> bool) -> Vec<Arc<Shared>> {
    let children = lock(&CHILDREN);
    children
        .values()
        .filter(|child| which(child))
        .cloned()
        .collect()
}

/// The processes that were started here and have not ended, oldest first; never one whose join has
/// returned. A detached process stays listed until it ends.
///
/// ```
/// use meanwhile::join::process::{self, Builder};
///
/// let sleeper = Builder::new("sleep").arg("60").spawn()?;
/// assert!(process::active_children().iter().any(|child| child.pid == sleeper.pid()));
/// sleeper.kill()?;
/// sleeper.join()?;
/// assert!(process::active_children().iter().all(|child| child.pid != sleeper.pid()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn active_children() -> Vec<ProcessInfo> {
    live(|_| true).iter().map(|child| child.info()).collect()
}

/// Blocks until every non-daemon process has ended or the deadline has passed.
pub(crate) fn wait_for_non_daemons(deadline: Option<Instant>) {
    while let Some(child) = live(|child| !child.is_daemon()).first() {
        if child.wait(deadline).is_none() {
            return;
        }
    }
}

/// Stops every daemon process with all it has started.
pub(crate) fn stop_daemons() {
    for daemon in live(Shared::is_daemon) {
        let _whoever_is_left_is_reported = super::stop::stop(&daemon, DAEMON_GRACE);
    }
}
