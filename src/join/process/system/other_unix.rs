//! Any other Unix: a pipe, waiting threads, and the process table as `sysinfo` reads it.
//!
//! There are no pidfds, so a process other than a child of ours is known by its number together with
//! the second of its start, looked at once more before each signal. Of programs that macOS protects
//! (its own, such as `/bin/sleep`) the environment can't be read, and the mark in it: there a process
//! is found by its parents and its group.

use std::convert::Infallible;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::Child;

use nix::unistd::getpgid;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Signal, WaitId, WaitOptions, setpriority_process, waitpid};
use sysinfo::{
    Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind,
};

use super::Entry;
use crate::join::process::Exit;
use crate::join::process::builder::MARK_VARIABLE;

/// The niceness of whoever yields to everybody.
const LEAST_URGENT: i32 = 19;

/// Says in the status of a process that a core file was written.
const CORE_DUMPED: i32 = 0x80;

/// What wakes a thread out of its `poll`.
pub(in super::super) struct Bell {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Bell {
    pub(in super::super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        ioctl_fionbio(&reader, true)?;
        ioctl_fionbio(&writer, true)?;
        Ok(Self { reader, writer })
    }

    pub(in super::super) fn ring(&self) {
        let _full_has_rung = rustix::io::write(&self.writer, &[1]);
    }

    pub(in super::super) fn hush(&self) {
        // What is left rings on.
        let _empty_was_read = rustix::io::read(&self.reader, &mut [0; 4096]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// What means one process, and never a later one with its number: there is none.
pub(in super::super) struct Pidfd(Infallible);

impl Pidfd {
    pub(in super::super) fn of_child(_child: &Child) -> Option<Self> {
        None
    }

    #[expect(clippy::unnecessary_wraps, reason = "where there are any it can fail")]
    pub(in super::super) fn open(_pid: i32) -> Result<Option<Self>, Errno> {
        Ok(None)
    }

    pub(in super::super) fn signal(&self, _signal: Signal) -> rustix::io::Result<()> {
        match self.0 {}
    }

    pub(in super::super) fn wait_id(&self) -> WaitId<'_> {
        match self.0 {}
    }
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }
}

/// Takes the status of a child, if it has ended.
pub(in super::super) fn reap(
    pid: rustix::process::Pid,
    _pidfd: Option<&Pidfd>,
) -> rustix::io::Result<Option<Exit>> {
    let ended = waitpid(Some(pid), WaitOptions::NOHANG)?;
    Ok(ended.map(|(_, status)| {
        let core_dumped = status.as_raw() & CORE_DUMPED != 0;
        Exit::of(
            status.exit_status(),
            status.terminating_signal(),
            core_dumped,
        )
    }))
}

/// Everybody who lives.
pub(in super::super) fn living() -> Vec<Entry> {
    let with_marks = nothing().with_environ(UpdateKind::Always);
    let system = look_at(ProcessesToUpdate::All, with_marks);
    let processes = system.iter().flat_map(|system| system.processes().values());
    processes.filter_map(entry).collect()
}

/// When the process with this number was started, if there is one, dead or alive.
pub(in super::super) fn start_of(pid: i32) -> Option<u64> {
    let pid = Pid::from_u32(pid.cast_unsigned());
    let system = look_at(ProcessesToUpdate::Some(&[pid]), nothing())?;
    system.process(pid).map(Process::start_time)
}

fn nothing() -> ProcessRefreshKind {
    ProcessRefreshKind::nothing().without_tasks()
}

fn look_at(whom: ProcessesToUpdate<'_>, what: ProcessRefreshKind) -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(whom, true, what);
    Some(system)
}

fn entry(process: &Process) -> Option<Entry> {
    if process.status() == ProcessStatus::Zombie {
        return None;
    }
    let number = |pid: Pid| pid.as_u32().cast_signed();
    let pid = number(process.pid());
    // Rustix takes it that no group has the number 0, as those of the kernel and of another namespace.
    let group = getpgid(Some(nix::unistd::Pid::from_raw(pid))).ok()?;
    Some(Entry {
        pid,
        parent: process.parent().map_or(0, number),
        group: group.as_raw(),
        name: process.name().to_string_lossy().into_owned(),
        started: process.start_time(),
        marks: process.environ().iter().find_map(|pair| marks_in(pair)),
    })
}

/// What a variable, as in `NAME=VALUE`, says of whom a process belongs to.
fn marks_in(variable: &OsStr) -> Option<OsString> {
    let value = variable.as_bytes().strip_prefix(MARK_VARIABLE.as_bytes())?;
    let value = value.strip_prefix(b"=")?;
    Some(OsStr::from_bytes(value).to_owned())
}

/// This program, where it was when it was started.
pub(in super::super) fn own_program() -> PathBuf {
    let as_it_was_called = || env::args_os().next().unwrap_or_default().into();
    env::current_exe().unwrap_or_else(|_| as_it_was_called())
}

/// Nothing kills a process together with the one that has started it: the warden does, afterwards.
#[expect(
    clippy::unnecessary_wraps,
    reason = "where there is such a thing it can fail"
)]
pub(in super::super) fn die_with_parent() -> io::Result<()> {
    Ok(())
}

/// Has this process, and what it becomes, run only when nothing more urgent wants to.
pub(in super::super) fn yield_to_everybody() {
    let _refusal_costs_smoothness = setpriority_process(None, LEAST_URGENT);
}

/// Whether the system can run a file that begins so: a program of the BSDs and of Solaris, or one of
/// macOS for one kind of processor or several.
pub(in super::super) fn is_program_format(magic: &[u8]) -> bool {
    matches!(
        magic,
        b"\x7fELF" | b"\xcf\xfa\xed\xfe" | b"\xca\xfe\xba\xbe"
    )
}
