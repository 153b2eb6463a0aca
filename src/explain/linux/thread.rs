//! One look at a thread.

use std::collections::BTreeMap;
use std::time::Duration;

use syscalls::Sysno;

use super::call::{self, SystemCall};
use super::escaped::escaped;
use super::finding::{Finding, Who};
use super::reader::ProcessReader;
use super::small;
use crate::graph::{Activity, File, FileKind};

/// How often a thread is looked at again that ran meanwhile.
const MAX_LOOKS: usize = 3;

/// A thread as it was at one time.
#[derive(Clone, Debug)]
pub(super) struct SeenThread {
    pub(super) tid: u32,
    pub(super) stat: Stat,
    doing: Doing,
    pub(super) finding: Finding,
    pub(super) schedule: Schedule,
    /// Where it is in its program, as its runtime says.
    pub(super) place: Option<String>,
    /// Its runtime says what it waits for.
    pub(super) is_answered: bool,
}

/// The threads of an earlier look, by the ids of their process and their own.
pub(super) type Earlier<'a> = BTreeMap<(u32, u32), &'a SeenThread>;

/// What the scheduler counts of a thread. It is all the same at two times if the thread has not run in
/// between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    /// In nanoseconds.
    pub(super) run_time: u64,
    /// In nanoseconds.
    pub(super) waiting_time: u64,
    pub(super) runs: u64,
}

/// The parts of `stat` that are needed.
#[derive(Clone, Debug)]
pub(super) struct Stat {
    pub(super) name: String,
    state: char,
    pub(super) parent: u32,
    group: i32,
    /// The process group that may use the terminal.
    terminal_group: i32,
    pub(super) started: u64,
}

/// What `syscall` says.
#[derive(Clone, Debug)]
enum Doing {
    Running,
    /// It waits in the kernel, and not for a system call: for a page of memory, or because it has ended.
    NoCall,
    Call(SystemCall),
    NotPermitted,
}

impl Stat {
    /// Reads `/proc/PID/stat` or that of a thread.
    pub(super) fn read(path: &str) -> Option<Self> {
        let text = small::text(path)?;
        // The name may have brackets, spaces and line ends itself.
        let (begin, rest) = text.rsplit_once(')')?;
        let name = begin.split_once('(')?.1;
        let words: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            name: escaped(name),
            state: words.first()?.chars().next()?,
            parent: words.get(1)?.parse().ok()?,
            group: words.get(2)?.parse().ok()?,
            terminal_group: words.get(5)?.parse().ok()?,
            started: words.get(19)?.parse().ok()?,
        })
    }

    pub(super) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Looks at a thread for the first time. Returns nothing if it has ended.
///
/// What is read of it belongs together only if a second look finds that it has not run since.
pub(super) fn first_look(process: &ProcessReader<'_>, tid: u32) -> Option<SeenThread> {
    let folder = folder(process, tid);
    read(process, &folder, tid, Schedule::read(&folder))
}

/// Looks at a thread once more. Returns nothing if it has ended.
pub(super) fn second_look(
    process: &ProcessReader<'_>,
    tid: u32,
    earlier: &Earlier<'_>,
) -> Option<SeenThread> {
    let folder = folder(process, tid);
    let mut schedule = Schedule::read(&folder);
    if let Some(earlier) = earlier.get(&(process.pid, tid))
        && schedule.is_known()
        && schedule == earlier.schedule
    {
        // It has not run, so it does what it did. Others may have changed what it waits for.
        let finding = finding(process, &folder, &earlier.stat, &earlier.doing);
        return Some(SeenThread {
            finding,
            place: None,
            is_answered: false,
            ..(*earlier).clone()
        });
    }
    for _ in 1..MAX_LOOKS {
        let seen = read(process, &folder, tid, schedule)?;
        schedule = Schedule::read(&folder);
        if schedule == seen.schedule {
            return Some(seen);
        }
    }
    read(process, &folder, tid, schedule)
}

fn folder(process: &ProcessReader<'_>, tid: u32) -> String {
    format!("/proc/{}/task/{tid}", process.pid)
}

fn read(
    process: &ProcessReader<'_>,
    folder: &str,
    tid: u32,
    schedule: Schedule,
) -> Option<SeenThread> {
    let doing = doing(folder);
    let stat = Stat::read(&format!("{folder}/stat"))?;
    let finding = finding(process, folder, &stat, &doing);
    Some(SeenThread {
        tid,
        stat,
        doing,
        finding,
        schedule,
        place: None,
        is_answered: false,
    })
}

impl Schedule {
    /// A thread that waits has run before. Some systems count nothing.
    fn is_known(self) -> bool {
        self.runs > 0
    }

    /// Returns for how long the thread has run since an earlier time, and for how long it could have.
    pub(super) fn since(self, before: Self) -> [Duration; 2] {
        let ran = self.run_time.saturating_sub(before.run_time);
        let ready = self.waiting_time.saturating_sub(before.waiting_time);
        [ran, ready].map(Duration::from_nanos)
    }

    fn read(folder: &str) -> Self {
        let text = small::text(&format!("{folder}/schedstat")).unwrap_or_default();
        let mut numbers = text
            .split_whitespace()
            .map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self {
            run_time: next(),
            waiting_time: next(),
            runs: next(),
        }
    }
}

fn doing(folder: &str) -> Doing {
    let Some(text) = small::text(&format!("{folder}/syscall")) else {
        return Doing::NotPermitted;
    };
    if text.trim() == "running" {
        return Doing::Running;
    }
    let mut words = text.split_whitespace();
    let number = words.next().and_then(|number| number.parse::<usize>().ok());
    let Some(name) = number.and_then(Sysno::new).map(|call| call.name()) else {
        return Doing::NoCall;
    };
    let mut argument = || {
        let hex = words.next().and_then(|word| word.strip_prefix("0x"));
        hex.and_then(|hex| u64::from_str_radix(hex, 16).ok())
            .unwrap_or(0)
    };
    Doing::Call(SystemCall {
        name,
        arguments: std::array::from_fn(|_| argument()),
    })
}

fn finding(process: &ProcessReader<'_>, folder: &str, stat: &Stat, doing: &Doing) -> Finding {
    match (stat.state, doing) {
        ('Z' | 'X', _) => Finding::new(Activity::Ended),
        ('t', _) => traced(folder),
        ('T', Doing::Call(call))
            if uses_terminal(process, call) && stat.group != stat.terminal_group =>
        {
            Finding::new(Activity::StoppedByTerminal)
        }
        ('T', _) => Finding::new(Activity::Stopped),
        (_, Doing::NotPermitted) => Finding::new(Activity::NotPermitted),
        ('R', _) | (_, Doing::Running) => Finding::new(Activity::Computes),
        (_, _) if process.is_frozen() => Finding::new(Activity::Frozen),
        (_, Doing::NoCall) => on_device(process, folder, None),
        ('D', Doing::Call(call)) if is_fork(call) => {
            let children = process
                .system
                .table()
                .children(process.pid)
                .map(Who::Process)
                .collect();
            Finding::awaiting(Activity::Vfork, children)
        }
        // To look at the file would wait as it does, unless it is a FIFO.
        (_, Doing::Call(call)) if is_open(call) && !waits_in(folder).contains("partner") => {
            on_device(process, folder, None)
        }
        (state, Doing::Call(call)) => {
            let call = restarted(folder, call.clone());
            let found = call::finding(process, &call);
            let is_file = |file: &File| file.name.starts_with('/');
            match found.activity {
                Activity::Device(file) => on_device(process, folder, file),
                Activity::Reads(file) | Activity::Writes(file)
                    if state == 'D' && is_file(&file) =>
                {
                    on_device(process, folder, Some(file))
                }
                _ => found,
            }
        }
    }
}

/// A wait for a disk, or for a process that serves a file system.
fn on_device(process: &ProcessReader<'_>, folder: &str, file: Option<File>) -> Finding {
    if waits_in(folder).contains("request_wait_answer") {
        let servers = process.system.file_servers(process.pid);
        Finding::awaiting(Activity::FileSystem(file), servers)
    } else {
        Finding::new(Activity::Device(file))
    }
}

fn traced(folder: &str) -> Finding {
    let tracer = super::reader::status_number(&format!("{folder}/status"), "TracerPid:");
    let tracer = tracer.filter(|pid| *pid != 0).map(Who::Process);
    Finding::awaiting(Activity::Traced, tracer.into_iter().collect())
}

/// The file of these calls is their first argument.
fn uses_terminal(process: &ProcessReader<'_>, call: &SystemCall) -> bool {
    let file = || process.file(call.arguments[0]);
    matches!(call.name, "read" | "write" | "ioctl")
        && file().is_some_and(|open| open.kind() == FileKind::Terminal)
}

fn is_open(call: &SystemCall) -> bool {
    matches!(call.name, "open" | "openat")
}

fn is_fork(call: &SystemCall) -> bool {
    matches!(call.name, "vfork" | "clone" | "clone3")
}

/// A call that a stop has interrupted goes on under another number, with its arguments.
fn restarted(folder: &str, call: SystemCall) -> SystemCall {
    if call.name != "restart_syscall" {
        return call;
    }
    let place = waits_in(folder);
    let name = if place.contains("futex") {
        "futex"
    } else if place.contains("poll") {
        "poll"
    } else {
        "nanosleep"
    };
    SystemCall { name, ..call }
}

/// Returns the function of the kernel in which a thread waits, or nothing if that is not shown.
fn waits_in(folder: &str) -> String {
    small::text(&format!("{folder}/wchan")).unwrap_or_default()
}
