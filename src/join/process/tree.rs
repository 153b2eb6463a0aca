//! Finds the processes of a tree in the process table.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Instant;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::exit::Exit;
use super::system::{self, Pidfd, ProcessEntry};
use super::{mark, reserve, tag};

/// The number of scans in which the supervisor finds processes that were started while it killed
/// others.
const MAX_KILL_SCANS: usize = 100;

/// The process that a tree begins with: a child of this program, or one that was adopted.
pub(super) trait Root: Send + Sync {
    fn pid(&self) -> i32;

    /// Its process group; `None` if that is the group of this program.
    fn group(&self) -> Option<i32>;

    /// The group in which its members are unless they have left it.
    fn home_group(&self) -> Option<i32>;

    fn tag(&self) -> &str;

    /// Whether its pid may belong to another process.
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

/// A moment, in the unit and as coarse as the system shows the starts of processes.
#[derive(Clone, Copy)]
pub(super) struct StartTime(u64);

impl StartTime {
    pub(super) fn now() -> Self {
        Self(system::start_of_now())
    }
}

/// A moment, and the pid that was given last before it: it tells starts at the same time apart.
#[derive(Clone, Copy)]
pub(super) struct LastStart {
    time: StartTime,
    newest_pid: Option<i32>,
}

impl LastStart {
    pub(super) fn now() -> Self {
        Self {
            time: StartTime::now(),
            newest_pid: system::newest_pid(),
        }
    }
}

/// Fewer processes than these start at the same time, as coarse as that is. A pid that differs by more is from
/// before the pids began again with small numbers.
const MAX_STARTS: i32 = 1_000;

impl ProcessIdentity {
    /// Whether it was started before that moment. False if the system does not show it.
    pub(super) fn started_before(self, moment: StartTime) -> bool {
        self.started < moment.0
    }

    /// Whether it was started before that moment, or at the same time with a pid that had been given by then.
    pub(super) fn was_started_by(self, moment: LastStart) -> bool {
        let is_given = |newest: i32| (0..MAX_STARTS).contains(&(newest - self.pid));
        self.started_before(moment.time)
            || self.started == moment.time.0 && moment.newest_pid.is_some_and(is_given)
    }

    fn of(entry: &ProcessEntry) -> Self {
        Self {
            pid: entry.pid,
            started: entry.started,
        }
    }

    /// Whether the pid still belongs to this process.
    ///
    /// # Errors
    /// No more files can be opened.
    fn is_current(self) -> io::Result<bool> {
        Ok(system::start_of(self.pid)? == Some(self.started))
    }
}

/// A running process of a tree.
pub(super) struct Member {
    pub(super) identity: ProcessIdentity,
    pub(super) name: String,
    pub(super) group: i32,
    /// See [`ProcessEntry`].
    pub(super) is_copy: bool,
    /// `None` where the system has no pidfds, and at the limit of open files.
    pub(super) pidfd: Option<Pidfd>,
}

impl Member {
    /// Opens the pidfd. Returns `None` if the process has exited.
    fn open(entry: &ProcessEntry) -> Option<Self> {
        let identity = ProcessIdentity::of(entry);
        let member = |pidfd| Self {
            identity,
            name: entry.name.clone(),
            group: entry.group,
            is_copy: entry.is_copy,
            pidfd,
        };
        match open_same(identity) {
            Ok(pidfd) => Some(member(pidfd)),
            Err(gone) if Errno::from_io_error(&gone) == Some(Errno::SRCH) => None,
            // The signal does without.
            Err(_limit) => Some(member(None)),
        }
    }

    /// Sends a signal. A process that can't be signalled stays in the table, where the next scan
    /// finds it.
    pub(super) fn signal(&self, signal: Signal) {
        match &self.pidfd {
            Some(pidfd) => pidfd.signal(signal).ok(),
            None => reserve::with_descriptors(|| signal_same(self.identity, signal)).ok(),
        };
    }
}

/// Opens the pidfd of this very process; `Ok(None)` where the system has no pidfds.
///
/// # Errors
/// The process has exited, or no more files can be opened.
fn open_same(identity: ProcessIdentity) -> io::Result<Option<Pidfd>> {
    let pidfd = Pidfd::open(identity.pid)?;
    // Compared once more with the pidfd open, which from then on can't mean another process.
    if pidfd.is_none() || identity.is_current()? {
        Ok(pidfd)
    } else {
        Err(Errno::SRCH.into())
    }
}

/// Signals this very process, and keeps no file open.
fn signal_same(identity: ProcessIdentity, signal: Signal) -> io::Result<()> {
    match (open_same(identity)?, Pid::from_raw(identity.pid)) {
        (Some(pidfd), _) => pidfd.signal(signal)?,
        // Compared as late as possible.
        (None, Some(pid)) if identity.is_current()? => kill_process(pid, signal)?,
        (None, _) => {}
    }
    Ok(())
}

/// Finds the running processes of a tree. These are the root unless it was reaped, its descendants,
/// its own group, the processes that carry its tag or its mark, and the members found before (`known`) that
/// still run. Takes a newer snapshot if the root was reaped since the given one.
///
/// The pid of a reaped root may belong to another process. Then its group counts only if a member
/// of the tree is in it, because the system does not reuse the number of a group that has members.
/// A process that is exiting has lost its environment, and with it the tag, but it is in `known`.
///
/// # Errors
/// The newer snapshot can't be taken.
pub(super) fn find<'a>(
    table: &mut Snapshot,
    root: &dyn Root,
    known: impl Iterator<Item = &'a ProcessIdentity> + Clone,
) -> io::Result<Vec<Member>> {
    let is_ours = !root.is_reaped();
    let tags = BTreeSet::from([root.tag().to_owned()]);
    let mut members = table.tagged(&tags);
    members.extend(table.still_running(known.clone()));
    if is_ours {
        members.insert(root.pid());
    }
    for member in members.clone() {
        members.extend(table.descendants_of(member));
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
        *table = Snapshot::take()?;
        return find(table, root, known);
    }
    Ok(table.open(&members))
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

/// Kills every process that carries one of the tags or its mark, until none is left.
pub(super) fn kill_tagged(tags: &BTreeSet<String>) {
    for _ in 0..MAX_KILL_SCANS {
        if let Ok(table) = Snapshot::take() {
            let members = table.open(&table.tagged(tags));
            if members.is_empty() {
                return;
            }
            for member in &members {
                member.signal(Signal::KILL);
            }
        }
        std::thread::yield_now();
    }
}

/// A snapshot of the process table, without zombies and without this process.
pub(super) struct Snapshot {
    entries: BTreeMap<i32, ProcessEntry>,
    children: BTreeMap<i32, Vec<i32>>,
    tagged: BTreeMap<Vec<u8>, Vec<i32>>,
    marked: BTreeMap<u64, Vec<i32>>,
}

impl Snapshot {
    /// # Errors
    /// The process table can't be read.
    pub(super) fn take() -> io::Result<Self> {
        Ok(Self::of(reserve::with_descriptors(
            system::running_processes,
        )?))
    }

    /// A snapshot of these processes alone.
    pub(super) fn of(entries: Vec<ProcessEntry>) -> Self {
        let own = std::process::id().cast_signed();
        let others = entries.into_iter().filter(|entry| entry.pid != own);
        let mut snapshot = Self {
            entries: others.map(|entry| (entry.pid, entry)).collect(),
            children: BTreeMap::new(),
            tagged: BTreeMap::new(),
            marked: BTreeMap::new(),
        };
        for entry in snapshot.entries.values() {
            let siblings = snapshot.children.entry(entry.parent).or_default();
            siblings.push(entry.pid);
            for tag in entry.tags.iter().flat_map(|tags| tag::split(tags)) {
                let carriers = snapshot.tagged.entry(tag.to_owned()).or_default();
                carriers.push(entry.pid);
            }
            for mark in entry.marks.into_iter().flatten() {
                snapshot.marked.entry(mark).or_default().push(entry.pid);
            }
        }
        snapshot
    }

    /// Returns these processes and those below them, as far as they began after this moment and nothing
    /// shows which tree they are of.
    pub(super) fn unclaimed(&self, tops: &[i32], since: StartTime) -> Vec<&ProcessEntry> {
        let is_unclaimed = |entry: &&ProcessEntry| {
            !ProcessIdentity::of(entry).started_before(since) && !is_claimed(entry)
        };
        let entries = |pids: BTreeSet<i32>| {
            let entries = pids.into_iter().filter_map(|pid| self.entries.get(&pid));
            entries.filter(is_unclaimed)
        };
        let tops = entries(tops.iter().copied().collect());
        let pids = tops.flat_map(|top| {
            let below = self.descendants_of(top.pid);
            below.into_iter().chain([top.pid])
        });
        entries(pids.collect()).collect()
    }

    /// Whether any process carries the tag or its mark.
    pub(super) fn has_tagged(&self, tag: &str) -> bool {
        !self.tagged(&BTreeSet::from([tag.to_owned()])).is_empty()
    }

    fn group_of(&self, pid: i32) -> Option<i32> {
        self.entries.get(&pid).map(|entry| entry.group)
    }

    fn members_of_group(&self, group: i32) -> impl Iterator<Item = i32> {
        let members = self
            .entries
            .values()
            .filter(move |entry| entry.group == group);
        members.map(|entry| entry.pid)
    }

    fn descendants_of(&self, root: i32) -> BTreeSet<i32> {
        let mut found = BTreeSet::new();
        let mut open = vec![root];
        while let Some(parent) = open.pop() {
            let children = self.children.get(&parent).into_iter().flatten();
            open.extend(children.filter(|pid| found.insert(**pid)));
        }
        found
    }

    /// The processes whose environment, as it was at their start, has one of the tags, and those that
    /// have the mark of one.
    fn tagged(&self, tags: &BTreeSet<String>) -> BTreeSet<i32> {
        let carriers = tags.iter().flat_map(|tag| {
            let tagged = self.tagged.get(tag.as_bytes());
            let marked = mark::of_tag(tag).and_then(|mark| self.marked.get(&mark));
            tagged.into_iter().chain(marked)
        });
        carriers.flatten().copied().collect()
    }

    fn still_running<'a>(
        &self,
        known: impl Iterator<Item = &'a ProcessIdentity>,
    ) -> impl Iterator<Item = i32> {
        let same = known.filter(|identity| {
            let now = self.entries.get(&identity.pid).map(ProcessIdentity::of);
            now.as_ref() == Some(*identity)
        });
        same.map(|identity| identity.pid)
    }

    fn open(&self, pids: &BTreeSet<i32>) -> Vec<Member> {
        let entries = pids.iter().filter_map(|pid| self.entries.get(pid));
        entries.filter_map(Member::open).collect()
    }
}

/// Whether a tag or a mark of this program shows which tree the process is of.
fn is_claimed(entry: &ProcessEntry) -> bool {
    let tags = entry.tags.iter().flat_map(|tags| tag::split(tags));
    let marks = entry.marks.into_iter().flatten();
    tags.into_iter().any(tag::is_own) || marks.into_iter().any(mark::is_mark)
}
