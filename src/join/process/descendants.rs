//! The processes that a process has started and that run.

use std::io;
use std::time::Duration;

use super::handle::Process;
use super::shared::ProcessShared;
use super::stop::TreeMember;
use super::tree::{self, Root, Snapshot};
use super::{mark, orphans, system};

/// A process that ran for longer may have been followed by so many others that their pids begin again.
const SHORT_RUN: Duration = Duration::from_secs(1);

// It is here because the module `handle` does not depend on the process table.
impl Process {
    /// Returns the running processes of the tree, without the process itself, sorted by pid. The tree is
    /// that of [`stop`](Self::stop): after the end of the process, it is what the process has left
    /// running.
    ///
    /// Reads the process table, which takes some milliseconds; after a run of less than a second, on Linux,
    /// only the few entries since its start.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let shell = Builder::new("sh").args(["-c", "(sleep 60; echo) >/dev/null 2>&1 &"]).spawn()?;
    /// shell.join()?;
    /// assert!(!shell.descendants()?.is_empty());
    /// drop(shell.stop(std::time::Duration::from_secs(1)));
    /// assert!(shell.descendants()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The process table can't be read, for example because no more files can be opened.
    pub fn descendants(&self) -> io::Result<Vec<TreeMember>> {
        let shared = &**self.shared();
        let strays = orphans::strays_of(shared)?;
        if has_left_none(shared)? {
            return Ok(strays);
        }
        let members = tree::find(&mut Snapshot::take()?, shared, std::iter::empty())?;
        let group = shared.home_group();
        let mut descendants: Vec<_> = members
            .into_iter()
            .filter(|member| member.identity.pid != Root::pid(shared) || shared.is_reaped())
            .map(|member| TreeMember {
                pid: member.identity.pid.unsigned_abs(),
                name: member.name,
                left_group: Some(member.group) != group,
            })
            .collect();
        let is_known = |stray: &TreeMember| descendants.iter().any(|it| it.pid == stray.pid);
        let strays: Vec<_> = strays.into_iter().filter(|it| !is_known(it)).collect();
        descendants.extend(strays);
        descendants.sort_by_key(|member| member.pid);
        Ok(descendants)
    }
}

/// Whether a process that has ended after a short time certainly has no descendant: each would have one
/// of the pids that were given away since its start.
///
/// The mark shows a descendant at any time; the tag is missing while it executes a program.
fn has_left_none(shared: &ProcessShared) -> io::Result<bool> {
    if !shared.is_launched() || mark::of_tag(shared.tag()).is_none() {
        return Ok(false);
    }
    if shared.run_time().is_none_or(|ran| ran > SHORT_RUN) {
        return Ok(false);
    }
    let Some(started) = system::pids_since(shared.newest_pid()) else {
        return Ok(false);
    };
    Ok(!Snapshot::of(system::processes_of(started)?).has_tagged(shared.tag()))
}
