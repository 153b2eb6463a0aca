//! Starting processes.

use std::ffi::OsStr;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use rustix::process::Pid;

use super::super::priority::{Priority, spawn_thread};
use super::super::{CancelToken, SpawnError as ThreadError};
use super::error::SpawnError;
use super::follower::{Follower, OnLine};
use super::group::ProcessGroup;
use super::guard::TreeGuard;
use super::handle::Process;
use super::invocation::Invocation;
use super::launch_options::LaunchOptions;
use super::launcher::Launcher;
use super::line::Line;
use super::output::{Stream, StreamCapture};
use super::reaper::{self, StdinWriter, WatchedChild};
use super::shared::{PipeEnds, ProcessShared, Spawned};
use super::streams::{Input, Redirect, Streams};
use super::system::Pidfd;
use super::{children, patient, spawner, tag};

const DEFAULT_OUTPUT_LIMIT: usize = 1024 * 1024;

/// Configures and starts a process.
///
/// Arguments reach the program unchanged; no shell is involved. The process gets an empty stdin,
/// and its output is captured.
///
/// ```
/// use meanwhile_join::process::{Builder, Exit};
///
/// let count = Builder::new("wc").arg("-c").stdin_bytes("four").spawn()?;
/// assert_eq!(count.join()?, Exit::Code(0));
/// assert_eq!(count.output().stdout.text().trim(), "4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    invocation: Invocation,
    name: Option<String>,
    streams: Streams,
    output_limit: usize,
    on_line: Vec<OnLine>,
    daemon: bool,
    kill_on_drop: bool,
    group: ProcessGroup,
    priority: Option<Priority>,
    launch: Option<(Launcher, LaunchOptions)>,
    cancel_token: Option<CancelToken>,
}

impl Builder {
    /// Returns the default settings for a process that runs `program`, which is a path or a name
    /// that is looked up in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self::of(Invocation {
            program: program.as_ref().to_owned(),
            ..Invocation::default()
        })
    }

    fn of(invocation: Invocation) -> Self {
        Self {
            invocation,
            name: None,
            streams: Streams::default(),
            output_limit: DEFAULT_OUTPUT_LIMIT,
            on_line: Vec::new(),
            daemon: false,
            kill_on_drop: false,
            group: ProcessGroup::default(),
            priority: None,
            launch: None,
            cancel_token: None,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.invocation.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.invocation.args.extend(args);
        self
    }

    /// Sets argument 0, in which the program finds its own name. Default: the program as it was
    /// given. A login shell, for example, gets a name that begins with `-`.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let shell = Builder::new("sh").arg0("other").args(["-c", "echo $0"]).spawn()?;
    /// shell.join()?;
    /// assert_eq!(shell.output().stdout.text(), "other\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn arg0(mut self, name: impl AsRef<OsStr>) -> Self {
        self.invocation.arg0 = Some(name.as_ref().to_owned());
        self
    }

    /// Sets the name under which the process is listed. Default: the program's file name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the working directory. Default: that of this program. If the program is a relative
    /// path, it is relative to this directory.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.invocation.current_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets an environment variable. The process inherits all others from this program.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        let env = &mut self.invocation.env;
        env.insert(name.as_ref().to_owned(), value);
        self
    }

    /// Sets environment variables; see [`env`](Self::env).
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let shell = Builder::new("sh").args(["-c", "echo $FIRST$SECOND"]);
    /// let process = shell.envs([("FIRST", "1"), ("SECOND", "2")]).spawn()?;
    /// process.join()?;
    /// assert_eq!(process.output().stdout.text(), "12\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn envs(
        self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Self {
        let variables = variables.into_iter();
        variables.fold(self, |builder, (name, value)| builder.env(name, value))
    }

    /// Removes an environment variable.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        let env = &mut self.invocation.env;
        env.insert(name.as_ref().to_owned(), None);
        self
    }

    /// Clears the environment, except for `MEANWHILE_TREE`, by which descendants are found.
    /// Variables that are set later are kept.
    pub fn env_clear(mut self) -> Self {
        self.invocation.env_is_cleared = true;
        self.invocation.env.clear();
        self
    }

    /// Writes these bytes to the process's stdin in the background, then closes it.
    pub fn stdin_bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.streams.stdin = Input::Bytes(bytes.as_ref().into());
        self
    }

    /// Makes this file the process's stdin. The file is opened when the process is started.
    pub fn stdin_file(mut self, path: impl AsRef<Path>) -> Self {
        self.streams.stdin = Input::File(path.as_ref().to_owned());
        self
    }

    /// Makes an open file, pipe or socket the process's stdin, such as the stdout of another
    /// process. This program closes its copy once the process is started.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Redirect};
    ///
    /// let numbers = Builder::new("seq").arg("1000").stdout(Redirect::Piped).spawn()?;
    /// let stdout = numbers.take_stdout().ok_or("it was taken before")?;
    /// let count = Builder::new("wc").arg("-l").stdin_from(stdout).spawn()?;
    /// count.join()?;
    /// assert_eq!(count.output().stdout.text().trim(), "1000");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stdin_from(mut self, source: impl Into<OwnedFd>) -> Self {
        self.streams.stdin = Input::Descriptor(Arc::new(source.into()));
        self
    }

    /// Gives the process the stdin of this program, such as a terminal. To read from a terminal, a
    /// process must be in the [group](Self::group) of this program.
    ///
    /// ```no_run
    /// use meanwhile_join::process::{Builder, Redirect};
    ///
    /// let editor = Builder::new("vi").arg("notes.txt").stdin_inherit();
    /// let editor = editor.stdout(Redirect::Inherit).stderr(Redirect::Inherit);
    /// editor.spawn()?.join()?.check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stdin_inherit(mut self) -> Self {
        self.streams.stdin = Input::Inherit;
        self
    }

    /// Leaves the process's stdin to the caller; see [`Process::take_stdin`].
    pub fn stdin_piped(mut self) -> Self {
        self.streams.stdin = Input::Piped;
        self
    }

    /// Sets where the process's stdout leads. Default: [`Redirect::Capture`].
    pub fn stdout(mut self, redirect: Redirect) -> Self {
        self.streams.stdout = redirect;
        self
    }

    /// Sets where the process's stderr leads. Default: [`Redirect::Capture`].
    pub fn stderr(mut self, redirect: Redirect) -> Self {
        self.streams.stderr = redirect;
        self.streams.stderr_is_stdout = false;
        self
    }

    /// Sends the process's stderr where its stdout leads, in the order in which it prints. If stdout
    /// is captured, both are in [`Stream::Stdout`].
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let shell = Builder::new("sh").args(["-c", "echo 1; echo 2 >&2; echo 3"]);
    /// let process = shell.stderr_to_stdout().spawn()?;
    /// process.join()?;
    /// assert_eq!(process.output().stdout.text(), "1\n2\n3\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stderr_to_stdout(mut self) -> Self {
        self.streams.stderr_is_stdout = true;
        self
    }

    /// Short for [`stdout(Redirect::Piped)`](Self::stdout).
    pub fn stdout_piped(self) -> Self {
        self.stdout(Redirect::Piped)
    }

    /// Calls `function` with each line of a captured stream, soon after the process has printed it.
    ///
    /// The function runs on a thread for callbacks, one line after the other, and may block. The
    /// process does not wait for it: if it is slow, lines are dropped as in [`Process::lines`]. A
    /// join does not wait for it either. It is dropped after the last line, which a receiver can
    /// notice. If it panics, the panic is ignored, and the next line still reaches it. A second
    /// function for the same stream also gets all lines. A stream that is not captured has no
    /// lines. When the process has ended and has no handle any more, the function gets no lines of
    /// descendants.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Stream};
    /// use std::sync::mpsc::channel;
    ///
    /// let (sender, lines) = channel();
    /// let numbers = Builder::new("seq").arg("3").on_line(Stream::Stdout, move |line| {
    ///     sender.send(line.to_string()).ok();
    /// });
    /// drop(numbers.spawn()?); // detached
    /// assert_eq!(lines.iter().collect::<Vec<_>>(), ["1", "2", "3"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_line(
        mut self,
        stream: Stream,
        function: impl Fn(Line) + Send + Sync + 'static,
    ) -> Self {
        self.on_line.push(OnLine {
            stream,
            function: Arc::new(function),
        });
        self
    }

    /// Keeps the last `bytes` bytes of each captured stream. Default: 1 MiB.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Sets whether the process is a daemon: [`shutdown`](crate::shutdown) stops it instead
    /// of waiting for it. Default: false.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Sets whether the process is killed with all its descendants when its last handle is dropped.
    /// [`Lines`](super::Lines) and callbacks that own a handle count. Has no effect once the process
    /// has ended. Default: false.
    ///
    /// The drop finds the tree like [`Process::stop`], which takes some milliseconds, and does not
    /// wait for its end.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let server = Builder::new("sleep").arg("60").kill_on_drop(true).spawn()?;
    /// let (ended, receiver) = std::sync::mpsc::channel();
    /// server.on_finish(move || ended.send(()).unwrap_or_default());
    /// drop(server);
    /// receiver.recv()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kill_on_drop(mut self, kill: bool) -> Self {
        self.kill_on_drop = kill;
        self
    }

    /// Sets the process group. Default: [`ProcessGroup::Inherited`], so Ctrl-C in a terminal ends
    /// the process together with this program.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, ProcessGroup};
    ///
    /// // Ctrl-C reaches this program alone, which stops the server in its own time.
    /// let server = Builder::new("sleep").arg("60").group(ProcessGroup::Own).spawn()?;
    /// server.kill()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn group(mut self, group: ProcessGroup) -> Self {
        self.group = group;
        self
    }

    /// Sets the priority of a process that no launcher starts. [`Priority::Normal`] is that of this
    /// program, even if the calling thread is in the background. Default: the priority of the
    /// calling thread. With a launcher, [`LaunchOptions::priority`] counts.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Starts the process through a launcher, which sets its priority and limits, and ends it when
    /// this program exits.
    pub fn launched_by(mut self, launcher: &Launcher, options: LaunchOptions) -> Self {
        self.launch = Some((launcher.clone(), options));
        self
    }

    /// Has the process stopped with all its descendants when the token is cancelled, as by
    /// [`Process::stop`] with a grace of a second. The cancel does not wait for that. Has no effect
    /// once the process itself has ended. If the token is cancelled already, nothing is started.
    ///
    /// ```
    /// use meanwhile_join::{CancelToken, process::Builder};
    ///
    /// let token = CancelToken::new();
    /// let server = Builder::new("sleep").arg("60").cancel_token(&token).spawn()?;
    /// token.cancel();
    /// assert_eq!(server.join()?.signal_name(), Some("SIGTERM"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_token(mut self, token: &CancelToken) -> Self {
        self.cancel_token = Some(token.clone());
        self
    }

    /// Starts the process, and returns its handle once the program is loaded. With a launcher it
    /// returns once the launcher is loaded.
    ///
    /// This takes a millisecond or so, but as long as the system needs: for ever if the program, its
    /// folder or its input is on a disk that does not respond, or if its input is a named pipe that
    /// nobody writes to. [`spawn_while`](Self::spawn_while) does not wait for ever.
    ///
    /// # Errors
    /// [`SpawnError`] lists the causes. If a launcher passes these checks and still can't execute
    /// the program, the process exits with code 126 or 127 and prints the reason on its stderr.
    pub fn spawn(self) -> Result<Process, SpawnError> {
        self.invocation.check()?;
        if self
            .cancel_token
            .as_ref()
            .is_some_and(CancelToken::is_cancelled)
        {
            let program = self.invocation.program_name();
            return Err(SpawnError::Cancelled { program });
        }
        if self.launch.is_some() {
            self.invocation.check_program()?;
        }
        reaper::start()?;
        let key = next_key();
        let tag = tag::new_tag(key);
        let (command, shared_pipe) = self.command(&tag)?;
        let (spawned, guard) = match &self.launch {
            Some((launcher, _)) => {
                let guard = launcher.guard(&tag)?;
                (spawner::spawn(command)?, Some(guard))
            }
            None => (self.start(command)?, None),
        };
        let child = spawned.map_err(|cause| self.refusal(cause))?;
        // Only the reaper reaps the child, so the pid can't be another process's yet.
        let pidfd = Pidfd::of_child(&child);
        self.adopt(Started {
            child,
            shared_pipe,
            pidfd,
            key,
            tag,
            guard,
        })
    }

    /// Like [`spawn`](Self::spawn), but gives up when `goes_on` returns false. It is asked every 20
    /// ms while the start is under way.
    ///
    /// A start that was given up goes on in a thread of its own. If it succeeds after all, the
    /// process is killed at once.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Exit};
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(60);
    /// let process = Builder::new("true").spawn_while(|| Instant::now() < deadline)?;
    /// assert_eq!(process.join()?, Exit::Code(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SpawnError::GivenUp`] if it gave up. Otherwise fails as `spawn` does.
    pub fn spawn_while(self, goes_on: impl FnMut() -> bool) -> Result<Process, SpawnError> {
        let program = self.invocation.program_name();
        patient::spawn_while(program, move || self.spawn(), goes_on)
    }

    /// Returns the error for a refusal of the system.
    pub(super) fn refusal(&self, cause: io::Error) -> SpawnError {
        self.invocation.explain(cause)
    }

    /// Starts a command without a launcher, at the priority that was set.
    fn start(&self, mut command: Command) -> Result<io::Result<Child>, SpawnError> {
        match self.priority {
            // The child inherits the priority of the thread that starts it.
            Some(Priority::Background) => {
                let (reply, replies) = sync_channel(1);
                let thread = std::thread::Builder::new();
                spawn_thread(thread, Priority::Background, move || {
                    let spawned = command.spawn();
                    // Closes the files that the child uses before the caller continues.
                    drop(command);
                    // The caller waits for the reply, so it is received.
                    reply.send(spawned).ok();
                })
                .map_err(|cause| ThreadError {
                    name: "background".to_owned(),
                    cause,
                })?;
                let gone = || Err(io::Error::other("the thread that starts it has ended"));
                Ok(replies.into_iter().next().unwrap_or_else(gone))
            }
            Some(Priority::Normal) if Priority::current() == Priority::Background => {
                Ok(spawner::spawn(command)?)
            }
            Some(Priority::Normal) | None => Ok(command.spawn()),
        }
    }

    /// Hands a child that was just started to the reaper.
    fn adopt(&self, mut started: Started) -> Result<Process, SpawnError> {
        let pid = Pid::from_child(&started.child);
        let pipes = self.pipes(&mut started);
        let name = self.name.clone();
        let stdout = StreamCapture::new(self.output_limit, pipes.stdout.clone());
        let stderr = StreamCapture::new(self.output_limit, pipes.stderr.clone());
        let spawned = Spawned {
            key: started.key,
            pid,
            group: self.group,
            name: name.unwrap_or_else(|| self.invocation.file_name()).into(),
            tag: started.tag,
            daemon: self.daemon,
            kill_on_drop: self.kill_on_drop,
            pidfd: started.pidfd,
            stdout: Arc::new(stdout),
            stderr: Arc::new(stderr),
            stderr_is_stdout: self.streams.stderr_is_stdout,
            guard: started.guard,
        };
        let shared = Arc::new(ProcessShared::new(spawned, pipes.ends));
        let process = Process::new(shared.clone());
        children::add(&shared);
        let watched = WatchedChild {
            followers: self.followers(&shared),
            shared: shared.clone(),
            stdin: pipes.stdin,
            stdout: pipes.stdout,
            stderr: pipes.stderr,
            held: None,
        };
        reaper::watch(watched).map_err(|error| self.refusal(error.cause))?;
        if let Some(token) = &self.cancel_token {
            shared.stop_on_cancel(token);
        }
        Ok(process)
    }

    fn followers(&self, shared: &ProcessShared) -> Vec<Arc<Follower>> {
        let on_line = self.on_line.iter().cloned();
        on_line
            .map(|on_line| {
                let capture = shared.capture(on_line.stream).clone();
                Follower::new(on_line, capture)
            })
            .collect()
    }

    /// Divides the pipes of a child between the caller and the reaper.
    fn pipes(&self, started: &mut Started) -> Pipes {
        let child = &mut started.child;
        let shared_pipe = started.shared_pipe.take().map(OwnedFd::from);
        let stdout = shared_pipe.or_else(|| child.stdout.take().map(OwnedFd::from));
        let stderr = child.stderr.take().map(OwnedFd::from);
        let mut pipes = Pipes::default();
        match &self.streams.stdin {
            Input::Piped => pipes.ends.stdin = child.stdin.take(),
            Input::Bytes(bytes) => {
                pipes.stdin = child.stdin.take().map(|pipe| StdinWriter {
                    pipe: non_blocking(pipe),
                    bytes: bytes.clone(),
                    written: 0,
                });
            }
            Input::Empty | Input::Inherit | Input::File(_) | Input::Descriptor(_) => {}
        }
        if matches!(self.streams.stdout, Redirect::Piped) {
            pipes.ends.stdout = stdout.map(Into::into);
        } else {
            pipes.stdout = stdout.map(non_blocking).map(Arc::new);
        }
        if matches!(self.streams.stderr, Redirect::Piped) {
            pipes.ends.stderr = stderr.map(Into::into);
        } else {
            pipes.stderr = stderr.map(non_blocking).map(Arc::new);
        }
        pipes
    }

    /// Returns the command, and the reading end of the pipe that its stdout and stderr share, if
    /// there is one.
    fn command(&self, tag: &str) -> Result<(Command, Option<PipeReader>), SpawnError> {
        let Invocation {
            program,
            arg0,
            args,
            ..
        } = &self.invocation;
        let mut command = if let Some((launcher, options)) = &self.launch {
            launcher.command(options, program, arg0.as_deref(), args)
        } else {
            let mut command = Command::new(program);
            command.arg0(arg0.as_ref().unwrap_or(program)).args(args);
            command
        };
        self.invocation.apply_to(&mut command);
        command.env(tag::TAG_VARIABLE, tag::variable_for(tag));
        let program = self.invocation.program_name();
        let shared_pipe = self.streams.connect(&mut command, &program)?;
        if self.group == ProcessGroup::Own {
            command.process_group(0);
        }
        Ok((command, shared_pipe))
    }
}

/// A child that was just started.
struct Started {
    child: Child,
    /// The reading end of the pipe that its stdout and stderr share.
    shared_pipe: Option<PipeReader>,
    pidfd: Option<Pidfd>,
    key: u64,
    tag: String,
    guard: Option<TreeGuard>,
}

/// Takes over the program, the arguments, the working directory, and the variables that are set or
/// removed.
///
/// Nothing else can be read from a command: not its streams, its process group, its user and its
/// argument 0, nor whether its environment is cleared or code runs in the child. Set on the builder
/// what the process needs of these.
///
/// ```
/// use meanwhile_join::process::Builder;
/// use std::process::Command;
///
/// let mut command = Command::new("echo");
/// command.arg("hello");
/// let process = Builder::from(command).spawn()?;
/// process.join()?;
/// assert_eq!(process.output().stdout.text(), "hello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl From<&Command> for Builder {
    fn from(command: &Command) -> Self {
        Self::of(Invocation::of_command(command))
    }
}

/// Like the conversion of a borrowed command.
impl From<Command> for Builder {
    fn from(command: Command) -> Self {
        Self::from(&command)
    }
}

// It is here because the module `launcher` does not depend on builders.
impl Launcher {
    /// Returns a builder that starts the launcher's own program as a child, with these options.
    pub fn itself(&self, options: LaunchOptions) -> Builder {
        // The shim becomes the child. In the shim this path means the file that the shim was
        // started from, even if that file has been replaced.
        #[cfg(all(target_os = "linux", not(other_unix)))]
        let program = "/proc/self/exe";
        #[cfg(any(not(target_os = "linux"), other_unix))]
        let program = self.program();
        Builder::new(program).launched_by(self, options)
    }
}

/// The pipes of a child that was just started.
#[derive(Default)]
struct Pipes {
    ends: PipeEnds,
    stdin: Option<StdinWriter>,
    stdout: Option<Arc<OwnedFd>>,
    stderr: Option<Arc<OwnedFd>>,
}

fn non_blocking(pipe: impl Into<OwnedFd>) -> OwnedFd {
    let pipe = pipe.into();
    // Fails for no pipe.
    rustix::io::ioctl_fionbio(&pipe, true).ok();
    pipe
}

fn next_key() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Only the number must be unique; it orders nothing.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::super::super::JoinError;
    use super::super::Exit;
    use super::*;
    use std::time::Duration;

    /// Spawns as on a system without pidfds.
    fn spawn_without_pidfd(builder: &Builder) -> Process {
        let key = next_key();
        let tag = tag::new_tag(key);
        let (mut command, shared_pipe) = builder.command(&tag).expect("an ordinary command");
        let child = command.spawn().expect("the program starts");
        let adopted = builder.adopt(Started {
            child,
            shared_pipe,
            pidfd: None,
            key,
            tag,
            guard: None,
        });
        adopted.expect("the waiting thread starts")
    }

    #[test]
    fn process_without_pidfd_is_joined_and_stopped() {
        let shell = Builder::new("sh").args(["-c", "read line; echo $line; exit 3"]);
        let process = spawn_without_pidfd(&shell.stdin_piped());
        let early = process.join_timeout(Duration::from_millis(1));
        assert!(matches!(early, Err(JoinError::TimedOut)));
        drop(process.take_stdin());
        assert_eq!(process.join().expect("no timeout"), Exit::Code(3));
        assert_eq!(process.output().stdout.text(), "\n");
        process.kill().expect("no effect after the end");

        let sleeper = spawn_without_pidfd(&Builder::new("sleep").arg("60"));
        let report = sleeper.stop(Duration::from_mins(1));
        assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGTERM"));
    }
}
