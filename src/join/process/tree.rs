//! Finds the processes of a tree in the process table.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::exit::Exit;
use super::system::{self, Pidfd, ProcessEntry};
use super::tag;

/// The number of scans in which the supervisor finds processes that were started while it killed
/// others.
const MAX_KILL_SCANS: usize = 100;

/// The process that a tree begins with: a child of this program.
pub(super) trait Root {
    fn pid(&self) -> i32;

    /// Its process group; `None` if that is the group of this program.
    fn group(&self) -> Option<i32>;

    fn tag(&self) -> &str;
    fn is_reaped(&self) -> bool;

    /// Sends a signal, unless the process was reaped.
    fn signal(&self, signal: Signal) -> io::Result<()>;

    /// Kills the process's own group, unless the process was reaped. Kills the process alone if it
    /// has no group of its own.
    fn kill_group(&self);

    /// Blocks until the process has ended or the deadline has passed.
    fn wait(&self, deadline: Option<Instant>) -> Option<Exit>;
}

/// The pid and the start of a process. The system may reuse a pid, but not with the same start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessIdentity {
    pub(super) pid: i32,
    started: u64,
}

impl ProcessIdentity {
    fn of(entry: &ProcessEntry) -> Self {
        Self {
            pid: entry.pid,
            started: entry.started,
        }
    }

    /// Whether the pid still belongs to this process.
    fn is_current(self) -> bool {
        system::start_of(self.pid) == Some(self.started)
    }
}

/// A running process of a tree.
pub(super) struct Member {
    pub(super) identity: ProcessIdentity,
    pub(super) name: String,
    pub(super) group: i32,
    /// `None` where the system has no pidfds.
    pub(super) pidfd: Option<Pidfd>,
}

impl Member {
    /// Opens the pidfd. Returns `None` if the process has exited.
    fn open(entry: &ProcessEntry) -> Option<Self> {
        let identity = ProcessIdentity::of(entry);
        let pidfd = Pidfd::open(entry.pid).ok()?;
        // Compared once more with the pidfd open, which from then on can't mean another process.
        let is_same = pidfd.is_none() || identity.is_current();
        is_same.then_some(Self {
            identity,
            name: entry.name.clone(),
            group: entry.group,
            pidfd,
        })
    }

    /// Sends a signal. A process that can't be signalled stays in the table, where the next scan
    /// finds it.
    pub(super) fn signal(&self, signal: Signal) {
        match (&self.pidfd, Pid::from_raw(self.identity.pid)) {
            (Some(pidfd), _) => pidfd.signal(signal),
            // Compared as late as possible.
            (None, Some(pid)) if self.identity.is_current() => kill_process(pid, signal),
            (None, _) => Ok(()),
        }
        .ok();
    }
}

/// Finds the running processes of a tree. These are the root unless it was reaped, its descendants,
/// its own group, the processes that carry its tag, and the members found before (`known`) that
/// still run. Takes a newer snapshot if the root was reaped since the given one.
///
/// The pid of a reaped root may belong to another process. Then its group counts only if a member
/// of the tree is in it, because the system does not reuse the number of a group that has members.
/// A process that is exiting has lost its environment, and with it the tag, but it is in `known`.
pub(super) fn find<'a>(
    table: &mut Snapshot,
    root: &dyn Root,
    known: impl Iterator<Item = &'a ProcessIdentity> + Clone,
) -> Vec<Member> {
    let is_ours = !root.is_reaped();
    let tags = BTreeSet::from([root.tag().to_owned()]);
    let mut members = table.tagged(&tags);
    members.extend(table.still_running(known.clone()));
    if is_ours {
        members.insert(root.pid());
        members.extend(table.descendants_of(root.pid()));
    }
    if let Some(group) = root.group() {
        let has_members = members
            .iter()
            .any(|pid| table.group_of(*pid) == Some(group));
        if is_ours || has_members {
            members.extend(table.members_of_group(group));
        }
    }
    // If the root was reaped meanwhile, its pid may belong to another process in the snapshot.
    if is_ours && root.is_reaped() {
        *table = Snapshot::take();
        return find(table, root, known);
    }
    table.open(&members)
}

/// Signals a member of the tree. The root is signalled under the lock under which it is reaped. On
/// a system without pidfds nothing else keeps its pid from becoming another process's.
pub(super) fn signal(root: &dyn Root, member: &Member, signal: Signal) {
    if member.identity.pid == root.pid() && !root.is_reaped() {
        // A refused signal shows in the list of processes that escaped.
        root.signal(signal).ok();
    } else {
        member.signal(signal);
    }
}

/// Kills every process that carries one of the tags, until none is left.
pub(super) fn kill_tagged(tags: &BTreeSet<String>) {
    for _ in 0..MAX_KILL_SCANS {
        let table = Snapshot::take();
        let pids = table.tagged(tags);
        let members = table.open(&pids);
        if members.is_empty() {
            return;
        }
        for member in &members {
            member.signal(Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// A snapshot of the process table, by pid, without zombies and without this process.
pub(super) struct Snapshot(BTreeMap<i32, ProcessEntry>);

impl Snapshot {
    pub(super) fn take() -> Self {
        let own = std::process::id().cast_signed();
        let others = system::running_processes().into_iter();
        let others = others.filter(|entry| entry.pid != own);
        Self(others.map(|entry| (entry.pid, entry)).collect())
    }

    fn group_of(&self, pid: i32) -> Option<i32> {
        self.0.get(&pid).map(|entry| entry.group)
    }

    fn members_of_group(&self, group: i32) -> impl Iterator<Item = i32> {
        let members = self.0.values().filter(move |entry| entry.group == group);
        members.map(|entry| entry.pid)
    }

    fn descendants_of(&self, root: i32) -> BTreeSet<i32> {
        let mut found = BTreeSet::new();
        let mut open = vec![root];
        while let Some(parent) = open.pop() {
            let children = self.0.values().filter(|entry| entry.parent == parent);
            open.extend(
                children
                    .map(|entry| entry.pid)
                    .filter(|pid| found.insert(*pid)),
            );
        }
        found
    }

    fn tagged(&self, tags: &BTreeSet<String>) -> BTreeSet<i32> {
        let tagged = self.0.values().filter(|entry| has_tag(entry, tags));
        tagged.map(|entry| entry.pid).collect()
    }

    fn still_running<'a>(
        &self,
        known: impl Iterator<Item = &'a ProcessIdentity>,
    ) -> impl Iterator<Item = i32> {
        let same = known.filter(|identity| {
            let now = self.0.get(&identity.pid).map(ProcessIdentity::of);
            now.as_ref() == Some(*identity)
        });
        same.map(|identity| identity.pid)
    }

    fn open(&self, pids: &BTreeSet<i32>) -> Vec<Member> {
        let entries = pids.iter().filter_map(|pid| self.0.get(pid));
        entries.filter_map(Member::open).collect()
    }
}

/// Whether the environment of a process, as it was at its start, has one of the tags.
fn has_tag(entry: &ProcessEntry, tags: &BTreeSet<String>) -> bool {
    entry.tags.as_ref().is_some_and(|carried| {
        tag::split(carried).any(|carried| tags.iter().any(|tag| tag.as_bytes() == carried))
    })
}
