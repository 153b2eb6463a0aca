//! The user and the group of a process.

use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The user and the group that a process is to have, as far as they are not those of this program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
}

impl User {
    pub(super) fn is_set(self) -> bool {
        self != Self::default()
    }

    /// Has a command change to them. Std does that in the child, before it changes the folder, and drops the
    /// other groups if a user is set and it has the right to.
    pub(super) fn set_on(self, command: &mut Command) {
        if let Some(uid) = self.uid {
            command.uid(uid);
        }
        if let Some(gid) = self.gid {
            command.gid(gid);
        }
    }

    /// The options of a shim for them.
    pub(super) fn to_args(self) -> impl Iterator<Item = String> {
        let uid = self.uid.map(|uid| format!("uid={uid}"));
        let gid = self.gid.map(|gid| format!("gid={gid}"));
        uid.into_iter().chain(gid)
    }

    /// Takes over an option of a shim. Returns `false` if it is another one.
    pub(super) fn take(&mut self, option: &str) -> bool {
        let Some((name, Ok(id))) = option.split_once('=').map(|(name, id)| (name, id.parse()))
        else {
            return false;
        };
        match name {
            "uid" => self.uid = Some(id),
            "gid" => self.gid = Some(id),
            _ => return false,
        }
        true
    }
}

/// Writes, for example, `user 1000 and group 100`.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.uid, self.gid) {
            (Some(uid), Some(gid)) => write!(f, "user {uid} and group {gid}"),
            (Some(uid), None) => write!(f, "user {uid}"),
            (None, Some(gid)) => write!(f, "group {gid}"),
            (None, None) => f.write_str("the user of this program"),
        }
    }
}
