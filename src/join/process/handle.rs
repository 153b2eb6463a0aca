//! The handle of a process.

use std::fmt;
use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::waiters::Awaited;
use super::super::{CallbackGuard, JoinError, Select, wait};
use super::exit::{Exit, ProcessInfo, ProcessState};
use super::exit_error::ExitError;
use super::output::{Captured, Output, Stream, StreamCapture};
use super::shared::ProcessShared;
use super::stop::StopReport;
use super::stop_all::stop_all;
use super::tree::Root as _;
use super::{reaper, tree_signal};

/// A handle of one child process.
///
/// A process is *running*, possibly *stopped*, and finally *ended* with an [`Exit`], which is kept
/// as long as a handle exists. Any number of threads may ask for it any number of times. Handles
/// are cheap to clone. Dropping the last one detaches the process: it keeps running, its output is
/// read and discarded, and it is reaped when it exits. The ends of its pipes that nobody has taken are
/// closed. It ends instead if it was built with
/// [`kill_on_drop`](super::Builder::kill_on_drop).
///
/// ```
/// use meanwhile_join::process::{Builder, Exit};
/// use std::time::Duration;
///
/// let process = Builder::new("sh").args(["-c", "echo hello; exit 3"]).spawn()?;
/// assert_eq!(process.join_timeout(Duration::from_secs(60))?, Exit::Code(3));
/// assert_eq!(process.output().stdout.text(), "hello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A start returns a handle, [`Builder::adopt`](super::Builder::adopt) of a child of this program, and
/// [`adopt`](Self::adopt) of a process that something else has started. That refuses this program and
/// those above it, so a process can't wait for itself or for its parent. A handle can't be made from a pid
/// unchecked,
///
/// ```compile_fail
/// meanwhile_join::process::Process::from(std::process::id()).join();
/// ```
///
/// and the list of children has no handles.
///
/// ```compile_fail
/// meanwhile_join::process::live_processes()[0].join();
/// ```
#[derive(Clone)]
#[must_use = "without a handle, its end is not known; drop it to detach the process"]
pub struct Process(Arc<Handle>);

/// The value that all clones of a handle share. It is dropped with the last one.
struct Handle(Arc<ProcessShared>);

impl Process {
    pub(super) fn new(shared: Arc<ProcessShared>) -> Self {
        Self(Arc::new(Handle(shared)))
    }

    pub(super) fn shared(&self) -> &Arc<ProcessShared> {
        &self.0.0
    }

    pub(super) fn awaited(&self) -> Arc<dyn Awaited> {
        self.0.0.clone()
    }

    pub(super) fn capture(&self, stream: Stream) -> Arc<StreamCapture> {
        self.shared().capture(stream).clone()
    }

    /// Returns the process id. The system may reuse it once the process has ended. The methods of
    /// this handle never touch the process that gets it.
    pub fn pid(&self) -> u32 {
        self.shared().pid()
    }

    /// Returns the name that was given to the builder, or the program's file name.
    pub fn name(&self) -> &str {
        self.shared().name()
    }

    /// Returns a snapshot of the process without its output. Asks the system for the state, which
    /// takes about a microsecond.
    pub fn info(&self) -> ProcessInfo {
        self.shared().info()
    }

    /// Blocks until the process has ended, and returns its [`Exit`].
    ///
    /// Waits for the process itself, not for its descendants. A descendant that still holds the
    /// output pipe does not delay the join. By then all text that the process itself printed is in
    /// [`output`](Self::output).
    ///
    /// # Errors
    /// Never fails today, because a process can't be part of a deadlock cycle and can't panic. It
    /// has the signature of [`Task::join`](crate::Task::join).
    pub fn join(&self) -> Result<Exit, JoinError> {
        Ok(self.shared().join())
    }

    /// Like [`join`](Self::join), but times out after `timeout`, and never earlier.
    ///
    /// [`Duration::ZERO`] polls. A timeout too long for the clock, such as [`Duration::MAX`], waits
    /// without a deadline.
    ///
    /// ```
    /// use meanwhile_join::{JoinError, process::Builder};
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
    /// [`TimedOut`](JoinError::TimedOut) if the timeout expires first. The process goes on.
    pub fn join_timeout(&self, timeout: Duration) -> Result<Exit, JoinError> {
        self.join_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`join_timeout`](Self::join_timeout), but times out at this time, and never earlier. So
    /// several joins share one deadline. `None` is no deadline.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Exit};
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(60);
    /// let (first, second) = (Builder::new("true").spawn()?, Builder::new("true").spawn()?);
    /// assert_eq!(first.join_deadline(deadline)?, Exit::Code(0));
    /// assert_eq!(second.join_deadline(deadline)?, Exit::Code(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`join_timeout`](Self::join_timeout).
    pub fn join_deadline(&self, deadline: impl Into<Option<Instant>>) -> Result<Exit, JoinError> {
        self.shared()
            .wait(deadline.into())
            .ok_or(JoinError::TimedOut)
    }

    /// Blocks until the process has ended, like [`join`](Self::join). Returns the captured output if
    /// it exited with code 0. After a [`join_timeout`](Self::join_timeout) that has returned an exit,
    /// it does not block.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let greeting = Builder::new("echo").arg("hello").spawn()?.join_checked()?;
    /// assert_eq!(greeting.stdout.text(), "hello\n");
    /// let failed = Builder::new("sh").args(["-c", "echo 'no disk' >&2; exit 2"]).spawn()?;
    /// let error = failed.join_checked().unwrap_err();
    /// assert_eq!(error.to_string(), "`sh` exited with code 2: no disk");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ExitError`] if it ended in any other way. The error has the name of the process, and the
    /// last lines of its stderr, as far as they were captured.
    pub fn join_checked(&self) -> Result<Output, ExitError> {
        let exit = self.shared().join();
        if exit.is_success() {
            return Ok(self.output());
        }
        let printed = self.output_since(self.shared().error_stream(), 0);
        Err(ExitError::new(self.shared().name().clone(), exit, &printed))
    }

    /// Returns the exit without waiting, or `None` while the process runs. Takes one atomic load.
    #[inline]
    pub fn poll(&self) -> Option<Exit> {
        self.shared().exit()
    }

    /// Returns whether the process has ended. True once any join has returned an exit.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.poll().is_some()
    }

    /// Returns the state of the process. Asks the system, which takes about a microsecond.
    pub fn state(&self) -> ProcessState {
        self.shared().state()
    }

    /// Sends `SIGTERM` to the process, without waiting for its end. A stopped process handles it
    /// when it continues. Descendants are left alone; see [`stop`](Self::stop). Has no effect after
    /// the end.
    ///
    /// # Errors
    /// Fails if the system refuses, because the process runs as another user now.
    pub fn terminate(&self) -> io::Result<()> {
        self.shared().signal(Signal::TERM)
    }

    /// Sends `SIGKILL` to the process, which ends it at once, even if it is stopped. Otherwise like
    /// [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// Fails as `terminate` does.
    pub fn kill(&self) -> io::Result<()> {
        self.shared().signal(Signal::KILL)
    }

    /// Sends the signal with this number, such as 1 for `SIGHUP`, to the process alone. Otherwise like
    /// [`terminate`](Self::terminate). The number of a signal may differ between systems.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// sleeper.signal(14)?; // not ignored after `nohup`, as 1 is
    /// assert_eq!(sleeper.join()?.signal_name(), Some("SIGALRM"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails with [`InvalidInput`](io::ErrorKind::InvalidInput) if no signal has this number and a
    /// name, which the real-time signals of Linux (34 to 64) don't have. Otherwise fails as `terminate`
    /// does.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        self.shared().signal(tree_signal::named(number)?)
    }

    /// Pauses the process and all its descendants with `SIGSTOP`, until [`resume`](Self::resume). Has
    /// no effect after the end. The tree is that of [`stop`](Self::stop), which ends it also when it
    /// is paused. Reads the process table, which takes some milliseconds. A process of another user
    /// is not paused. A process that was just starting another one may be shown as running.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, ProcessState};
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// sleeper.pause();
    /// while sleeper.state() != ProcessState::Stopped {} // the system takes a moment
    /// sleeper.resume();
    /// sleeper.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self) {
        tree_signal::pause(&**self.shared());
    }

    /// Continues the process and all its descendants with `SIGCONT`, whoever has stopped them.
    pub fn resume(&self) {
        tree_signal::resume(&**self.shared());
    }

    /// Ends the process and all its descendants. Sends `SIGTERM`, waits at most for `grace`, then
    /// kills the remaining processes. Returns what happened to each process. Blocks until then, so
    /// call it in a task, not on the UI thread.
    ///
    /// `SIGTERM` goes to those that are there when the stop begins. What they start in order to tidy up
    /// is left to finish within the grace, and is killed with the rest when that is over. On Linux, what was
    /// started while the stop began gets it too. Only what a process that handles `SIGTERM` starts at the
    /// moment of the signal may pass for a part of its tidying up.
    ///
    /// The tree is the process, its descendants, the processes of its [own
    /// group](super::ProcessGroup::Own) if it has one, and every process with its tag in the
    /// environment, even when the process itself has ended already. On Linux the descendants of a
    /// [launched](super::Builder::launched_by) process are found also if they have cleared their
    /// environment and have left their parents and their group. Stopped processes are
    /// continued, so that they can exit. macOS does not show the environment of its own protected
    /// programs, such as `/bin/sleep`: one of these that left its parents and its group is not
    /// found. Elsewhere than on Linux, neither is one that executes a program at that moment.
    ///
    /// One that is not found and holds a [captured](super::Redirect::Capture) stream of the process open is
    /// not signalled, and is in [`escaped`](StopReport::escaped). A stop that finds such a stream open waits
    /// for up to a tenth of a second that it is closed.
    ///
    /// A few files are kept open in reserve, so this works also at the limit of open files. If the
    /// process table can't be read all the same, [`may_be_incomplete`](StopReport::may_be_incomplete) is
    /// set, and only the process itself or its own group was signalled.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    /// use std::time::Duration;
    ///
    /// let shell = Builder::new("sh").args(["-c", "sleep 60 & sleep 60"]).spawn()?;
    /// let report = shell.stop(Duration::from_secs(5));
    /// assert!(report.escaped.is_empty());
    /// assert!(shell.is_finished());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&self, grace: Duration) -> StopReport {
        let mut reports = stop_all(&[self.shared().clone()], grace);
        reports.pop().unwrap_or_default()
    }

    /// Returns the captured output so far, by value. After a join it includes all text that the process
    /// itself printed. Copies the kept bytes, so it needs no handle that is the only one: a callback, or
    /// anybody else, may hold others. [`written`](Self::written) counts the bytes without the copy.
    pub fn output(&self) -> Output {
        let since_start = |stream| self.output_since(stream, 0);
        Output {
            stdout: since_start(Stream::Stdout),
            stderr: since_start(Stream::Stderr),
        }
    }

    /// Returns the captured output of one stream after its first `offset` bytes. To follow a
    /// stream, pass the [`total`](Captured::total) of the previous call.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Stream};
    ///
    /// let process = Builder::new("printf").arg("one two").spawn()?;
    /// process.join()?;
    /// assert_eq!(process.output_since(Stream::Stdout, 4).text(), "two");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn output_since(&self, stream: Stream, offset: u64) -> Captured {
        self.shared().capture(stream).since(offset)
    }

    /// Returns the number of bytes written to one stream so far, including those that are not in
    /// [`output`](Self::output) yet. Bytes beyond that number were printed after this call.
    pub fn written(&self, stream: Stream) -> u64 {
        self.shared().capture(stream).written()
    }

    /// Takes the writing end of the process's stdin. Returns `None` if it was taken before, or if
    /// the process was not built with [`stdin_piped`](super::Builder::stdin_piped).
    ///
    /// To stream input, write to it in a task. A write waits until the process has read enough, and
    /// nothing else waits meanwhile; that to a [buffered](super::Builder::stdin_buffered) stdin does not. It fails with [`BrokenPipe`](io::ErrorKind::BrokenPipe) once no
    /// process can read it. Dropping it ends the input.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    /// use std::io::Write;
    ///
    /// let count = Builder::new("wc").arg("-l").stdin_piped().spawn()?;
    /// let mut stdin = count.take_stdin().ok_or("it was taken before")?;
    /// let writing = meanwhile_join::spawn("input", move |_| {
    ///     (0..100_000).try_for_each(|number| writeln!(stdin, "{number}"))
    /// })?;
    /// count.join()?;
    /// assert!(writing.join()?.is_ok());
    /// assert_eq!(count.output().stdout.text().trim(), "100000");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_stdin(&self) -> Option<ChildStdin> {
        self.shared().take_stdin()
    }

    /// Takes the reading end of the process's stdout. Returns `None` if it was taken before, or if
    /// the process's stdout is not [`Piped`](super::Redirect::Piped).
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        self.shared().take_stdout()
    }

    /// Takes the reading end of the process's stderr. Returns `None` if it was taken before, or if
    /// the process's stderr is not [`Piped`](super::Redirect::Piped).
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Redirect};
    ///
    /// let shell = Builder::new("sh").args(["-c", "echo warning >&2"]);
    /// let process = shell.stderr(Redirect::Piped).spawn()?;
    /// let stderr = process.take_stderr().ok_or("it was taken before")?;
    /// assert_eq!(std::io::read_to_string(stderr)?, "warning\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        self.shared().take_stderr()
    }

    /// Runs `callback` when the process has ended, or now if it has ended already.
    ///
    /// If it has ended, the callback runs on the calling thread. A later callback runs after the exit is published, on a thread for callbacks, so it may block:
    /// for example, it may join or stop other processes. The callbacks of one process run one after
    /// the other; those of different processes do not wait for each other. If one waits for something of
    /// this library, those after it run on another thread meanwhile. If a callback panics, the
    /// panic is ignored and the next one still runs.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    /// use std::time::Duration;
    ///
    /// let server = Builder::new("sleep").arg("60").spawn()?;
    /// let client = Builder::new("true").spawn()?;
    /// let stopped = server.clone();
    /// client.on_finish(move || drop(stopped.stop(Duration::from_secs(5))));
    /// assert_eq!(server.join()?.signal_name(), Some("SIGTERM"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_finish(&self, callback: impl FnOnce() + Send + 'static) {
        self.shared().on_finish(Box::new(callback));
    }

    /// Runs `callback` with the exit when the process has ended, or now if it has ended already.
    /// Dropping the guard takes the callback back; [`CallbackGuard::keep`] leaves it. Otherwise as
    /// [`on_finish`](Self::on_finish).
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Exit};
    ///
    /// let (send, receive) = std::sync::mpsc::channel();
    /// let process = Builder::new("false").spawn()?;
    /// let guard = process.on_exit(move |exit| send.send(exit).unwrap());
    /// assert_eq!(receive.recv()?, Exit::Code(1));
    /// drop(guard);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_exit(&self, callback: impl FnOnce(Exit) + Send + 'static) -> CallbackGuard {
        let process = self.0.0.clone();
        let callback = move || {
            if let Some(exit) = process.exit() {
                callback(exit);
            }
        };
        self.0.0.on_finish_guarded(Box::new(callback))
    }
}

impl Select<'_> {
    /// Adds a process as a source. It is ready when it has ended.
    ///
    /// ```
    /// use meanwhile_join::{Select, process::Builder};
    ///
    /// let sleeper = Builder::new("sleep").arg("60").spawn()?;
    /// let quick = Builder::new("true").spawn()?;
    /// assert_eq!(Select::new().process(&sleeper).process(&quick).wait(), Ok(1));
    /// sleeper.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn process(self, process: &Process) -> Self {
        self.others([process.awaited()])
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
        for stream in [Stream::Stdout, Stream::Stderr] {
            if self.0.take_reader(stream) {
                reaper::close(self.0.key(), stream);
            }
        }
        self.0.close_pipe_ends();
        if self.0.last_use().note_abandoned() {
            reaper::forget(self.0.key());
        } else if self.0.is_killed_on_drop() && self.0.exit().is_none() {
            // The exit is published a moment before `note_end`.
            self.0.kill_soon();
        }
    }
}
