//! The state of a process, and its end.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

/// The end of a process. There is no other kind of end, so a `match` may be exhaustive.
///
/// ```
/// use meanwhile_join::process::{Builder, Exit};
///
/// let failed = Builder::new("sh").args(["-c", "exit 7"]).spawn()?.join()?;
/// assert_eq!(failed, Exit::Code(7));
/// assert!(!failed.is_success());
/// assert_eq!(failed.to_string(), "exited with code 7");
/// let killed = Builder::new("sh").args(["-c", "kill -TERM $$"]).spawn()?.join()?;
/// assert_eq!(killed.signal_name(), Some("SIGTERM"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It exited with this code, from 0 to 255. The code is the argument of `exit`, modulo 256.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// The number of the signal.
        signal: i32,
        /// Whether the system wrote a core file.
        core_dumped: bool,
    },
    /// It ended, but other code reaped its status. Another part of the program waits for any child,
    /// or `SIGCHLD` is ignored.
    Unknown,
}

impl Exit {
    /// Returns whether it exited with code 0.
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }

    /// Returns the name of the signal that ended it, such as `SIGKILL`. Returns `None` if no signal
    /// ended it, or if the signal has no name.
    pub fn signal_name(self) -> Option<&'static str> {
        match self {
            Self::Signal { signal, .. } => name_of(signal),
            Self::Code(_) | Self::Unknown => None,
        }
    }

    /// Makes an exit of a wait status, which has an exit code or the signal that ended the process.
    pub(super) fn from_status(code: Option<i32>, signal: Option<i32>, core_dumped: bool) -> Self {
        match (code, signal) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal {
                signal,
                core_dumped,
            },
            (None, None) => Self::Unknown,
        }
    }
}

/// Writes, for example, `exited with code 1` or `killed by signal 9 (SIGKILL)`.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal { signal, .. } => match name_of(*signal) {
                Some(name) => write!(f, "killed by signal {signal} ({name})"),
                None => write!(f, "killed by signal {signal}"),
            },
            Self::Unknown => f.write_str("exited, but its status was reaped by other code"),
        }
    }
}

/// The signals that every Unix has, and those of Linux. Their numbers differ between systems.
const NAMES: &[(Signal, &str)] = &[
    (Signal::HUP, "SIGHUP"),
    (Signal::INT, "SIGINT"),
    (Signal::QUIT, "SIGQUIT"),
    (Signal::ILL, "SIGILL"),
    (Signal::TRAP, "SIGTRAP"),
    (Signal::ABORT, "SIGABRT"),
    (Signal::BUS, "SIGBUS"),
    (Signal::FPE, "SIGFPE"),
    (Signal::KILL, "SIGKILL"),
    (Signal::USR1, "SIGUSR1"),
    (Signal::SEGV, "SIGSEGV"),
    (Signal::USR2, "SIGUSR2"),
    (Signal::PIPE, "SIGPIPE"),
    (Signal::ALARM, "SIGALRM"),
    (Signal::TERM, "SIGTERM"),
    #[cfg(target_os = "linux")]
    (Signal::STKFLT, "SIGSTKFLT"),
    (Signal::CHILD, "SIGCHLD"),
    (Signal::CONT, "SIGCONT"),
    (Signal::STOP, "SIGSTOP"),
    (Signal::TSTP, "SIGTSTP"),
    (Signal::TTIN, "SIGTTIN"),
    (Signal::TTOU, "SIGTTOU"),
    (Signal::URG, "SIGURG"),
    (Signal::XCPU, "SIGXCPU"),
    (Signal::XFSZ, "SIGXFSZ"),
    (Signal::VTALARM, "SIGVTALRM"),
    (Signal::PROF, "SIGPROF"),
    (Signal::WINCH, "SIGWINCH"),
    (Signal::IO, "SIGIO"),
    #[cfg(target_os = "linux")]
    (Signal::POWER, "SIGPWR"),
    (Signal::SYS, "SIGSYS"),
];

fn name_of(signal: i32) -> Option<&'static str> {
    let mut names = NAMES.iter();
    let (_, name) = names.find(|(named, _)| named.as_raw() == signal)?;
    Some(name)
}

/// The state of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcessState {
    /// It runs.
    Running,
    /// A signal such as `SIGSTOP` has stopped it. It continues when it receives `SIGCONT`.
    Stopped,
    /// It ended.
    Ended(Exit),
}

/// A snapshot of a process without its output.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessInfo {
    pub(super) key: u64,
    /// The process id.
    pub pid: u32,
    /// The name that was given to the builder, or the program's file name.
    pub name: Arc<str>,
    /// Its state.
    pub state: ProcessState,
    /// Whether [`shutdown`](crate::shutdown) stops it instead of waiting for it.
    pub daemon: bool,
    /// The time at which it was started.
    pub spawned_at: Instant,
    /// The time at which its end was noticed; `None` while it runs.
    pub finished_at: Option<Instant>,
}

impl ProcessInfo {
    /// Returns its run time, so far or in total.
    pub fn elapsed(&self) -> Duration {
        let end = self.finished_at.unwrap_or_else(Instant::now);
        end.saturating_duration_since(self.spawned_at)
    }
}
