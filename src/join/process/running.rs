//! Processes that something else has started, and that this program waits for nevertheless.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::io::Errno;
use rustix::process::Pid;

use super::super::SpawnError as ThreadError;
use super::super::changes::Subscription;
use super::foreign::Foreign;
use super::group::ProcessGroup;
use super::handle::Process;
use super::output::StreamCapture;
use super::reaper::{self, WatchedChild};
use super::shared::{Origin, PipeEnds, ProcessShared, Spawned};
use super::start::next_key;
use super::system::{self, OtherProcess, Pidfd};
use super::tree::StartTime;
use super::{stopper, tag};

/// More generations than these have no process.
const MAX_GENERATIONS: usize = 1_000;

/// The reason why a running process could not be adopted. The process goes on.
///
/// The text contains the cause, so [`source`](std::error::Error::source) is `None`.
///
/// ```
/// use meanwhile_join::process::{AdoptError, Process};
///
/// let error = Process::adopt(std::process::id()).unwrap_err();
/// assert!(matches!(error, AdoptError::Own));
/// assert_eq!(error.to_string(), "a program can't wait for its own end");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum AdoptError {
    /// No process has this id, or not any more.
    NoSuchProcess {
        /// The process id.
        pid: u32,
    },
    /// The id is that of a thread.
    Thread {
        /// The id of the thread.
        id: u32,
        /// The process of the thread.
        pid: u32,
    },
    /// It is this program.
    Own,
    /// It has started this program, directly or through others.
    Ancestor {
        /// The process id.
        pid: u32,
        /// The name of the process.
        name: String,
    },
    /// It is a thread of the kernel, which has no end that says anything.
    Kernel {
        /// The process id.
        pid: u32,
        /// The name of the thread.
        name: String,
    },
    /// The system does not offer what that takes: Linux 5.3 or later does.
    NotSupported,
    /// The system refused to open it.
    Refused {
        /// The process id.
        pid: u32,
        /// The error of the system.
        cause: io::Error,
    },
    /// The system refused one of the threads that serve all processes.
    NoThread(ThreadError),
}

impl fmt::Display for AdoptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchProcess { pid } => write!(f, "no process has the id {pid}"),
            Self::Thread { id, pid } => {
                write!(f, "{id} is a thread of process {pid}: take that process")
            }
            Self::Own => f.write_str("a program can't wait for its own end"),
            Self::Ancestor { pid, name } => write!(
                f,
                "process {pid} (`{name}`) has started this program and may wait for it: wait for it \
                 from elsewhere"
            ),
            Self::Kernel { pid, name } => {
                write!(
                    f,
                    "{pid} (`{name}`) is a thread of the kernel, not a process"
                )
            }
            Self::NotSupported => {
                f.write_str("only Linux 5.3 or later tells the end of a process that is no child")
            }
            Self::Refused { pid, cause } => write!(f, "process {pid} can't be watched: {cause}"),
            Self::NoThread(cause) => cause.fmt(f),
        }
    }
}

impl Error for AdoptError {}

impl From<ThreadError> for AdoptError {
    fn from(cause: ThreadError) -> Self {
        Self::NoThread(cause)
    }
}

/// A process of this user, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningProcess {
    /// The process id.
    pub pid: u32,
    /// Its name in the process table; Linux keeps at most 15 bytes of it.
    pub name: String,
    /// The time at which it was started.
    pub started_at: SystemTime,
    identity: u64,
}

impl RunningProcess {
    /// Adopts this very process; see [`Process::adopt`].
    ///
    /// # Errors
    /// [`AdoptError::NoSuchProcess`] also if another process has its id by now.
    pub fn adopt(&self) -> Result<Process, AdoptError> {
        adopt(self.pid, Some(self.identity))
    }
}

/// Returns the processes of this user that can be adopted, sorted by their ids. Those of the kernel, this
/// program, its children and those that have started it are not among them.
///
/// ```
/// use meanwhile_join::process;
///
/// # #[cfg(all(target_os = "linux", not(other_unix)))]
/// for found in process::running_processes()? {
///     let age = found.started_at.elapsed().unwrap_or_default();
///     println!("{} {} has run for {} s", found.pid, found.name, age.as_secs());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The process table can't be read. Elsewhere than on Linux it is
/// [`Unsupported`](io::ErrorKind::Unsupported).
pub fn running_processes() -> io::Result<Vec<RunningProcess>> {
    let ancestors: Vec<i32> = ancestors().into_iter().map(|it| it.pid).collect();
    let own = std::process::id().cast_signed();
    let others = system::others_of_user()?.into_iter();
    let others = others.filter(|it| ![it.pid, it.parent].contains(&own));
    let others = others.filter(|it| !ancestors.contains(&it.pid));
    let running = others.map(|process| RunningProcess {
        pid: process.pid.unsigned_abs(),
        started_at: system::time_of(process.started),
        identity: process.started,
        name: process.name,
    });
    Ok(running.collect())
}

// It is here because the module `handle` does not depend on the process table.
impl Process {
    /// Adopts a running process that something else has started: another program, or a user in a terminal.
    /// From then on it is joined, polled, awaited, selected, signalled, paused and
    /// [stopped](Self::stop) with its tree like any other.
    ///
    /// It is not among the [`live_processes`](super::live_processes), and a
    /// [`shutdown`](crate::shutdown) neither waits for it nor stops it. Its output is not captured. To drop the
    /// handle leaves it as it is.
    ///
    /// Its exit is known as long as its parent has not reaped it, and on Linux 6.15 or later also after
    /// that, if `perl` or `python3` is installed: one of these is started for a moment, because that
    /// takes a system call for which there is no safe interface. Otherwise the exit is
    /// [`Exit::Unknown`](super::Exit::Unknown).
    ///
    /// Its tree is found by parents alone. So a stop does not end what it has started and that has
    /// outlived its parent, nor the other processes of its group, such as those of the same pipeline; and a
    /// stop after its end does nothing.
    ///
    /// A later process with the same pid is never taken for it. To find the right one, let the user choose
    /// from [`running_processes`](super::running_processes).
    ///
    /// ```
    /// use meanwhile_join::process::Process;
    /// use std::process::{Command, Stdio};
    /// use std::io::{BufRead as _, BufReader};
    ///
    /// // The shell reaps its child, whose exit is known nevertheless.
    /// let script = "exec 3<&0; sh -c 'read line; exit 7' <&3 & echo $!; wait";
    /// let mut shell = Command::new("sh");
    /// let shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    /// let mut shell = shell.spawn()?;
    /// let mut line = String::new();
    /// BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line)?;
    ///
    /// # #[cfg(all(target_os = "linux", not(other_unix)))]
    /// # {
    /// let process = Process::adopt(line.trim().parse()?)?;
    /// assert_eq!(process.poll(), None);
    /// drop(shell.stdin.take());
    /// println!("it {}", process.join()?); // it exited with code 7
    /// # }
    /// # drop(shell.stdin.take());
    /// # shell.wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AdoptError`] lists the causes. The program itself and those that have started it are refused,
    /// since a wait for them may never end.
    pub fn adopt(pid: u32) -> Result<Self, AdoptError> {
        adopt(pid, None)
    }
}

/// Adopts the process with this pid and, if that is given, this start.
fn adopt(pid: u32, identity: Option<u64>) -> Result<Process, AdoptError> {
    let gone = || AdoptError::NoSuchProcess { pid };
    let refused = |cause| AdoptError::Refused { pid, cause };
    let raw = i32::try_from(pid).ok().filter(|raw| *raw > 0);
    let raw = raw.ok_or_else(gone)?;
    if pid == std::process::id() {
        return Err(AdoptError::Own);
    }
    let before = system::other_process(raw).map_err(refused)?;
    let before = before.ok_or_else(gone)?;
    if identity.is_some_and(|identity| identity != before.started) {
        return Err(gone());
    }
    if let Some(owner) = before.thread_of {
        return Err(AdoptError::Thread {
            id: pid,
            pid: owner.unsigned_abs(),
        });
    }
    if before.is_kernel {
        let name = before.name;
        return Err(AdoptError::Kernel { pid, name });
    }
    if ancestors().iter().any(|it| it.pid == raw) {
        let name = before.name;
        return Err(AdoptError::Ancestor { pid, name });
    }
    let pidfd = Pidfd::open(raw).map_err(|error| match error {
        Errno::SRCH => gone(),
        other => refused(other.into()),
    })?;
    let pidfd = pidfd.ok_or(AdoptError::NotSupported)?;
    // As long as it is not reaped, its pid can't mean another process.
    let after = system::other_process(raw).map_err(refused)?;
    let after = after.filter(|after| after.started == before.started);
    if pidfd.is_reaped().map_err(refused)? {
        return Err(gone());
    }
    watch(raw, pidfd, after.ok_or_else(gone)?)
}

fn watch(raw: i32, pidfd: Pidfd, process: OtherProcess) -> Result<Process, AdoptError> {
    let pid = Pid::from_raw(raw).ok_or(AdoptError::NoSuchProcess {
        pid: raw.unsigned_abs(),
    })?;
    reaper::start()?;
    stopper::start()?;
    let key = next_key();
    let pidfd = Arc::new(pidfd);
    let silent = || Arc::new(StreamCapture::new(0, None, false));
    let spawned = Spawned {
        key,
        pid,
        newest_pid: raw,
        began: StartTime::now(),
        // A stop must not end the others of its group, which may be those of a user's terminal.
        group: ProcessGroup::Inherited,
        name: process.name.into(),
        // It does not have it, and nothing else has it.
        tag: tag::new_tag(key),
        daemon: true,
        kill_on_drop: false,
        pidfd: Some(pidfd.clone()),
        stdout: silent(),
        stderr: silent(),
        stderr_is_stdout: false,
        launcher: None,
        guard: None,
        origin: Origin::Foreign(Foreign::new(process.group)),
        subscription: Subscription::new(None),
    };
    let shared = Arc::new(ProcessShared::new(spawned, PipeEnds::default()));
    let process = Process::new(shared.clone());
    reaper::watch(WatchedChild {
        shared,
        stdin: None,
        stdout: None,
        stderr: None,
        followers: Vec::new(),
        pidfd: Some(pidfd),
        held: None,
    })?;
    Ok(process)
}

/// The processes that have started this program, beginning with its parent.
fn ancestors() -> Vec<OtherProcess> {
    let parent_of = |pid| system::other_process(pid).ok().flatten();
    let own = parent_of(std::process::id().cast_signed());
    let generations = std::iter::successors(own, |process| parent_of(process.parent));
    generations.skip(1).take(MAX_GENERATIONS).collect()
}
