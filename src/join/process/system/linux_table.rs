//! The process table of Linux, which is procfs.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use procfs::process::{FDPermissions, FDTarget, Process, Stat, all_processes};
use procfs::{ProcError, ProcResult};
use rustix::process::{Signal, geteuid};

use super::super::reserve;
use super::super::tag::TAG_VARIABLE;
use super::entry::{EndedEntry, OtherProcess, PipeHolder, ProcessEntry};

/// The time for which a process that executes a program is asked again for its environment. It is
/// longer than an `execve` takes that does not wait for a processor.
const EXEC_TIMEOUT: Duration = Duration::from_millis(200);

/// The same for one that waits for a processor, as one at background priority does on a busy machine.
const EXEC_TIMEOUT_OF_WAITING: Duration = Duration::from_secs(2);

const EXEC_POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Returns all processes except zombies. Has three files open at the same time.
///
/// A process that executes a program has no environment for a moment, and so no tag. It is asked
/// again until it has one.
///
/// # Errors
/// The process table can't be read, for example because no more files can be opened.
pub(in super::super) fn running_processes() -> io::Result<Vec<ProcessEntry>> {
    let mut running = Vec::new();
    let mut changing = Vec::new();
    for process in all_processes().map_err(io_error)? {
        match entry_of(process)? {
            Some(Found::Complete(entry)) => running.push(entry),
            Some(Found::Changing(entry, waits)) => changing.push((entry, waits)),
            None => {}
        }
    }
    // Not since the begin: on a busy machine the first look alone may take longer than this.
    let began = Instant::now();
    while !changing.is_empty() {
        let waited = began.elapsed();
        let is_late = |waits_for_processor| {
            let timeout = if waits_for_processor {
                EXEC_TIMEOUT_OF_WAITING
            } else {
                EXEC_TIMEOUT
            };
            waited >= timeout
        };
        std::thread::park_timeout(EXEC_POLL_INTERVAL);
        for (old, waits) in std::mem::take(&mut changing) {
            match entry_of(Process::new(old.pid))? {
                Some(Found::Complete(entry)) => running.push(entry),
                Some(Found::Changing(entry, _)) if is_late(waits) => running.push(entry),
                Some(Found::Changing(entry, waits)) => changing.push((entry, waits)),
                None => {}
            }
        }
    }
    Ok(running)
}

/// Returns the processes with these pids, except zombies and this program.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn processes_of(
    pids: impl Iterator<Item = i32>,
) -> io::Result<Vec<ProcessEntry>> {
    // Most of the pids are those of short threads of this program.
    let is_own = |pid: &i32| Path::new("/proc/self/task").join(pid.to_string()).exists();
    let mut others = pids.filter(|pid| !is_own(pid));
    others.try_fold(Vec::new(), |mut entries, pid| {
        match entry_of(Process::new(pid))? {
            // One that executes a program has no tag for a moment.
            Some(Found::Complete(entry) | Found::Changing(entry, _)) => entries.push(entry),
            None => {}
        }
        Ok(entries)
    })
}

/// Returns the other processes that can write to one of these pipes.
pub(in super::super) fn pipe_holders(pipes: &[u64]) -> Vec<PipeHolder> {
    let own = std::process::id().cast_signed();
    let processes = all_processes().into_iter().flatten().flatten();
    let holders = processes.filter(|process| process.pid != own && holds_any(process, pipes));
    holders
        .filter_map(|process| {
            let stat = process.stat().ok()?;
            Some(PipeHolder {
                pid: stat.pid,
                group: stat.pgrp,
                name: stat.comm,
            })
        })
        .collect()
}

fn holds_any(process: &Process, pipes: &[u64]) -> bool {
    let is_without_main = || {
        process
            .stat()
            .is_ok_and(|stat| is_without_main_thread(&stat))
    };
    thread_holds_any(process, pipes).unwrap_or_else(|| {
        let others = is_without_main().then(|| threads_of(process.pid));
        let mut others = others.into_iter().flatten().flatten();
        others.any(|thread| {
            let thread = Process::new_with_root(thread);
            thread.is_ok_and(|thread| thread_holds_any(&thread, pipes) == Some(true))
        })
    })
}

/// Returns `None` if the thread has no open files.
fn thread_holds_any(thread: &Process, pipes: &[u64]) -> Option<bool> {
    // Those of other users can't be read.
    let files = thread.fd().into_iter().flatten().flatten();
    let mut files = files.peekable();
    files.peek()?;
    // A child of this program has its reading end for the moment until it executes a program.
    let writable = files.filter(|file| file.mode().contains(FDPermissions::WRITE));
    let mut targets = writable.map(|file| file.target);
    Some(targets.any(|target| matches!(target, FDTarget::Pipe(number) if pipes.contains(&number))))
}

/// Returns the start of the process with this pid, or `None` if there is no such process. A zombie
/// counts as one.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn start_of(pid: i32) -> io::Result<Option<u64>> {
    let stat = Process::new(pid).and_then(|process| process.stat());
    Ok(unless_gone(stat)?.map(|stat| stat.starttime))
}

/// The flag `PF_KTHREAD` in `/proc/PID/stat`.
const THREAD_OF_KERNEL: u32 = 0x0020_0000;

/// Returns the process with this pid, or `None` if there is none. A zombie counts as one.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn other_process(pid: i32) -> io::Result<Option<OtherProcess>> {
    let Some(process) = unless_gone(Process::new(pid))? else {
        return Ok(None);
    };
    let Some(stat) = unless_gone(process.stat())? else {
        return Ok(None);
    };
    let status = unless_gone(process.status())?;
    let owner = status.map(|status| status.tgid);
    Ok(Some(OtherProcess {
        // It is 0 for a moment after the end.
        thread_of: owner.filter(|owner| ![0, pid].contains(owner)),
        ..of_stat(stat)
    }))
}

fn of_stat(stat: Stat) -> OtherProcess {
    OtherProcess {
        pid: stat.pid,
        parent: stat.ppid,
        group: stat.pgrp,
        started: stat.starttime,
        is_kernel: stat.flags & THREAD_OF_KERNEL != 0,
        name: stat.comm,
        thread_of: None,
    }
}

/// Returns the processes of the user of this program, without zombies and threads of the kernel.
///
/// # Errors
/// The process table can't be read.
pub(in super::super) fn others_of_user() -> io::Result<Vec<OtherProcess>> {
    let user = geteuid().as_raw();
    let mut others = Vec::new();
    for process in all_processes().map_err(io_error)? {
        let Some(process) = unless_gone(process)? else {
            continue;
        };
        if process.uid().ok() != Some(user) {
            continue;
        }
        let stat = unless_gone(process.stat())?;
        others.extend(stat.filter(|stat| !is_without_memory(stat)).map(of_stat));
    }
    Ok(others)
}

/// Returns the time of a start.
pub(in super::super) fn time_of(started: u64) -> SystemTime {
    let boot = procfs::boot_time_secs().unwrap_or_default();
    let since_boot = Duration::from_millis(started * 1_000 / procfs::ticks_per_second());
    UNIX_EPOCH + Duration::from_secs(boot) + since_boot
}

/// Whether a signal or a debugger has stopped the process with this pid.
pub(in super::super) fn is_stopped(pid: i32) -> bool {
    let stat = Process::new(pid).and_then(|process| process.stat());
    stat.is_ok_and(|stat| matches!(stat.state, 'T' | 't'))
}

/// Returns what the table has of a process with this pid that has ended. If it was reaped meanwhile, that
/// is about another process.
///
/// # Errors
/// No more files can be opened.
pub(in super::super) fn ended_entry(pid: i32) -> io::Result<EndedEntry> {
    let Some(process) = unless_gone(Process::new(pid))? else {
        return Ok(EndedEntry::Gone);
    };
    let stat = unless_gone(process.stat())?;
    let Some(stat) = stat.filter(|stat| matches!(stat.state, 'Z' | 'X')) else {
        return Ok(EndedEntry::Gone);
    };
    // Who may not see it reads 0. Its folder is another thing that only those see.
    let is_hidden = || matches!(process.cwd(), Err(ProcError::PermissionDenied(_)));
    Ok(match stat.exit_code {
        Some(status) if status != 0 || !is_hidden() => EndedEntry::Status(status),
        _ => EndedEntry::Hidden,
    })
}

/// The signals that a libc or a shell blocks while it starts a process: all but those that can't be blocked
/// and the two that the libc of GNU keeps for itself.
const ALL_SIGNALS: u64 = 0xffff_fffe_7ffb_feff;

/// Whether a process may do something after `SIGTERM`, because it handles the signal or takes it in another
/// way, for which it blocks it. True if no more files can be opened.
pub(in super::super) fn may_tidy_up(pid: i32) -> bool {
    let status = Process::new(pid).and_then(|process| process.status());
    match unless_gone(status) {
        Ok(Some(status)) => {
            let has_sigterm = |signals: u64| signals & (1 << (Signal::TERM.as_raw() - 1)) != 0;
            // Who waits for signals sleeps.
            let starts_a_process =
                status.sigblk & ALL_SIGNALS == ALL_SIGNALS && !status.state.starts_with('S');
            has_sigterm(status.sigcgt) || has_sigterm(status.sigblk) && !starts_a_process
        }
        Ok(None) => false,
        Err(_limit) => true,
    }
}

/// Returns `None` for an error that is one of the process, such as its end.
///
/// # Errors
/// No more files can be opened.
fn unless_gone<T>(read: ProcResult<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) => match io_error(error) {
            limit if reserve::is_limit(&limit) => Err(limit),
            _gone => Ok(None),
        },
    }
}

fn io_error(error: ProcError) -> io::Error {
    match error {
        ProcError::Io(error, _path) => error,
        other => io::Error::other(other),
    }
}

/// The flag `PF_FORKNOEXEC` in `/proc/PID/stat`.
const FORKED_WITHOUT_EXEC: u32 = 0x40;

enum Found {
    Complete(ProcessEntry),
    /// Of a process that executes a program, or one of whose threads has just ended: without the
    /// environment of the old program, or with a part of it. And whether that waits for a processor.
    Changing(ProcessEntry, bool),
}

/// Returns `None` if the process has ended.
fn entry_of(process: ProcResult<Process>) -> io::Result<Option<Found>> {
    let Some(process) = unless_gone(process)? else {
        return Ok(None);
    };
    let Some(stat) = unless_gone(process.stat())? else {
        return Ok(None);
    };
    if matches!(stat.state, 'Z' | 'X') && stat.num_threads == 1 {
        return Ok(None);
    }
    let limits = limits_of(&process, &stat)?;
    let environ = if is_without_main_thread(&stat) {
        drop(process);
        environ_of_others(stat.pid)?
    } else {
        environ_of(&process, &stat)?
    };
    // Without a thread, or its limits, it is that of a thread which has just handed its pid to another one.
    let is_changing = stat.num_threads == 0
        || limits.as_deref() == Some("")
        || matches!(environ, Environ::Changing);
    let waits_for_processor = stat.state == 'R' && environ_len(&stat).is_none();
    let entry = ProcessEntry {
        pid: stat.pid,
        parent: stat.ppid,
        group: stat.pgrp,
        started: stat.starttime,
        is_copy: stat.flags & FORKED_WITHOUT_EXEC != 0,
        tags: environ.tags(),
        marks: marks_in(&limits.unwrap_or_default()),
        name: stat.comm,
    };
    Ok(Some(if is_changing {
        Found::Changing(entry, waits_for_processor)
    } else {
        Found::Complete(entry)
    }))
}

/// Whether the main thread has ended. The process table shows a zombie without memory then, but the process
/// runs as long as its other threads.
///
/// It ends also when another thread executes a program, which then gets its pid.
fn is_without_main_thread(stat: &Stat) -> bool {
    stat.vsize == 0 && stat.num_threads != 1
}

/// Whether the process has no memory, and so no environment, because it is a thread of the kernel or ends.
fn is_without_memory(stat: &Stat) -> bool {
    stat.vsize == 0 && stat.num_threads == 1
}

enum Environ {
    Whole(Vec<u8>),
    /// That of another user's process, which can't be signalled either.
    Hidden,
    /// There is none, because the process executes a program, or only a part of it was read.
    Changing,
}

impl Environ {
    fn tags(&self) -> Option<OsString> {
        match self {
            Self::Whole(environ) => tags_in(environ),
            Self::Hidden | Self::Changing => None,
        }
    }
}

/// Returns the environment of the program that a thread executes.
///
/// # Errors
/// No more files can be opened.
fn environ_of(thread: &Process, stat: &Stat) -> io::Result<Environ> {
    if is_without_memory(stat) {
        return Ok(Environ::Whole(Vec::new()));
    }
    match read_environ(thread) {
        Ok(environ) if environ_len(stat) == Some(environ.len()) => Ok(Environ::Whole(environ)),
        Ok(_) => Ok(Environ::Changing),
        Err(ProcError::PermissionDenied(_)) => Ok(Environ::Hidden),
        Err(error) => {
            let _gone: Option<()> = unless_gone(Err(error))?;
            Ok(Environ::Changing)
        }
    }
}

/// Returns the environment of a process whose main thread has ended.
///
/// # Errors
/// No more files can be opened.
fn environ_of_others(pid: i32) -> io::Result<Environ> {
    for thread in threads_of(pid)? {
        let Some(thread) = unless_gone(Process::new_with_root(thread))? else {
            continue;
        };
        if let Some(stat) = unless_gone(thread.stat())?
            && stat.vsize > 0
        {
            return environ_of(&thread, &stat);
        }
    }
    Ok(Environ::Changing)
}

/// Returns the folders of the threads of a process. The system shows each as it shows a process.
///
/// # Errors
/// No more files can be opened.
fn threads_of(pid: i32) -> io::Result<Vec<PathBuf>> {
    let folder = PathBuf::from(format!("/proc/{pid}/task"));
    let threads = unless_gone(fs::read_dir(folder).map_err(ProcError::from))?;
    let threads = threads.into_iter().flatten().flatten();
    Ok(threads.map(|thread| thread.path()).collect())
}

fn read_environ(process: &Process) -> ProcResult<Vec<u8>> {
    let mut environ = Vec::new();
    process
        .open_relative("environ")?
        .read_to_end(&mut environ)?;
    Ok(environ)
}

/// Returns the length of the environment; `None` while the process has none because it executes a
/// program.
fn environ_len(stat: &Stat) -> Option<usize> {
    let (start, end) = (stat.env_start?, stat.env_end?);
    // At first the system sets both to the same. It sets the end of the code once they are right.
    let is_set = end > 0 && stat.endcode > 0;
    is_set.then_some(end.saturating_sub(start))?.try_into().ok()
}

fn tags_in(environ: &[u8]) -> Option<OsString> {
    let mut variables = environ.split(|byte| *byte == 0);
    let tags = variables.find_map(|variable| {
        let value = variable.strip_prefix(TAG_VARIABLE.as_bytes())?;
        value.strip_prefix(b"=")
    })?;
    Some(OsStr::from_bytes(tags).to_owned())
}

/// The name of [the limit of the mark](super::linux::mark_limit) in `/proc/PID/limits`.
const MARK_LIMIT_NAME: &str = "Max file locks";

/// Reads the limits of a process; `None` without memory or if it has ended.
///
/// # Errors
/// No more files can be opened.
fn limits_of(process: &Process, stat: &Stat) -> io::Result<Option<String>> {
    if is_without_memory(stat) {
        return Ok(None);
    }
    let mut limits = String::new();
    let read = process
        .open_relative("limits")
        .and_then(|mut file| Ok(file.read_to_string(&mut limits)?));
    Ok(unless_gone(read)?.map(|_length| limits))
}

/// Returns the lower and the upper value of [the limit of the mark](super::linux::mark_limit).
fn marks_in(limits: &str) -> [Option<u64>; 2] {
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix(MARK_LIMIT_NAME));
    // A limit that is not set is no number.
    let mut values = line.unwrap_or_default().split_whitespace();
    [(); 2].map(|()| values.next()?.parse().ok())
}
