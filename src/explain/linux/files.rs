//! Open files: what kind each is, and who has its other end.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, StatxFlags, statx};

use super::escaped::escaped;
use super::finding::Who;
use super::system::System;
use super::table::Table;
use crate::graph::{File, FileKind};

/// A file that a process has open.
#[derive(Debug)]
pub(super) struct OpenFile {
    pid: u32,
    fd: i32,
    link: PathBuf,
    kind: FileKind,
}

/// Which end of a file someone needs to have to end a wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Read,
    Write,
}

impl End {
    /// The permission of the owner that the link of a descriptor has if it is open for this.
    fn permission(self) -> u32 {
        match self {
            Self::Read => 0o400,
            Self::Write => 0o200,
        }
    }
}

/// Who has which pipe, socket and terminal open.
#[derive(Debug, Default)]
pub(super) struct Holders {
    by_link: BTreeMap<PathBuf, Vec<(u32, i32)>>,
    /// Those whose files the system does not show.
    unseen: Vec<u32>,
}

impl Holders {
    pub(super) fn read(table: &Table) -> Self {
        let is_shared = |link: &Path| {
            let link = link.to_string_lossy();
            link.starts_with("pipe:") || link.starts_with("socket:") || is_terminal(&link)
        };
        let mut by_link = BTreeMap::<PathBuf, Vec<(u32, i32)>>::new();
        let unseen = for_each_open(table, |pid, fd, link| {
            if is_shared(&link) {
                by_link.entry(link).or_default().push((pid, fd));
            }
        });
        Self { by_link, unseen }
    }

    pub(super) fn unseen(&self) -> &[u32] {
        &self.unseen
    }

    fn of(&self, link: &Path) -> &[(u32, i32)] {
        self.by_link.get(link).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_socket(&self, inode: u64) -> Vec<Who> {
        self.of(Path::new(&format!("socket:[{inode}]")))
            .iter()
            .copied()
            .map(who)
            .collect()
    }
}

fn who((pid, _): (u32, i32)) -> Who {
    Who::Process(pid)
}

fn is_terminal(link: &str) -> bool {
    link.starts_with("/dev/pts/") || link.starts_with("/dev/tty") || link == "/dev/ptmx"
}

fn is_master(link: &str) -> bool {
    link == "/dev/ptmx" || link == "/dev/pts/ptmx"
}

/// Calls `f` for each file that a process has open. Returns those whose files the system does not show.
fn for_each_open(table: &Table, mut f: impl FnMut(u32, i32, PathBuf)) -> Vec<u32> {
    let mut unseen = Vec::new();
    for pid in table.pids() {
        // Those of other users can't be read.
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            unseen.push(pid);
            continue;
        };
        for entry in files.flatten() {
            let fd = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if let (Some(fd), Ok(link)) = (fd, fs::read_link(entry.path())) {
                f(pid, fd, link);
            }
        }
    }
    unseen
}

/// Returns all who have a file open whose path is `path`.
pub(super) fn holders_of_path(table: &Table, path: &Path) -> Vec<(u32, i32)> {
    let mut holders = Vec::new();
    for_each_open(table, |pid, fd, link| {
        if link == path {
            holders.push((pid, fd));
        }
    });
    holders
}

/// Returns what the system says of an open file.
pub(super) fn fdinfo(pid: u32, fd: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default()
}

/// Returns the value of a line of `fdinfo`, such as `Pid:` or `tty-index:`.
pub(super) fn number_of(fdinfo: &str, key: &str) -> Option<u32> {
    fdinfo
        .lines()
        .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

impl OpenFile {
    /// Returns what `fd` is in a process, or nothing if it is not open there.
    pub(super) fn of(system: &System, pid: u32, fd: i32) -> Option<Self> {
        let link = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
        let kind = kind_of(system, pid, fd, &link.to_string_lossy());
        Some(Self {
            pid,
            fd,
            link,
            kind,
        })
    }

    pub(super) fn file(&self, system: &System) -> File {
        let name = match (self.kind, self.inode()) {
            (FileKind::Tcp | FileKind::UnixSocket, Some(inode)) => system.sockets().name(inode),
            _ => None,
        };
        let name = name.unwrap_or_else(|| self.link.to_string_lossy().into_owned());
        File {
            kind: self.kind,
            name: escaped(&name),
        }
    }

    pub(super) fn kind(&self) -> FileKind {
        self.kind
    }

    /// Returns the number in the link of a pipe or socket.
    pub(super) fn inode(&self) -> Option<u64> {
        let link = self.link.to_str()?;
        link.split_once(":[")?.1.strip_suffix(']')?.parse().ok()
    }

    /// Returns the device and the inode of the file, without asking the one who serves its file system.
    pub(super) fn device_and_inode(&self) -> Option<(u32, u32, u64)> {
        let path = format!("/proc/{}/fd/{}", self.pid, self.fd);
        let flags = AtFlags::STATX_DONT_SYNC;
        let status = statx(CWD, path, flags, StatxFlags::INO).ok()?;
        Some((status.stx_dev_major, status.stx_dev_minor, status.stx_ino))
    }

    pub(super) fn path(&self) -> &Path {
        &self.link
    }

    /// Returns who has the other end, so that they can end a wait for this one. Nothing means that it is
    /// not known, or that nobody can.
    pub(super) fn others(&self, system: &System, needs: End) -> Vec<Who> {
        match self.kind {
            FileKind::Pipe => with_end(system.holders().of(&self.link), needs),
            FileKind::Fifo => with_end(&system.holders_of_path(&self.link), needs),
            FileKind::UnixSocket | FileKind::Tcp => {
                let peer = self.inode().and_then(|inode| system.sockets().peer(inode));
                peer.map_or_else(Vec::new, |peer| system.holders().of_socket(peer))
            }
            FileKind::Terminal => self.masters(system),
            FileKind::TerminalMaster => self.slaves(system),
            FileKind::Process => number_of(&fdinfo(self.pid, self.fd), "Pid:")
                .map(Who::Process)
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether somebody who can't be looked at may have the end that these have.
    pub(super) fn is_shared_unseen(&self, system: &System, others: &[Who]) -> bool {
        let is_inherited = matches!(
            self.kind,
            FileKind::Pipe | FileKind::Fifo | FileKind::UnixSocket | FileKind::Tcp
        );
        is_inherited && !others.is_empty() && system.may_be_shared_unseen(others)
    }

    /// Returns who has the other side of a pseudo terminal.
    fn masters(&self, system: &System) -> Vec<Who> {
        let Some(number) = self
            .link
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok())
        else {
            return Vec::new();
        };
        let masters = ["/dev/ptmx", "/dev/pts/ptmx"].map(Path::new);
        let all = masters.iter().flat_map(|link| system.holders().of(link));
        let of_number =
            |(pid, fd): &&(u32, i32)| number_of(&fdinfo(*pid, *fd), "tty-index:") == Some(number);
        all.filter(of_number).copied().map(who).collect()
    }

    fn slaves(&self, system: &System) -> Vec<Who> {
        let Some(number) = number_of(&fdinfo(self.pid, self.fd), "tty-index:") else {
            return Vec::new();
        };
        let link = PathBuf::from(format!("/dev/pts/{number}"));
        system
            .holders()
            .of(&link)
            .iter()
            .copied()
            .map(who)
            .collect()
    }
}

fn with_end(holders: &[(u32, i32)], end: End) -> Vec<Who> {
    let has_end = |(pid, fd): &&(u32, i32)| {
        let link = fs::symlink_metadata(format!("/proc/{pid}/fd/{fd}"));
        link.is_ok_and(|link| link.mode() & end.permission() != 0)
    };
    holders.iter().filter(has_end).copied().map(who).collect()
}

fn kind_of(system: &System, pid: u32, fd: i32, link: &str) -> FileKind {
    if link.starts_with("pipe:") {
        FileKind::Pipe
    } else if let Some(inode) = link.strip_prefix("socket:[") {
        let inode = inode.trim_end_matches(']').parse().unwrap_or(0);
        system.sockets().kind(inode)
    } else if let Some(name) = link.strip_prefix("anon_inode:") {
        match name.trim_matches(['[', ']']) {
            "eventfd" => FileKind::Event,
            "timerfd" => FileKind::Timer,
            "inotify" => FileKind::FileChanges,
            "signalfd" => FileKind::Signals,
            "pidfd" => FileKind::Process,
            "eventpoll" => FileKind::Several,
            _ => FileKind::Other,
        }
    } else if is_master(link) {
        FileKind::TerminalMaster
    } else if is_terminal(link) {
        FileKind::Terminal
    } else if is_fifo(&format!("/proc/{pid}/fd/{fd}")) {
        FileKind::Fifo
    } else {
        FileKind::Other
    }
}

/// Returns whether `path` is a FIFO, without asking the one who serves its file system.
pub(super) fn is_fifo(path: &str) -> bool {
    let status = statx(CWD, path, AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE);
    status.is_ok_and(|status| FileType::from_raw_mode(u32::from(status.stx_mode)) == FileType::Fifo)
}
