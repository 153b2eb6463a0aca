//! Linux: pidfds, an eventfd, procfs and the parent-death signal.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Child;

use procfs::process::{Process, Stat, all_processes};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal,
    set_parent_process_death_signal, waitid,
};

use super::Entry;
use crate::join::Priority;
use crate::join::process::Exit;
use crate::join::process::builder::MARK_VARIABLE;

/// What wakes a thread out of its `poll`.
pub(in super::super) struct Bell(OwnedFd);

impl Bell {
    pub(in super::super) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(bell))
    }

    pub(in super::super) fn ring(&self) {
        let _full_has_rung = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(in super::super) fn hush(&self) {
        let _empty_was_read = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What means one process, and never a later one with its number. It can be polled for the end.
pub(in super::super) struct Pidfd(OwnedFd);

impl Pidfd {
    /// That of a child which nobody has reaped; `None` where the system has no pidfds.
    pub(in super::super) fn of_child(child: &Child) -> Option<Self> {
        pidfd_open(Pid::from_child(child), PidfdFlags::empty())
            .ok()
            .map(Self)
    }

    /// That of any process; `None` where the system has no pidfds.
    ///
    /// # Errors
    /// There is no such process.
    pub(in super::super) fn open(pid: i32) -> Result<Option<Self>, Errno> {
        let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Some(Self(pidfd))),
            Err(Errno::SRCH) => Err(Errno::SRCH),
            Err(_) => Ok(None),
        }
    }

    pub(in super::super) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        pidfd_send_signal(&self.0, signal)
    }

    pub(in super::super) fn wait_id(&self) -> WaitId<'_> {
        WaitId::PidFd(self.0.as_fd())
    }
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Takes the status of a child, if it has ended.
pub(in super::super) fn reap(pid: Pid, pidfd: Option<&Pidfd>) -> rustix::io::Result<Option<Exit>> {
    let child = pidfd.map_or(WaitId::Pid(pid), Pidfd::wait_id);
    let status = waitid(child, WaitIdOptions::EXITED | WaitIdOptions::NOHANG)?;
    Ok(status.map(|s| Exit::of(s.exit_status(), s.terminating_signal(), s.dumped())))
}

/// Everybody who lives.
pub(in super::super) fn living() -> Vec<Entry> {
    let processes = all_processes().into_iter().flatten().flatten();
    processes.filter_map(|process| entry(&process)).collect()
}

/// When the process with this number was started, if there is one, dead or alive.
pub(in super::super) fn start_of(pid: i32) -> Option<u64> {
    let stat = Process::new(pid).and_then(|process| process.stat()).ok()?;
    Some(stat.starttime)
}

fn entry(process: &Process) -> Option<Entry> {
    let stat = process.stat().ok()?;
    if is_dead(&stat) {
        return None;
    }
    // Of somebody else's process nothing can be read, and it can't be ended either.
    let environ = process.environ().unwrap_or_default();
    Some(Entry {
        pid: stat.pid,
        parent: stat.ppid,
        group: stat.pgrp,
        started: stat.starttime,
        marks: environ.get(OsStr::new(MARK_VARIABLE)).cloned(),
        name: stat.comm,
    })
}

fn is_dead(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X')
}

/// This program, also when its file has been replaced.
pub(in super::super) fn own_program() -> PathBuf {
    "/proc/self/exe".into()
}

/// Has this process killed when the thread ends that has started it.
pub(in super::super) fn die_with_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Has this process, and what it becomes, run only when nothing more urgent wants to.
pub(in super::super) fn yield_to_everybody() {
    Priority::Background.apply();
}

/// Whether the system can run a file that begins so: its own programs, and whatever somebody has
/// taught it (`binfmt_misc`).
pub(in super::super) fn is_program_format(magic: &[u8]) -> bool {
    magic == b"\x7fELF" || has_other_formats()
}

fn has_other_formats() -> bool {
    fs::read_dir("/proc/sys/fs/binfmt_misc").is_ok_and(|entries| {
        entries
            .flatten()
            .any(|e| e.file_name() != "register" && e.file_name() != "status")
    })
}
