//! What a thread waits for, by the system call that it is in.

use std::path::Path;
use std::time::Duration;

use rustix::time::ClockId;

use super::escaped::escaped;
use super::files::{End, OpenFile, fdinfo, is_fifo};
use super::finding::{Finding, Who};
use super::futex;
use super::reader::{ProcessReader, low};
use crate::graph::{Activity, Children, Deadline, FileKind, Lock};

/// A system call that a thread is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SystemCall {
    /// Its name on this processor.
    pub(super) name: &'static str,
    pub(super) arguments: [u64; 6],
}

/// What the caller of `poll` waits for.
const POLLIN: u16 = 1;
const POLLOUT: u16 = 4;

/// At most so many files of one call are looked at.
const MAX_POLLED: usize = 1024;

const F_SETLKW: u32 = 7;
const F_OFD_SETLKW: u32 = 38;

/// The flag of `clock_nanosleep` for a time of the clock.
const TIMER_ABSTIME: u64 = 1;

const P_ALL: u32 = 0;
const P_PID: u32 = 1;
const P_PGID: u32 = 2;
const P_PIDFD: u32 = 3;

/// Returns what a thread waits for that is in `call`.
pub(super) fn finding(process: &ProcessReader<'_>, call: &SystemCall) -> Finding {
    let [first, second, third, fourth, fifth, _] = call.arguments;
    match call.name {
        "futex" => futex::finding(process, call),
        "futex_wait" | "futex_waitv" => Finding::new(Activity::Woken),
        "read" | "pread64" | "readv" | "preadv" | "preadv2" | "recvfrom" | "recvmsg"
        | "recvmmsg" | "splice" | "tee" | "copy_file_range" => transfer(process, first, End::Write),
        "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "sendto" | "sendmsg"
        | "sendmmsg" | "vmsplice" | "sendfile" => transfer(process, first, End::Read),
        "accept" | "accept4" => on_file(process, first, Activity::Accepts),
        "connect" => connect(process, first, second),
        "open" => open(process, first, second),
        "openat" => open(process, second, third),
        "poll" => polled(process, first, second).until(milliseconds(third)),
        "ppoll" => polled(process, first, second).until(relative(process, third)),
        "select" => selected(process, call).until(timeval(process, fifth)),
        "pselect6" => selected(process, call).until(relative(process, fifth)),
        "epoll_wait" | "epoll_pwait" => epoll(process, first).until(milliseconds(fourth)),
        "epoll_pwait2" => epoll(process, first).until(relative(process, fourth)),
        "wait4" => children(process, low(first).cast_signed()),
        "waitid" => wait_by_id(process, low(first), second),
        "nanosleep" => sleep(process.time(first).map(Deadline::Of)),
        "clock_nanosleep" if second & TIMER_ABSTIME == 0 => {
            sleep(process.time(third).map(Deadline::Of))
        }
        "clock_nanosleep" => sleep(process.time(third).map(|time| until(low(first), time))),
        "pause" | "rt_sigsuspend" => Finding::new(Activity::Signal),
        "rt_sigtimedwait" => Finding::new(Activity::Signal).until(relative(process, third)),
        "flock" => file_lock(process, first),
        "fcntl" if matches!(low(second), F_SETLKW | F_OFD_SETLKW) => file_lock(process, first),
        "fsync" | "fdatasync" | "sync_file_range" | "syncfs" => {
            let file = process.file(first).map(|open| open.file(process.system));
            Finding::new(Activity::Device(file))
        }
        "msgrcv" | "msgsnd" | "semop" | "semtimedop" | "mq_timedreceive" | "mq_timedsend" => {
            Finding::new(Activity::Queue)
        }
        name => Finding::new(Activity::SystemCall(name.to_owned())),
    }
}

fn sleep(deadline: Option<Deadline>) -> Finding {
    Finding::new(Activity::Sleeps).until(Some(deadline.unwrap_or(Deadline::Sometime)))
}

/// Returns the time left until a time of the clock with this number.
fn until(clock: u32, time: Duration) -> Deadline {
    match clock {
        0 => futex::time_left(ClockId::Realtime, time),
        1 => futex::time_left(ClockId::Monotonic, time),
        7 => futex::time_left(ClockId::Boottime, time),
        _ => Deadline::Sometime,
    }
}

/// A limit in milliseconds; a negative one is none.
fn milliseconds(argument: u64) -> Option<Deadline> {
    let limit = u64::try_from(low(argument).cast_signed()).ok()?;
    Some(Deadline::Of(Duration::from_millis(limit)))
}

/// A limit at this address; zero is none.
fn relative(process: &ProcessReader<'_>, address: u64) -> Option<Deadline> {
    let limit = || {
        process
            .time(address)
            .map_or(Deadline::Sometime, Deadline::Of)
    };
    (address != 0).then(limit)
}

/// A limit in microseconds at this address; zero is none.
fn timeval(process: &ProcessReader<'_>, address: u64) -> Option<Deadline> {
    let limit = || -> Option<Deadline> {
        let seconds = Duration::from_secs(process.u64(address)?);
        Some(Deadline::Of(
            seconds + Duration::from_micros(process.u64(address.checked_add(8)?)?),
        ))
    };
    (address != 0).then(|| limit().unwrap_or(Deadline::Sometime))
}

/// A wait for one file, whose other end somebody has.
fn transfer(process: &ProcessReader<'_>, fd: u64, needs: End) -> Finding {
    let Some(open) = process.file(fd) else {
        return Finding::new(Activity::SystemCall("read or write".to_owned()));
    };
    let file = open.file(process.system);
    if open.kind() == FileKind::Other {
        return Finding::new(Activity::Device(Some(file)));
    }
    let activity = match needs {
        End::Write => Activity::Reads(file),
        End::Read => Activity::Writes(file),
    };
    let others = open.others(process.system, needs);
    let is_shared_unseen = open.is_shared_unseen(process.system, &others);
    Finding {
        is_shared_unseen,
        ..Finding::awaiting(activity, others)
    }
}

fn on_file(
    process: &ProcessReader<'_>,
    fd: u64,
    activity: fn(crate::graph::File) -> Activity,
) -> Finding {
    let open = process.file(fd).map(|open| open.file(process.system));
    Finding::new(open.map_or(Activity::SystemCall("accept".to_owned()), activity))
}

/// Waits for the listener: of a Unix socket, the address has its path.
fn connect(process: &ProcessReader<'_>, fd: u64, address: u64) -> Finding {
    let mut finding = on_file(process, fd, Activity::Connects);
    let path = address.checked_add(2).and_then(|path| process.text(path));
    if let (Activity::Connects(file), Some(path)) = (&mut finding.activity, path)
        && file.kind == FileKind::UnixSocket
    {
        let path = String::from_utf8_lossy(&path).into_owned();
        let listener = process.system.sockets().listener(&path);
        file.name = escaped(&path);
        finding.awaits =
            listener.map_or_else(Vec::new, |inode| process.system.holders().of_socket(inode));
    }
    finding
}

/// To open a FIFO waits until its other end is open.
fn open(process: &ProcessReader<'_>, path: u64, flags: u64) -> Finding {
    const ACCESS_MODE: u64 = 3;
    let other = || Finding::new(Activity::Device(None));
    let Some(path) = process.text(path) else {
        return other();
    };
    let path = String::from_utf8_lossy(&path).into_owned();
    // A relative path begins at the working folder, which is right for `AT_FDCWD` alone.
    let from_here = Path::new(&format!("/proc/{}/cwd", process.pid)).join(&path);
    if !is_fifo(&from_here.to_string_lossy()) {
        return other();
    }
    let reads = flags & ACCESS_MODE == 0;
    let absolute = std::fs::canonicalize(&from_here).unwrap_or(from_here);
    let holders = process.system.holders_of_path(&absolute);
    let awaits = holders
        .into_iter()
        .map(|(pid, _)| Who::Process(pid))
        .collect();
    Finding::awaiting(
        Activity::OpensFifo {
            path: escaped(&path),
            reads,
        },
        awaits,
    )
}

fn file_lock(process: &ProcessReader<'_>, fd: u64) -> Finding {
    let holders = process.file(fd).map_or_else(Vec::new, |open| {
        process
            .system
            .locks()
            .holders(process.system, process.pid, &open)
    });
    Finding::awaiting(Activity::Locks(Lock::File), holders)
}

/// Waits for one child, for any of a process group, or for any at all.
fn children(process: &ProcessReader<'_>, id: i32) -> Finding {
    let table = process.system.table();
    let any = |pids: Vec<u32>| {
        let awaits = pids.into_iter().map(Who::Process).collect();
        Finding::awaiting(Activity::Children(Children::Any), awaits)
    };
    match id {
        1.. => {
            let child = process.process(id.cast_unsigned()).into_iter().collect();
            Finding::awaiting(Activity::Children(Children::One), child)
        }
        -1 => any(table.children(process.pid).collect()),
        0 => any(table
            .group(process.pid)
            .map_or_else(Vec::new, |group| table.children_in(process.pid, group))),
        group => any(table.children_in(process.pid, group.saturating_neg())),
    }
}

fn wait_by_id(process: &ProcessReader<'_>, kind: u32, id: u64) -> Finding {
    match kind {
        P_ALL => children(process, -1),
        P_PID => children(process, low(id).cast_signed()),
        P_PGID if low(id) == 0 => children(process, 0),
        P_PGID => children(process, low(id).cast_signed().saturating_neg()),
        P_PIDFD => {
            let ends = process
                .file(id)
                .map(|open| open.others(process.system, End::Write));
            Finding::awaiting(Activity::Children(Children::One), ends.unwrap_or_default())
        }
        _ => Finding::new(Activity::Children(Children::Any)),
    }
}

/// Several files, of which one is enough.
struct Polled<'a> {
    process: &'a ProcessReader<'a>,
    files: Vec<crate::graph::File>,
    awaits: Vec<Who>,
    /// It is known of each file who can end the wait.
    all_known: bool,
}

impl<'a> Polled<'a> {
    fn new(process: &'a ProcessReader<'a>) -> Self {
        Self {
            process,
            files: Vec::new(),
            awaits: Vec::new(),
            all_known: true,
        }
    }

    fn add(&mut self, open: Option<OpenFile>, events: u16) {
        let Some(open) = open else {
            self.all_known = false;
            return;
        };
        let system = self.process.system;
        let mut others = Vec::new();
        if events & POLLIN != 0 || events & POLLOUT == 0 {
            others.extend(open.others(system, End::Write));
        }
        if events & POLLOUT != 0 {
            others.extend(open.others(system, End::Read));
        }
        self.all_known &= !others.is_empty() && !open.is_shared_unseen(system, &others);
        self.awaits.extend(others);
        self.files.push(open.file(system));
    }

    /// Whom it waits for is known only if nobody else can end the wait.
    fn finding(self) -> Finding {
        let awaits = if self.all_known {
            self.awaits
        } else {
            Vec::new()
        };
        let mut files = self.files;
        files.dedup();
        Finding::awaiting(Activity::Polls(files), awaits)
    }
}

/// The array of `poll`: a descriptor, the events that are asked for, and those that came.
fn polled(process: &ProcessReader<'_>, address: u64, count: u64) -> Finding {
    const ENTRY: usize = 8;
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(MAX_POLLED);
    let mut polled = Polled::new(process);
    let entries = process.block(address, count * ENTRY).unwrap_or_default();
    polled.all_known = !entries.is_empty() || count == 0;
    for entry in entries.chunks_exact(ENTRY) {
        let fd = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
        let events = u16::from_ne_bytes([entry[4], entry[5]]);
        // A negative one is left out by the system.
        if fd >= 0 {
            polled.add(process.file(u64::from(fd.cast_unsigned())), events);
        }
    }
    polled.finding()
}

/// The sets of `select`: those to read, and those to write.
fn selected(process: &ProcessReader<'_>, call: &SystemCall) -> Finding {
    let count = usize::try_from(low(call.arguments[0]))
        .unwrap_or(usize::MAX)
        .min(MAX_POLLED);
    let mut polled = Polled::new(process);
    for (address, events) in [(call.arguments[1], POLLIN), (call.arguments[2], POLLOUT)] {
        let bytes = count.div_ceil(64) * 8;
        let set = if address == 0 {
            None
        } else {
            process.block(address, bytes)
        };
        for fd in 0..count {
            let is_in = |set: &Vec<u8>| set[fd / 8] & (1 << (fd % 8)) != 0;
            if set.as_ref().is_some_and(is_in) {
                polled.add(process.file(fd as u64), events);
            }
        }
    }
    polled.finding()
}

/// The files of an epoll are in its `fdinfo`.
fn epoll(process: &ProcessReader<'_>, fd: u64) -> Finding {
    let mut polled = Polled::new(process);
    let info = fdinfo(process.pid, low(fd).cast_signed());
    for line in info
        .lines()
        .filter(|line| line.starts_with("tfd:"))
        .take(MAX_POLLED)
    {
        let value = |key: &str| {
            let rest = line.split_once(key)?.1.trim_start();
            rest.split_whitespace().next()
        };
        let file = value("tfd:").and_then(|fd| process.file(fd.parse().ok()?));
        let events = value("events:").and_then(|bits| u32::from_str_radix(bits, 16).ok());
        // The descriptor may have been closed, and be another file now.
        let inode = value("ino:").and_then(|inode| u64::from_str_radix(inode, 16).ok());
        let is_same = |open: &OpenFile| open.device_and_inode().map(|(_, _, ino)| ino) == inode;
        let events = u16::try_from(events.unwrap_or(0) & 0xffff).unwrap_or(0);
        polled.add(file.filter(is_same), events);
    }
    polled.finding()
}
