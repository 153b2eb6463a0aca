//! Linux: pidfds, an eventfd, procfs and the parent-death signal.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use procfs::ProcResult;
use procfs::process::Process;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getpid, getppid,
    getpriority_process, getrlimit, pidfd_open, pidfd_send_signal, set_child_subreaper,
    set_parent_process_death_signal, setrlimit, waitid,
};
use rustix::thread::{
    gettid, sched_getaffinity, set_name, set_thread_gid, set_thread_groups, set_thread_uid,
};
use rustix::time::{ClockId, clock_gettime};

use super::super::super::priority::Priority;
use super::super::exit::Exit;
use super::super::user::User;

/// Whether the tags of all programs can be read.
pub(in super::super) const SHOWS_ALL_TAGS: bool = true;

/// Wakes a thread that sleeps in `poll`.
pub(in super::super) struct Notifier(OwnedFd);

impl Notifier {
    pub(in super::super) fn new() -> io::Result<Self> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(eventfd))
    }

    pub(in super::super) fn notify(&self) {
        // Fails only at the highest count, at which the thread is notified already.
        rustix::io::write(&self.0, &1_u64.to_ne_bytes()).ok();
    }

    pub(in super::super) fn drain(&self) {
        // Fails only if the count is zero.
        rustix::io::read(&self.0, &mut [0; 8]).ok();
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Identifies one process, never a later one with the same pid. Polls as readable once the process
/// has exited.
pub(in super::super) struct Pidfd(OwnedFd);

impl Pidfd {
    /// Opens the pidfd of a child that was not reaped. Returns `None` if the system has no pidfds.
    pub(in super::super) fn of_child(child: &Child) -> Option<Self> {
        pidfd_open(Pid::from_child(child), PidfdFlags::empty())
            .ok()
            .map(Self)
    }

    /// Opens the pidfd of any process. Returns `Ok(None)` if the system has no pidfds.
    ///
    /// # Errors
    /// There is no such process, or no more files can be opened.
    pub(in super::super) fn open(pid: i32) -> Result<Option<Self>, Errno> {
        let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Some(Self(pidfd))),
            Err(error @ (Errno::SRCH | Errno::MFILE | Errno::NFILE)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    pub(in super::super) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        pidfd_send_signal(&self.0, signal)
    }

    /// Whether the process has ended. It may be a zombie, and its threads have ended, too.
    pub(in super::super) fn has_ended(&self) -> bool {
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        // A refusal means that kernel memory is short.
        let ready = retry_on_intr(|| poll(&mut polled, Some(&Timespec::default())));
        ready.is_ok_and(|count| count > 0)
    }

    /// Whether the process was reaped, so that its pid may be another one's by now.
    ///
    /// # Errors
    /// No more files can be opened.
    pub(in super::super) fn is_reaped(&self) -> io::Result<bool> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0.as_raw_fd()))?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
        Ok(pid.is_none_or(|pid| pid.trim() == "-1"))
    }

    /// Returns another descriptor of it.
    pub(in super::super) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
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

/// Reaps a child if it has exited.
pub(in super::super) fn reap(pid: Pid, pidfd: Option<&Pidfd>) -> rustix::io::Result<Option<Exit>> {
    let child = pidfd.map_or(WaitId::Pid(pid), Pidfd::wait_id);
    let status = waitid(child, WaitIdOptions::EXITED | WaitIdOptions::NOHANG)?;
    Ok(status.map(|s| Exit::from_status(s.exit_status(), s.terminating_signal(), s.dumped())))
}

/// More pids than these are not looked at one by one.
const MAX_PIDS: i32 = 256;

/// Returns the pid that was given to a process or thread last; `None` if the system does not tell.
pub(in super::super) fn newest_pid() -> Option<i32> {
    let newest = read_own(c"/proc/sys/kernel/ns_last_pid").ok()?;
    std::str::from_utf8(&newest).ok()?.trim().parse().ok()
}

/// Returns the pids that were given to processes and threads after this one; `None` if they are many or the
/// system does not tell.
pub(in super::super) fn pids_since(pid: i32) -> Option<RangeInclusive<i32>> {
    let newest = newest_pid()?;
    // They begin again with small numbers after the highest.
    let count = newest.checked_sub(pid)?;
    (0..=MAX_PIDS).contains(&count).then_some(pid + 1..=newest)
}

/// Returns the start of a process that is started now: ticks since the system started.
pub(in super::super) fn start_of_now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
    let per_second = procfs::ticks_per_second();
    seconds * per_second + nanos * per_second / 1_000_000_000
}

/// The limit in which the mark stands. Linux does not enforce it.
const MARK_LIMIT: Resource = Resource::Locks;

/// Returns the highest number that can stand in the limit for the mark.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such limit")]
pub(in super::super) fn mark_limit() -> Option<u64> {
    Some(getrlimit(MARK_LIMIT).maximum.unwrap_or(u64::MAX))
}

/// Marks this process, and all that it starts.
pub(in super::super) fn set_mark(mark: u64) -> io::Result<()> {
    let outermost = getrlimit(MARK_LIMIT).maximum;
    let limit = Rlimit {
        current: Some(mark),
        maximum: outermost.or(Some(mark)),
    };
    Ok(setrlimit(MARK_LIMIT, limit)?)
}

/// Has the system give this program the orphans below it, in place of the first process.
///
/// # Errors
/// The system does not do that, or does not tell which they are.
pub(in super::super) fn adopt_orphans() -> io::Result<()> {
    read_children()?;
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Returns the children of the first thread, which gets the orphans. Those of a thread that has ended are
/// among them.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn adopted() -> io::Result<Vec<i32>> {
    let children = read_children()?;
    let pids = children.split_ascii_whitespace();
    Ok(pids.filter_map(|pid| pid.parse().ok()).collect())
}

fn read_children() -> io::Result<String> {
    fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()))
}

/// What a process inherits from this program, apart from its environment, folder and files.
pub(in super::super) struct Inherited {
    group: u32,
    state: Vec<u8>,
    /// The thread that starts the process. Niceness and processors are those of a thread.
    thread: Pid,
}

impl Inherited {
    /// Returns what a process inherits that this thread starts now; `None` if the system does not tell.
    pub(in super::super) fn now() -> Option<Self> {
        let (group, state) = inherited_state()?;
        let thread = gettid();
        Some(Self {
            group,
            state,
            thread,
        })
    }

    /// Whether a process that the same thread starts now would inherit the same as this child.
    pub(in super::super) fn is_current(&self, child: Pid) -> bool {
        let [child, thread] = [child, self.thread].map(Some);
        inherited_state().is_some_and(|(group, state)| group == self.group && state == self.state)
            && getpriority_process(child) == getpriority_process(thread)
            && sched_getaffinity(child) == sched_getaffinity(thread)
    }

    /// The process group of this program.
    pub(in super::super) fn group(&self) -> u32 {
        self.group
    }
}

/// The lines of `/proc/self/status` with what a process inherits: the file mode mask, the users and
/// groups, the session, the signals that are ignored, and the privileges.
const INHERITED_LINES: [&str; 10] = [
    "Umask:",
    "Uid:",
    "Gid:",
    "Groups:",
    "NSsid:",
    "SigIgn:",
    "Cap",
    "NoNewPrivs:",
    "Seccomp:",
    "Seccomp_filters:",
];

/// The limits that a process inherits.
const LIMITS: [Resource; 16] = [
    Resource::As,
    Resource::Core,
    Resource::Cpu,
    Resource::Data,
    Resource::Fsize,
    Resource::Locks,
    Resource::Memlock,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Nofile,
    Resource::Nproc,
    Resource::Rss,
    Resource::Rtprio,
    Resource::Rttime,
    Resource::Sigpending,
    Resource::Stack,
];

fn inherited_state() -> Option<(u32, Vec<u8>)> {
    let status = read_own(c"/proc/self/status").ok()?;
    let status = std::str::from_utf8(&status).ok()?;
    let mut lines = status.lines();
    let group = lines.find_map(|line| line.strip_prefix("NSpgid:"))?;
    let group: u32 = group.split_whitespace().next_back()?.parse().ok()?;
    // 0 is a group that this program can't see.
    let group = Some(group).filter(|group| *group != 0)?;
    // In a system without control groups there is no such file.
    let mut state = read_own(c"/proc/self/cgroup").unwrap_or_default();
    state.extend(read_own(c"/proc/self/oom_score_adj").ok()?);
    let is_inherited = |line: &&str| INHERITED_LINES.iter().any(|name| line.starts_with(name));
    state.extend(status.lines().filter(is_inherited).flat_map(str::bytes));
    for limit in LIMITS.map(getrlimit) {
        state.extend(limit.current.unwrap_or(u64::MAX).to_ne_bytes());
        state.extend(limit.maximum.unwrap_or(u64::MAX).to_ne_bytes());
    }
    let root = rustix::fs::stat("/").ok()?;
    state.extend(root.st_dev.to_ne_bytes());
    state.extend(root.st_ino.to_ne_bytes());
    Some((group, state))
}

/// Reads a file about this process, mostly in one piece: each start of a command waits for it.
fn read_own(file: &CStr) -> io::Result<Vec<u8>> {
    let file = rustix::fs::open(file, OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = vec![0; 4096];
    let mut length = 0;
    loop {
        let rest = bytes.get_mut(length..).unwrap_or_default();
        // The end of such a file is known by a read that does not fill the buffer.
        match retry_on_intr(|| rustix::io::read(&file, &mut *rest))? {
            read if read < rest.len() => {
                bytes.truncate(length + read);
                return Ok(bytes);
            }
            read => length += read,
        }
        bytes.resize(2 * length, 0);
    }
}

/// Opens the folder of this program, to move another process there.
pub(in super::super) fn own_folder() -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(".", flags, Mode::empty())?)
}

/// Returns the process group of this program. It is 0 if this program can't see the group, because
/// that is in another pid namespace.
pub(in super::super) fn own_group() -> Option<i32> {
    group_of_process(Process::myself())
}

/// Returns the process group of a child of this program; see [`own_group`].
pub(in super::super) fn group_of(pid: i32) -> Option<i32> {
    group_of_process(Process::new(pid))
}

/// Returns the process group of the parent of this program; see [`own_group`].
pub(in super::super) fn parents_group() -> Option<i32> {
    group_of_process(Process::new(Pid::as_raw(getppid())))
}

// From procfs, because rustix assumes that no group is 0 (findings/rustix-group-0.sh).
fn group_of_process(process: ProcResult<Process>) -> Option<i32> {
    let stat = process.and_then(|process| process.stat()).ok()?;
    Some(stat.pgrp)
}

/// Returns the path of this program. It stays valid when the file is replaced.
pub(in super::super) fn own_executable() -> PathBuf {
    "/proc/self/exe".into()
}

/// Returns the path by which a process means its own program, which is `program`.
pub(in super::super) fn executable_of_itself(_program: &Path) -> PathBuf {
    own_executable()
}

/// Returns the path by which a child of this program means this program, which is `program`.
pub(in super::super) fn executable_of_parent(_program: &Path) -> PathBuf {
    format!("/proc/{}/exe", std::process::id()).into()
}

/// Has the system send this signal to this process when the thread that started it ends.
pub(in super::super) fn set_parent_death_signal(signal: Signal) -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(signal))?)
}

/// Changes the user and the group of this process, as std does it for a command. Has the effect on this
/// thread alone, which is the one that executes the command.
pub(in super::super) fn set_user(user: User, _command: &mut Command) -> io::Result<()> {
    let valid = |id: u32| {
        if id == u32::MAX {
            Err(Errno::INVAL)
        } else {
            Ok(id)
        }
    };
    if let Some(gid) = user.gid {
        set_thread_gid(Gid::from_raw(valid(gid)?))?;
    }
    if let Some(uid) = user.uid {
        let uid = Uid::from_raw(valid(uid)?);
        match set_thread_groups(&[]) {
            // Without the right to drop groups it keeps them.
            Ok(()) | Err(Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        set_thread_uid(uid)?;
    }
    Ok(())
}

/// Sets the name of this process in process lists. Without it the name is that of the file that was
/// executed, which is `exe` for [`own_executable`].
pub(in super::super) fn set_own_name(name: &CStr) {
    // A refusal only leaves the other name.
    set_name(name).ok();
}

/// Gives this process, and the program that it executes, background priority.
pub(in super::super) fn set_background_priority() {
    Priority::Background.set_for_current_thread();
}

/// Whether the system can run a file that begins with these bytes. With any `binfmt_misc` format
/// registered, every file may be one.
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
