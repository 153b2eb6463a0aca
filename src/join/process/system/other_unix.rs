//! Other Unix systems: a pipe, waiting threads, and the process table as `sysinfo` reads it.
//!
//! There are no pidfds. A process that is not a child of this program is identified by its pid and
//! the second of its start, which is compared again before each signal. macOS does not show the
//! environment of its own protected programs, such as `/bin/sleep`, and so not their tag. They are
//! found by their parents and their group.

use std::convert::Infallible;
use std::env;
use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::unistd::getpgid;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Signal, WaitId, WaitOptions, setpriority_process, waitpid};
use sysinfo::{
    Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind,
};

use super::super::exit::Exit;
use super::super::tag::TAG_VARIABLE;
use super::super::user::User;
use super::entry::{EndedEntry, OtherProcess, PipeHolder, ProcessEntry};

const MAX_NICENESS: i32 = 19;

/// The files that `sysinfo` has open at the same time where it reads them from `/proc`.
const FILES_OF_A_LOOK: usize = 3;

/// The bit of a wait status that means that a core file was written.
const CORE_DUMPED: i32 = 0x80;

/// Whether the tags of all programs can be read.
pub(in super::super) const SHOWS_ALL_TAGS: bool = false;

/// Wakes a thread that sleeps in `poll`.
pub(in super::super) struct Notifier {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Notifier {
    pub(in super::super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        ioctl_fionbio(&reader, true)?;
        ioctl_fionbio(&writer, true)?;
        Ok(Self { reader, writer })
    }

    pub(in super::super) fn notify(&self) {
        // Fails only if the pipe is full. Then the thread is notified already.
        rustix::io::write(&self.writer, &[1]).ok();
    }

    pub(in super::super) fn drain(&self) {
        // Fails only if the pipe is empty. Bytes beyond the buffer notify once more.
        rustix::io::read(&self.reader, &mut [0; 4096]).ok();
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// A pidfd, which these systems do not have.
pub(in super::super) struct Pidfd(Infallible);

impl Pidfd {
    pub(in super::super) fn of_child(_child: &Child) -> Option<Self> {
        None
    }

    #[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
    pub(in super::super) fn open(_pid: i32) -> Result<Option<Self>, Errno> {
        Ok(None)
    }

    pub(in super::super) fn signal(&self, _signal: Signal) -> rustix::io::Result<()> {
        match self.0 {}
    }

    pub(in super::super) fn has_ended(&self) -> bool {
        match self.0 {}
    }

    pub(in super::super) fn is_reaped(&self) -> io::Result<bool> {
        match self.0 {}
    }

    pub(in super::super) fn duplicate(&self) -> io::Result<OwnedFd> {
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

/// Returns what [`AdoptError::NotSupported`](super::super::running::AdoptError::NotSupported) is made of:
/// any process may exist, and there is no pidfd of it.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in super::super) fn other_process(pid: i32) -> io::Result<Option<OtherProcess>> {
    Ok(Some(OtherProcess {
        pid,
        ..OtherProcess::default()
    }))
}

pub(in super::super) fn others_of_user() -> io::Result<Vec<OtherProcess>> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(in super::super) fn time_of(started: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(started)
}

pub(in super::super) fn is_stopped(_pid: i32) -> bool {
    false
}

/// Is not called, because there are no foreign processes.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in super::super) fn ended_entry(_pid: i32) -> io::Result<EndedEntry> {
    Ok(EndedEntry::Gone)
}

/// Reaps a child if it has exited.
pub(in super::super) fn reap(
    pid: rustix::process::Pid,
    _pidfd: Option<&Pidfd>,
) -> rustix::io::Result<Option<Exit>> {
    let ended = waitpid(Some(pid), WaitOptions::NOHANG)?;
    Ok(ended.map(|(_, status)| {
        let core_dumped = status.as_raw() & CORE_DUMPED != 0;
        Exit::from_status(
            status.exit_status(),
            status.terminating_signal(),
            core_dumped,
        )
    }))
}

/// Returns all processes except zombies.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn running_processes() -> io::Result<Vec<ProcessEntry>> {
    let with_environ = minimal_refresh().with_environ(UpdateKind::Always);
    let system = read_table(ProcessesToUpdate::All, with_environ)?;
    let processes = system.iter().flat_map(|system| system.processes().values());
    Ok(processes.filter_map(entry).collect())
}

/// Returns `None`: there is no common way to ask for the newest pid.
pub(in super::super) fn newest_pid() -> Option<i32> {
    None
}

pub(in super::super) fn pids_since(_pid: i32) -> Option<RangeInclusive<i32>> {
    None
}

/// Is not called, because no pids are known.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in super::super) fn processes_of(
    _pids: impl Iterator<Item = i32>,
) -> io::Result<Vec<ProcessEntry>> {
    Ok(Vec::new())
}

/// Returns no process: there is no common way to ask for the files that one has open.
pub(in super::super) fn pipe_holders(_pipes: &[u64]) -> Vec<PipeHolder> {
    Vec::new()
}

/// Returns the start of the process with this pid, or `None` if there is no such process. A zombie
/// counts as one.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn start_of(pid: i32) -> io::Result<Option<u64>> {
    let pid = Pid::from_u32(pid.cast_unsigned());
    let system = read_table(ProcessesToUpdate::Some(&[pid]), minimal_refresh())?;
    let process = system.as_ref().and_then(|system| system.process(pid));
    Ok(process.map(Process::start_time))
}

/// Returns true: there is no common way to ask.
pub(in super::super) fn may_tidy_up(_pid: i32) -> bool {
    true
}

/// Returns a time before the start of any process that is started from now on: seconds of the wall clock.
pub(in super::super) fn start_of_now() -> u64 {
    // Computed from the rounded time of the system's start, a start looks that much earlier.
    const MAX_ERROR_SECS: u64 = 2;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().saturating_sub(MAX_ERROR_SECS))
}

fn minimal_refresh() -> ProcessRefreshKind {
    ProcessRefreshKind::nothing().without_tasks()
}

/// Returns `None` if the system shows no processes.
///
/// # Errors
/// No more files can be opened.
fn read_table(
    processes: ProcessesToUpdate<'_>,
    fields: ProcessRefreshKind,
) -> io::Result<Option<System>> {
    check_files()?;
    let Ok(mut system) = System::new() else {
        return Ok(None);
    };
    system.refresh_processes_specifics(processes, true, fields);
    Ok(Some(system))
}

/// Fails if no more files can be opened, which `sysinfo` does not tell.
fn check_files() -> io::Result<()> {
    let some: io::Result<Vec<File>> = (0..FILES_OF_A_LOOK).map(|_| File::open("/")).collect();
    some.map(drop)
}

fn entry(process: &Process) -> Option<ProcessEntry> {
    if process.status() == ProcessStatus::Zombie {
        return None;
    }
    let signed = |pid: Pid| pid.as_u32().cast_signed();
    let pid = signed(process.pid());
    // From nix, because rustix assumes that no group is 0. Those of the kernel and of other
    // namespaces are.
    let group = getpgid(Some(nix::unistd::Pid::from_raw(pid))).ok()?;
    Some(ProcessEntry {
        pid,
        parent: process.parent().map_or(0, signed),
        group: group.as_raw(),
        name: process.name().to_string_lossy().into_owned(),
        started: process.start_time(),
        is_copy: false,
        tags: process.environ().iter().find_map(|pair| tags_in(pair)),
        marks: [None; 2],
    })
}

/// Returns the value of a pair `NAME=VALUE` if the name is [`TAG_VARIABLE`].
fn tags_in(variable: &OsStr) -> Option<OsString> {
    let value = variable.as_bytes().strip_prefix(TAG_VARIABLE.as_bytes())?;
    let value = value.strip_prefix(b"=")?;
    Some(OsStr::from_bytes(value).to_owned())
}

/// Returns `None`: there is no limit for a mark.
pub(in super::super) fn mark_limit() -> Option<u64> {
    None
}

/// Does nothing, because there are no marks.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in super::super) fn set_mark(_mark: u64) -> io::Result<()> {
    Ok(())
}

/// What a process inherits from this program. Not every system tells that.
pub(in super::super) struct Inherited(Infallible);

impl Inherited {
    pub(in super::super) fn now() -> Option<Self> {
        None
    }

    pub(in super::super) fn is_current(&self, _child: rustix::process::Pid) -> bool {
        match self.0 {}
    }

    pub(in super::super) fn group(&self) -> u32 {
        match self.0 {}
    }
}

pub(in super::super) fn adopt_orphans() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Adopts none.
#[expect(clippy::unnecessary_wraps, reason = "Linux reads a file")]
pub(in super::super) fn adopted() -> io::Result<Vec<i32>> {
    Ok(Vec::new())
}

/// See Linux.
pub(in super::super) fn own_folder() -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the process group of this program. It is 0 if this program can't see the group.
pub(in super::super) fn own_group() -> Option<i32> {
    getpgid(None).ok().map(nix::unistd::Pid::as_raw)
}

/// Returns the process group of a child of this program; see [`own_group`].
pub(in super::super) fn group_of(pid: i32) -> Option<i32> {
    let group = getpgid(Some(nix::unistd::Pid::from_raw(pid)));
    group.ok().map(nix::unistd::Pid::as_raw)
}

/// Returns the process group of the parent of this program; see [`own_group`].
pub(in super::super) fn parents_group() -> Option<i32> {
    let parent = nix::unistd::getppid();
    getpgid(Some(parent)).ok().map(nix::unistd::Pid::as_raw)
}

/// Returns the path from which this program was started.
pub(in super::super) fn own_executable() -> PathBuf {
    let first_argument = || env::args_os().next().unwrap_or_default().into();
    env::current_exe().unwrap_or_else(|_| first_argument())
}

/// Returns the path by which a process means its own program, which is `program`.
pub(in super::super) fn executable_of_itself(program: &Path) -> PathBuf {
    program.to_owned()
}

/// Returns the path by which a child of this program means this program, which is `program`.
pub(in super::super) fn executable_of_parent(program: &Path) -> PathBuf {
    program.to_owned()
}

/// Does nothing, because these systems kill no process together with its parent. The supervisor
/// kills it.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in super::super) fn set_parent_death_signal(_signal: Signal) -> io::Result<()> {
    Ok(())
}

/// Has a command change to the user and the group when it is executed.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(in super::super) fn set_user(user: User, command: &mut Command) -> io::Result<()> {
    user.set_on(command);
    Ok(())
}

/// Does nothing, because these systems show the name under which a process was started.
pub(in super::super) fn set_own_name(_name: &CStr) {}

/// Gives this process, and the program that it executes, the lowest priority.
pub(in super::super) fn set_background_priority() {
    // A refusal costs smoothness, not correctness.
    setpriority_process(None, MAX_NICENESS).ok();
}

/// Whether the system can run a file that begins with these bytes. They are those of ELF, or of
/// Mach-O for one processor architecture or several.
pub(in super::super) fn is_program_format(magic: &[u8]) -> bool {
    matches!(
        magic,
        b"\x7fELF" | b"\xcf\xfa\xed\xfe" | b"\xca\xfe\xba\xbe"
    )
}
