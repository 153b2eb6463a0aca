//! The table of all processes: who is whose child.

use std::collections::BTreeMap;
use std::iter::successors;

use procfs::process::all_processes;

use crate::ExplainError;

/// The children of each process, as they were at one time.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By pid: the parent and the process group.
    entries: BTreeMap<u32, Entry>,
}

#[derive(Debug)]
struct Entry {
    parent: u32,
    group: i32,
    /// 0 if its leader is outside of the namespace of pids.
    session: i32,
    /// It has ended, or it is a thread of the kernel.
    has_no_files: bool,
}

/// `PF_KTHREAD` of the flags of a process, from include/linux/sched.h.
const KERNEL_THREAD: u32 = 0x0020_0000;

impl Table {
    pub(super) fn read() -> Result<Self, ExplainError> {
        let all = all_processes().map_err(|error| ExplainError::Unreadable(error.to_string()))?;
        // One that has ended meanwhile is left out.
        let stats = all.filter_map(|process| process.ok()?.stat().ok());
        let entries = stats
            .filter_map(|stat| {
                let parent = u32::try_from(stat.ppid).ok()?;
                Some((
                    u32::try_from(stat.pid).ok()?,
                    Entry {
                        parent,
                        group: stat.pgrp,
                        session: stat.session,
                        has_no_files: matches!(stat.state, 'Z' | 'X')
                            || stat.flags & KERNEL_THREAD != 0,
                    },
                ))
            })
            .collect();
        Ok(Self { entries })
    }

    pub(super) fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.keys().copied()
    }

    pub(super) fn contains(&self, pid: u32) -> bool {
        self.entries.contains_key(&pid)
    }

    pub(super) fn children(&self, parent: u32) -> impl Iterator<Item = u32> + '_ {
        let of_parent = move |(_, entry): &(&u32, &Entry)| entry.parent == parent;
        self.entries.iter().filter(of_parent).map(|(pid, _)| *pid)
    }

    /// Returns the children of `parent` that are in the process group `group`.
    pub(super) fn children_in(&self, parent: u32, group: i32) -> Vec<u32> {
        let in_group = |pid: &u32| self.entries[pid].group == group;
        self.children(parent).filter(in_group).collect()
    }

    pub(super) fn group(&self, pid: u32) -> Option<i32> {
        self.entries.get(&pid).map(|entry| entry.group)
    }

    /// Whether `pid` runs and may have what `other` has open: it is a descendant of it, or of the same session.
    /// Two sessions that began outside of a container may be the same one.
    pub(super) fn may_share(&self, pid: u32, other: u32) -> bool {
        let entry = |pid| self.entries.get(&pid);
        let Some(own) = entry(pid).filter(|it| !it.has_no_files) else {
            return false;
        };
        let parents = successors(Some(pid), |pid| entry(*pid).map(|it| it.parent));
        let is_related = entry(other).is_some_and(|it| it.session == own.session);
        // A process that has got the pid of its grandparent must not make this endless.
        is_related || parents.take(self.entries.len()).any(|it| it == other)
    }

    /// Returns `root` and all its descendants.
    pub(super) fn tree(&self, root: u32) -> Vec<u32> {
        let mut tree = vec![root];
        let mut next = 0;
        while let Some(&parent) = tree.get(next) {
            // A process that has got the pid of its grandparent must not make this endless.
            let new: Vec<u32> = self
                .children(parent)
                .filter(|pid| !tree.contains(pid))
                .collect();
            tree.extend(new);
            next += 1;
        }
        tree
    }
}
