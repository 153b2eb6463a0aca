//! The handle of a process, and what it shares with the reaper.

use std::fmt;
use std::io;
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use super::exit::{Exit, ProcessInfo, ProcessState};
use super::launcher::Watch;
use super::output::{Capture, Captured, Output, Stream};
use super::stop::StopReport;
use super::system::{self, Pidfd};
use super::{children, reaper, stop};
use crate::join::clock::{self, Stamp};
use crate::join::graph::{self, Intent, Need, Targets};
use crate::join::panic::contain;
use crate::join::sync::lock;
use crate::join::{JoinError, wait};

/// A handle of one child process.
///
/// A process is *running*, perhaps *stopped*, and then has *ended* with an [`Exit`], which is kept
/// as long as a handle is. Any number of threads may ask for it any number of times. Handles are
/// cheap to clone; dropping the last one detaches the process: it runs on, its output is read and
/// thrown away, and it is reaped when it ends.
///
/// ```
/// use meanwhile::join::process::{Builder, Exit};
/// use std::time::Duration;
///
/// let process = Builder::new("sh").args(["-c", "echo hello; exit 3"]).spawn()?;
/// assert_eq!(process.join_timeout(Duration::from_secs(60))?, Exit::Code(3));
/// assert_eq!(process.output().stdout.text(), "hello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Only a start gives a handle, and only to the one who starts, so that no process can wait for
/// itself or for the one that started it: there is none of a number,
///
/// ```compile_fail
/// meanwhile::join::process::Process::from(std::process::id()).join();
/// ```
///
/// and none comes from what is listed.
///
/// ```compile_fail
/// meanwhile::join::process::active_children()[0].join();
/// ```
#[derive(Clone)]
pub struct Process(Arc<Handle>);

/// All clones of a handle: dropped with the last one.
struct Handle(Arc<Shared>);

/// What handles, reaper and list share of one process.
pub(super) struct Shared {
    key: u64,
    pid: Pid,
    name: Arc<str>,
    mark: String,
    daemon: bool,
    spawned_at: Stamp,
    finished_at: Stamp,
    /// `None` where the system has no pidfds: then a thread waits for the process.
    pidfd: Option<Pidfd>,
    /// Held while the process is signalled or reaped: what is reaped is never signalled, because
    /// its number may be another's by then.
    is_reaped: Mutex<bool>,
    exit: OnceLock<Exit>,
    callbacks: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
    did_end: Condvar,
    is_abandoned: AtomicBool,
    stdout: Capture,
    stderr: Capture,
    ends: Mutex<Ends>,
    watch: Option<Watch>,
}

/// The ends of pipes that the caller uses itself.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
}

/// What a process is made of, once it was started.
pub(super) struct Started {
    pub(super) key: u64,
    pub(super) pid: Pid,
    pub(super) name: Arc<str>,
    pub(super) mark: String,
    pub(super) daemon: bool,
    pub(super) pidfd: Option<Pidfd>,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
    pub(super) ends: Ends,
    pub(super) watch: Option<Watch>,
}

impl Process {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Handle(shared)))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    /// The number that the system gave the process. Once the process has ended, the system may
    /// give it to another; the methods of this handle never touch that one.
    pub fn pid(&self) -> u32 {
        self.shared().pid()
    }

    /// The name it was given, or its program's.
    pub fn name(&self) -> &str {
        &self.shared().name
    }

    /// A snapshot of everything known about the process but its output.
    pub fn info(&self) -> ProcessInfo {
        self.shared().info()
    }

    /// Blocks until the process has ended and tells how; at once if it has ended already.
    ///
    /// It waits for the process itself, not for what that has started: a descendant that still
    /// holds its output keeps nobody waiting. What the process itself printed is in
    /// [`output`](Self::output) by then.
    ///
    /// # Errors
    /// None today: nothing waits for a ring of processes, and a process has no panic. The
    /// signature is that of [`Task::join`](crate::join::Task::join).
    pub fn join(&self) -> Result<Exit, JoinError> {
        self.shared().wait(None).ok_or(JoinError::TimedOut)
    }

    /// Like [`join`](Self::join), but waits at most for `timeout`, and never less.
    ///
    /// [`Duration::ZERO`] asks without waiting; a timeout too long for the clock waits without a
    /// deadline.
    ///
    /// ```
    /// use meanwhile::join::{JoinError, process::Builder};
    /// use std::time::Duration;
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// let too_early = sleeper.join_timeout(Duration::from_millis(1));
    /// assert!(matches!(too_early, Err(JoinError::TimedOut)));
    /// sleeper.kill()?;
    /// assert_eq!(sleeper.join()?.signal_name(), Some("SIGKILL"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TimedOut`](JoinError::TimedOut) when the time is up and the process goes on.
    pub fn join_timeout(&self, timeout: Duration) -> Result<Exit, JoinError> {
        let deadline = wait::deadline(Some(timeout));
        self.shared().wait(deadline).ok_or(JoinError::TimedOut)
    }

    /// How the process ended if it has, without waiting: one atomic load.
    #[inline]
    pub fn poll(&self) -> Option<Exit> {
        self.shared().exit.get().copied()
    }

    /// Whether its end is not published yet. False once any join has returned.
    #[inline]
    pub fn is_alive(&self) -> bool {
        self.poll().is_none()
    }

    /// Where the process stands. Asks the system, about a microsecond.
    pub fn state(&self) -> ProcessState {
        self.shared().state()
    }

    /// Asks the process to end (`SIGTERM`). One that is stopped gets to it when it goes on. What it
    /// has started is left alone: that is what [`stop`](Self::stop) is for. After the end this has
    /// no effect.
    ///
    /// # Errors
    /// The system refused: the process has taken the rights of somebody else.
    pub fn terminate(&self) -> io::Result<()> {
        self.shared().signal(Signal::TERM)
    }

    /// Ends the process at once (`SIGKILL`), also a stopped one. Otherwise like
    /// [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// As `terminate`.
    pub fn kill(&self) -> io::Result<()> {
        self.shared().signal(Signal::KILL)
    }

    /// Ends the process with everything it has started: asks all of them to end, waits for `grace`
    /// at most, kills what is left. Blocks until then, so a window calls it from a task.
    ///
    /// The tree is the process, its group, its descendants and whoever carries its mark in the
    /// environment, also when the process itself has ended already. A stopped one is let go on, so
    /// that it can end. The mark can't be read of programs that macOS protects, such as its own
    /// `/bin/sleep`: one of those that has left both its parents and the group is not found.
    ///
    /// ```
    /// use meanwhile::join::process::Builder;
    /// use std::time::Duration;
    ///
    /// let shell = Builder::new("sh").args(["-c", "sleep 60 & sleep 60"]).spawn()?;
    /// let report = shell.stop(Duration::from_secs(5));
    /// assert!(report.escaped.is_empty());
    /// assert!(!shell.is_alive());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&self, grace: Duration) -> StopReport {
        stop::stop(self.shared(), grace)
    }

    /// What it has printed so far, as far as it was kept. After a join, everything that the process
    /// itself has printed is counted in.
    pub fn output(&self) -> Output {
        Output {
            stdout: self.shared().stdout.snapshot(),
            stderr: self.shared().stderr.snapshot(),
        }
    }

    /// What one stream carried after its first `offset` bytes, as far as it was kept: for a window
    /// that follows it and passes the [`total`](Captured::total) that it saw last.
    ///
    /// ```
    /// use meanwhile::join::process::{Builder, Stream};
    ///
    /// let process = Builder::new("printf").arg("one two").spawn()?;
    /// process.join()?;
    /// assert_eq!(process.output_since(Stream::Stdout, 4).text(), "two");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn output_since(&self, stream: Stream, offset: u64) -> Captured {
        self.shared().capture(stream).since(offset)
    }

    /// How many bytes one stream has carried by now, those included that are still on their way
    /// into [`output`](Self::output): what comes after that many was printed after this call.
    ///
    /// ```
    /// use meanwhile::join::process::{Builder, Stream};
    /// use std::io::{BufRead, BufReader, Write};
    ///
    /// let script = "echo before >&2; echo said; read line; echo after >&2";
    /// let shell = Builder::new("sh").args(["-c", script]).stdin_piped().stdout_piped().spawn()?;
    /// let mut stdout = BufReader::new(shell.take_stdout().unwrap());
    /// stdout.read_line(&mut String::new())?;
    /// let before = shell.written(Stream::Stderr);
    /// shell.take_stdin().unwrap().write_all(b"go on\n")?;
    /// shell.join()?;
    /// assert_eq!(before, 7);
    /// assert_eq!(shell.output_since(Stream::Stderr, before).text(), "after\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn written(&self, stream: Stream) -> u64 {
        self.shared().capture(stream).written()
    }

    /// The writing end of its input, once, where the process was built with
    /// [`stdin_piped`](super::Builder::stdin_piped).
    pub fn take_stdin(&self) -> Option<ChildStdin> {
        lock(&self.shared().ends).stdin.take()
    }

    /// The reading end of its output, once, where the process was built with
    /// [`stdout_piped`](super::Builder::stdout_piped).
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        lock(&self.shared().ends).stdout.take()
    }

    /// Runs `callback` when the process has ended, in whatever way, or now if it has.
    ///
    /// It runs on the reaper, which serves all processes: it must not block. A callback that panics
    /// does not stop the next.
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        self.shared().on_finish(Box::new(callback));
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("pid", &self.pid())
            .field("name", &self.name())
            .field("exit", &self.poll())
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.is_abandoned.store(true, Ordering::Release);
        if self.0.exit.get().is_some() {
            reaper::forget(self.0.key);
        }
    }
}

impl Shared {
    pub(super) fn new(started: Started) -> Self {
        Self {
            key: started.key,
            pid: started.pid,
            name: started.name,
            mark: started.mark,
            daemon: started.daemon,
            spawned_at: Stamp::now(),
            finished_at: Stamp::never(),
            pidfd: started.pidfd,
            is_reaped: Mutex::new(false),
            exit: OnceLock::new(),
            callbacks: Mutex::default(),
            did_end: Condvar::new(),
            is_abandoned: AtomicBool::new(false),
            stdout: started.stdout,
            stderr: started.stderr,
            ends: Mutex::new(started.ends),
            watch: started.watch,
        }
    }

    pub(super) fn capture(&self, stream: Stream) -> &Capture {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }

    pub(super) fn key(&self) -> u64 {
        self.key
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    /// What its environment carries, and that of everything it starts.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    pub(super) fn is_daemon(&self) -> bool {
        self.daemon
    }

    pub(super) fn pidfd(&self) -> Option<&Pidfd> {
        self.pidfd.as_ref()
    }

    pub(super) fn exit(&self) -> Option<Exit> {
        self.exit.get().copied()
    }

    /// Whether no handle is left.
    pub(super) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Acquire)
    }

    pub(super) fn info(&self) -> ProcessInfo {
        ProcessInfo {
            pid: self.pid(),
            name: self.name.clone(),
            state: self.state(),
            daemon: self.daemon,
            spawned_at: self.spawned_at.get().unwrap_or_else(clock::epoch),
            finished_at: self.finished_at.get(),
        }
    }

    fn state(&self) -> ProcessState {
        if let Some(exit) = self.exit() {
            return ProcessState::Ended(exit);
        }
        let is_reaped = lock(&self.is_reaped);
        let peek = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if !*is_reaped && matches!(waitid(self.wait_id(), peek), Ok(Some(_))) {
            ProcessState::Stopped
        } else {
            ProcessState::Running
        }
    }

    /// Blocks until the process has ended or the deadline has passed.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Exit> {
        if let Some(exit) = self.exit() {
            return Some(exit);
        }
        // A process waits for nobody, so this closes no ring; it is entered to be seen.
        let _seen = graph::global().enter(Intent {
            targets: Targets::Process(self.pid()),
            need: Need::All,
            deadline,
        });
        let mut callbacks = lock(&self.callbacks);
        loop {
            if let Some(exit) = self.exit() {
                return Some(exit);
            }
            callbacks = match deadline {
                None => self.did_end.wait(callbacks),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let waited = self.did_end.wait_timeout(callbacks, left);
                    Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
                }
            }
            .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn on_finish(&self, callback: Box<dyn FnOnce() + Send>) {
        {
            let mut callbacks = lock(&self.callbacks);
            if self.exit().is_none() {
                callbacks.push(callback);
                return;
            }
        }
        contain(callback);
    }

    /// Sends a signal, unless the process was reaped.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        let is_reaped = lock(&self.is_reaped);
        if *is_reaped {
            return Ok(());
        }
        let sent = match &self.pidfd {
            Some(pidfd) => pidfd.signal(signal),
            None => kill_process(self.pid, signal),
        };
        match sent {
            // Somebody else has reaped it.
            Err(Errno::SRCH) => Ok(()),
            other => other.map_err(io::Error::from),
        }
    }

    /// Kills its group, unless the process was reaped: by then the number may be another group's.
    pub(super) fn kill_group(&self) {
        let is_reaped = lock(&self.is_reaped);
        if !*is_reaped {
            let _gone_is_as_good = kill_process_group(self.pid, Signal::KILL);
        }
    }

    pub(super) fn is_reaped(&self) -> bool {
        *lock(&self.is_reaped)
    }

    /// Takes the status of the process, if it has ended.
    pub(super) fn reap(&self) -> Option<Exit> {
        let mut is_reaped = lock(&self.is_reaped);
        let exit = match system::reap(self.pid, self.pidfd.as_ref()) {
            Ok(Some(exit)) => exit,
            Ok(None) | Err(Errno::INTR) => return None,
            Err(_) => Exit::Unknown,
        };
        *is_reaped = true;
        Some(exit)
    }

    /// Blocks until the process has ended, without reaping it.
    pub(super) fn block(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(self.wait_id(), options), Err(Errno::INTR)) {}
    }

    fn wait_id(&self) -> WaitId<'_> {
        match &self.pidfd {
            Some(pidfd) => pidfd.wait_id(),
            None => WaitId::Pid(self.pid),
        }
    }

    /// Publishes the end: the list first, then the exit, then those who wait, then the callbacks.
    pub(super) fn publish(&self, exit: Exit) {
        if let Some(watch) = &self.watch {
            watch.end();
        }
        self.finished_at.set_now();
        children::remove(self);
        let callbacks = {
            let mut callbacks = lock(&self.callbacks);
            self.exit.get_or_init(|| exit);
            std::mem::take(&mut *callbacks)
        };
        self.did_end.notify_all();
        for callback in callbacks {
            contain(callback);
        }
    }
}
