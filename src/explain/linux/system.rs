//! What is read once for a look at several processes.

use std::cell::OnceCell;

use super::files::Holders;
use super::groups::Groups;
use super::locks::FileLocks;
use super::sockets::Sockets;
use super::table::Table;
use crate::ExplainError;

/// The parts are read when they are asked for first: most processes need few of them.
#[derive(Debug)]
pub(super) struct System {
    pub(super) table: Table,
    holders: OnceCell<Holders>,
    sockets: OnceCell<Sockets>,
    locks: OnceCell<FileLocks>,
    groups: OnceCell<Groups>,
}

impl System {
    pub(super) fn new() -> Result<Self, ExplainError> {
        Ok(Self {
            table: Table::read()?,
            holders: OnceCell::new(),
            sockets: OnceCell::new(),
            locks: OnceCell::new(),
            groups: OnceCell::new(),
        })
    }

    /// Returns who has which pipe, socket and terminal open.
    pub(super) fn holders(&self) -> &Holders {
        self.holders.get_or_init(|| Holders::read(&self.table))
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
