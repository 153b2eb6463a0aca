//! Who belongs to a process: found through the process table.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;

use rustix::process::{Pid, Signal, kill_process};

use super::handle::Shared;
use super::system::{self, Entry, Pidfd};

/// How often the warden looks for processes that were started while it killed others.
const KILL_ROUNDS: usize = 100;

/// A process that is known by more than its number: the system may give a number again, but not
/// with the same start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) pid: i32,
    started: u64,
}

/// A living process of a tree.
pub(super) struct Found {
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) group: i32,
    /// `None` where the system has no pidfds.
    pub(super) pidfd: Option<Pidfd>,
}

impl Found {
    /// Opens what tells this process from a later one with its number; `None` if it is gone.
    fn open(entry: Entry) -> Option<Self> {
        let identity = Identity::of(&entry);
        let pidfd = Pidfd::open(entry.pid).ok()?;
        // Looked at again with the pidfd in hand: now it can't become another's.
        let is_same = pidfd.is_none() || identity.is_current();
        is_same.then_some(Self {
            identity,
            name: entry.name,
            group: entry.group,
            pidfd,
        })
    }

    /// Sends a signal; one that is gone needs none.
    pub(super) fn signal(&self, signal: Signal) {
        let _refusal_shows_in_who_is_left = match (&self.pidfd, Pid::from_raw(self.identity.pid)) {
            (Some(pidfd), _) => pidfd.signal(signal),
            // Looked at again as late as can be.
            (None, Some(pid)) if self.identity.is_current() => kill_process(pid, signal),
            (None, _) => Ok(()),
        };
    }
}

impl Identity {
    fn of(entry: &Entry) -> Self {
        Self {
            pid: entry.pid,
            started: entry.started,
        }
    }

    /// Whether its number is still its own.
    fn is_current(self) -> bool {
        system::start_of(self.pid) == Some(self.started)
    }
}

/// The living processes of a tree: the process itself unless it was reaped, its descendants, its
/// group, whoever carries its mark, and whoever of `known`, who belonged to it before, still lives.
///
/// Once the process was reaped its number says nothing any more. Then its group counts only if a
/// member belongs to the tree, because a group's number is not given again while it has a member.
/// A process in the middle of its end has lost its environment, and the mark with it: it is `known`.
pub(super) fn find<'a>(
    root: &Shared,
    known: impl Iterator<Item = &'a Identity> + Clone,
) -> Vec<Found> {
    let is_ours = !root.is_reaped();
    let table = Table::read();
    let marks = BTreeSet::from([root.mark().to_owned()]);
    let mut members = table.marked(&marks);
    members.extend(table.still_living(known.clone()));
    let group = root.pid().cast_signed();
    if is_ours {
        members.insert(group);
        members.extend(table.descendants_of(group));
    }
    let group_is_ours = is_ours
        || members
            .iter()
            .any(|pid| table.group_of(*pid) == Some(group));
    if group_is_ours {
        members.extend(table.members_of_group(group));
    }
    // Asked again: a process that was reaped meanwhile may have left its number to another.
    if is_ours && root.is_reaped() {
        return find(root, known);
    }
    table.open(&members)
}

/// Kills whoever carries one of the marks, until nobody is left.
pub(super) fn kill_marked(marks: &BTreeSet<String>) {
    for _ in 0..KILL_ROUNDS {
        let table = Table::read();
        let marked = table.marked(marks);
        let left = table.open(&marked);
        if left.is_empty() {
            return;
        }
        for process in &left {
            process.signal(Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// One look at the process table.
struct Table(BTreeMap<i32, Entry>);

impl Table {
    /// Without what is dead already, and without this process.
    fn read() -> Self {
        let own = std::process::id().cast_signed();
        let others = system::living().into_iter();
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

    fn marked(&self, marks: &BTreeSet<String>) -> BTreeSet<i32> {
        let marked = self.0.values().filter(|entry| carries(entry, marks));
        marked.map(|entry| entry.pid).collect()
    }

    fn still_living<'a>(
        &self,
        known: impl Iterator<Item = &'a Identity>,
    ) -> impl Iterator<Item = i32> {
        let same = known.filter(|identity| {
            let now = self.0.get(&identity.pid).map(Identity::of);
            now.as_ref() == Some(*identity)
        });
        same.map(|identity| identity.pid)
    }

    fn open(mut self, members: &BTreeSet<i32>) -> Vec<Found> {
        let entries = members.iter().filter_map(|pid| self.0.remove(pid));
        entries.filter_map(Found::open).collect()
    }
}

/// Whether the environment of a process, as it was when it began, holds one of the marks.
fn carries(entry: &Entry, marks: &BTreeSet<String>) -> bool {
    entry.marks.as_ref().is_some_and(|carried| {
        carried
            .as_bytes()
            .split(|byte| *byte == b':')
            .any(|mark| marks.iter().any(|ours| ours.as_bytes() == mark))
    })
}
