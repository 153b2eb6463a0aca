//! The orphans that this program adopts, and who of them nothing else shows to be of a tree.
//!
//! An orphan is a process whose parent has ended. The system gives it to the first process, or to an
//! ancestor that has asked for orphans ([`Launcher::adopt_orphans`](super::Launcher::adopt_orphans)).
//! A launched process is a child of one of the threads of [`spawner`](super::spawner), which never end, and
//! the system shows the children of each thread. So the children of the first thread are the orphans, in a
//! program that starts no other children.
//!
//! Nothing tells when an orphan comes, and an orphan that has ended stays in the process table until it is
//! reaped. So the reaper looks when a child has ended, and now and then while there are children or orphans.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::shared::ProcessShared;
use super::stop::TreeMember;
use super::tree::{Root as _, Snapshot};
use super::{reserve, system};

/// The time until the next look after orphans have ended. It doubles with each look at which none has.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
const MAX_INTERVAL: Duration = Duration::from_secs(4);

static ADOPTS: AtomicBool = AtomicBool::new(false);

/// Has this program adopt the orphans below it from now on.
pub(super) fn adopt() -> io::Result<()> {
    system::adopt_orphans()?;
    ADOPTS.store(true, Ordering::Relaxed);
    Ok(())
}

fn adopted() -> io::Result<Vec<i32>> {
    if !ADOPTS.load(Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    reserve::with_descriptors(system::adopted)
}

/// What the reaper knows of the orphans.
pub(super) struct Orphans {
    next_look: Instant,
    interval: Duration,
    /// Whether any ran at the last look.
    are_there: bool,
}

impl Orphans {
    pub(super) fn new() -> Self {
        Self {
            next_look: Instant::now(),
            interval: MIN_INTERVAL,
            are_there: false,
        }
    }

    /// A child has ended, and may have left orphans.
    pub(super) fn look_soon(&mut self) {
        self.next_look = Instant::now();
        self.interval = MIN_INTERVAL;
    }

    /// The time until the next look; `None` if no orphan can come or end.
    pub(super) fn time_to_next_look(&self, has_children: bool) -> Option<Duration> {
        let is_needed = ADOPTS.load(Ordering::Relaxed) && (has_children || self.are_there);
        is_needed.then(|| self.next_look.saturating_duration_since(Instant::now()))
    }

    /// Reaps those that have ended, if it is time to look. `known` returns the children that have another
    /// owner, which were started without a launcher.
    pub(super) fn reap_if_due(&mut self, known: impl FnOnce() -> BTreeSet<i32>) {
        let now = Instant::now();
        if now < self.next_look {
            return;
        }
        self.interval = (2 * self.interval).min(MAX_INTERVAL);
        self.next_look = now + self.interval;
        // At the limit of open files it looks again later.
        let Ok(mut adopted) = adopted() else {
            return;
        };
        if !adopted.is_empty() {
            // Asked after the list was read: who is in it was known before.
            let known = known();
            adopted.retain(|pid| !known.contains(pid));
        }
        let ended = adopted.iter().filter(|pid| reap(**pid)).count();
        self.are_there = ended < adopted.len();
        if ended > 0 {
            self.interval = MIN_INTERVAL;
            self.next_look = now + self.interval;
        }
    }
}

/// Reaps an orphan. Returns whether it had ended.
fn reap(pid: i32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let ended = Pid::from_raw(pid).map(|pid| waitid(WaitId::Pid(pid), options));
    matches!(ended, Some(Ok(Some(_))))
}

/// Returns the orphans that a process may have left, and what is below them, if nothing shows which tree
/// they are of: they have hidden their tag and their mark. Sorted by pid.
///
/// # Errors
/// The process table can't be read.
pub(super) fn strays_of(process: &ProcessShared) -> io::Result<Vec<TreeMember>> {
    let adopted = adopted()?;
    if adopted.is_empty() || !process.is_launched() {
        return Ok(Vec::new());
    }
    let table = Snapshot::take()?;
    let strays = table.unclaimed(&adopted, process.began()).into_iter();
    let group = process.home_group();
    let strays = strays.map(|stray| TreeMember {
        pid: stray.pid.unsigned_abs(),
        name: stray.name.clone(),
        left_group: Some(stray.group) != group,
    });
    Ok(strays.collect())
}
