//! What is read once for a look at several processes.
//!
//! A *brief* look at one thread leaves out what takes long to find: who has the other end of a file, or serves a
//! file system.

use std::path::Path;
use std::sync::OnceLock;

use super::files::{self, Holders};
use super::finding::Who;
use super::fuse;
use super::groups::Groups;
use super::locks::FileLocks;
use super::sockets::Sockets;
use super::table::Table;
use crate::ExplainError;

/// The parts are read when they are asked for first: most processes need few of them.
#[derive(Debug)]
pub(super) struct System {
    table: OnceLock<Table>,
    brief: bool,
    holders: OnceLock<Holders>,
    sockets: OnceLock<Sockets>,
    locks: OnceLock<FileLocks>,
    groups: OnceLock<Groups>,
}

impl System {
    pub(super) fn new() -> Result<Self, ExplainError> {
        let system = Self::of(false);
        drop(system.table.set(Table::read()?));
        Ok(system)
    }

    pub(super) fn brief() -> Self {
        Self::of(true)
    }

    fn of(brief: bool) -> Self {
        Self {
            table: OnceLock::new(),
            brief,
            holders: OnceLock::new(),
            sockets: OnceLock::new(),
            locks: OnceLock::new(),
            groups: OnceLock::new(),
        }
    }

    /// Returns all processes. In a brief look it is read when it is asked for, and empty if it can't be read.
    pub(super) fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::read().unwrap_or_default())
    }

    /// Returns who has which pipe, socket and terminal open; of a brief look nobody.
    pub(super) fn holders(&self) -> &Holders {
        self.holders.get_or_init(|| {
            if self.brief {
                Holders::default()
            } else {
                Holders::read(self.table())
            }
        })
    }

    /// Whether processes that can't be looked at may have the same end of a file as these, because they have inherited it; in
    /// a brief look that is not asked.
    pub(super) fn may_be_shared_unseen(&self, holders: &[Who]) -> bool {
        if self.brief {
            return false;
        }
        let table = self.table();
        // Where the first process is not shown, those of all others are hidden.
        !table.contains(1)
            || self.holders().unseen().iter().any(|pid| {
                let mut holders = holders.iter().map(|who| who.pid());
                holders.any(|holder| table.may_share(*pid, holder))
            })
    }

    /// Returns who serves the file system that a thread of `pid` waits for; in a brief look nobody.
    pub(super) fn file_servers(&self, pid: u32) -> Vec<Who> {
        if self.brief {
            return Vec::new();
        }
        fuse::servers(self.table(), pid)
    }

    /// Returns all who have a file open whose path is `path`; in a brief look nobody.
    pub(super) fn holders_of_path(&self, path: &Path) -> Vec<(u32, i32)> {
        if self.brief {
            return Vec::new();
        }
        files::holders_of_path(self.table(), path)
    }

    /// Returns which socket is connected to which.
    pub(super) fn sockets(&self) -> &Sockets {
        self.sockets.get_or_init(Sockets::read)
    }

    /// Returns who holds and who awaits the locks of files.
    pub(super) fn locks(&self) -> &FileLocks {
        self.locks.get_or_init(FileLocks::read)
    }

    /// Returns where the control groups are.
    pub(super) fn groups(&self) -> &Groups {
        self.groups.get_or_init(Groups::read)
    }
}
