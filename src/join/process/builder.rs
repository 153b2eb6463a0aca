//! Starting processes.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use rustix::process::Pid;

use super::super::priority::{Priority, spawn_thread};
use super::super::{CancelToken, SpawnError as ThreadError};
use super::error::SpawnError;
use super::group::ProcessGroup;
use super::guard::TreeGuard;
use super::handle::Process;
use super::invocation::Invocation;
use super::launch_options::LaunchOptions;
use super::launcher::Launcher;
use super::output::StreamCapture;
use super::reaper::{self, StdinWriter, WatchedChild};
use super::shared::{PipeEnds, ProcessShared, Spawned};
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
    stdin: Stdin,
    stdout_is_piped: bool,
    output_limit: usize,
    daemon: bool,
    group: ProcessGroup,
    priority: Option<Priority>,
    launch: Option<(Launcher, LaunchOptions)>,
    cancel_token: Option<CancelToken>,
}

#[derive(Clone, Debug)]
enum Stdin {
    Empty,
    Bytes(Arc<[u8]>),
    File(PathBuf),
    Piped,
}

impl Builder {
    /// Returns the default settings for a process that runs `program`, which is a path or a name
    /// that is looked up in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            invocation: Invocation {
                program: program.as_ref().to_owned(),
                ..Invocation::default()
            },
            name: None,
            stdin: Stdin::Empty,
            stdout_is_piped: false,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            daemon: false,
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
        self.stdin = Stdin::Bytes(bytes.as_ref().into());
        self
    }

    /// Makes this file the process's stdin. The file is opened when the process is started.
    pub fn stdin_file(mut self, path: impl AsRef<Path>) -> Self {
        self.stdin = Stdin::File(path.as_ref().to_owned());
        self
    }

    /// Leaves the process's stdin to the caller; see [`Process::take_stdin`].
    pub fn stdin_piped(mut self) -> Self {
        self.stdin = Stdin::Piped;
        self
    }

    /// Leaves the process's stdout to the caller, uncaptured; see [`Process::take_stdout`]. While
    /// the pipe is full, the process blocks until the caller reads it.
    pub fn stdout_piped(mut self) -> Self {
        self.stdout_is_piped = true;
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
        let command = self.command(&tag)?;
        let (spawned, guard) = match &self.launch {
            Some((launcher, _)) => {
                let guard = launcher.guard(&tag)?;
                (spawner::spawn(command)?, Some(guard))
            }
            None => (self.start(command)?, None),
        };
        let child = spawned.map_err(|source| self.invocation.explain(source))?;
        // Only the reaper reaps the child, so the pid can't be another process's yet.
        let pidfd = Pidfd::of_child(&child);
        self.adopt(child, pidfd, key, tag, guard)
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

    /// Starts a command without a launcher, at the priority that was set.
    fn start(&self, mut command: Command) -> Result<io::Result<Child>, SpawnError> {
        match self.priority {
            // The child inherits the priority of the thread that starts it.
            Some(Priority::Background) => {
                let (reply, replies) = sync_channel(1);
                let thread = std::thread::Builder::new();
                spawn_thread(thread, Priority::Background, move || {
                    // The caller waits for the reply, so it is received.
                    reply.send(command.spawn()).ok();
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
    fn adopt(
        &self,
        mut child: Child,
        pidfd: Option<Pidfd>,
        key: u64,
        tag: String,
        guard: Option<TreeGuard>,
    ) -> Result<Process, SpawnError> {
        let pid = Pid::from_child(&child);
        let pipes = self.pipes(&mut child);
        let name = self.name.clone();
        let spawned = Spawned {
            key,
            pid,
            group: self.group,
            name: name.unwrap_or_else(|| self.invocation.file_name()).into(),
            tag,
            daemon: self.daemon,
            pidfd,
            stdout: StreamCapture::new(self.output_limit, pipes.stdout.clone()),
            stderr: StreamCapture::new(self.output_limit, pipes.stderr.clone()),
            guard,
        };
        let shared = Arc::new(ProcessShared::new(spawned, pipes.ends));
        let process = Process::new(shared.clone());
        children::add(&shared);
        let watched = WatchedChild {
            shared: shared.clone(),
            stdin: pipes.stdin,
            stdout: pipes.stdout,
            stderr: pipes.stderr,
            held: None,
        };
        reaper::watch(watched).map_err(|error| self.invocation.explain(error.cause))?;
        if let Some(token) = &self.cancel_token {
            shared.stop_on_cancel(token);
        }
        Ok(process)
    }

    /// Divides the pipes of a child between the caller and the reaper.
    fn pipes(&self, child: &mut Child) -> Pipes {
        let mut pipes = Pipes {
            stderr: child.stderr.take().map(non_blocking).map(Arc::new),
            ..Pipes::default()
        };
        match &self.stdin {
            Stdin::Empty | Stdin::File(_) => {}
            Stdin::Piped => pipes.ends.stdin = child.stdin.take(),
            Stdin::Bytes(bytes) => {
                pipes.stdin = child.stdin.take().map(|pipe| StdinWriter {
                    pipe: non_blocking(pipe),
                    bytes: bytes.clone(),
                    written: 0,
                });
            }
        }
        if self.stdout_is_piped {
            pipes.ends.stdout = child.stdout.take();
        } else {
            pipes.stdout = child.stdout.take().map(non_blocking).map(Arc::new);
        }
        pipes
    }

    fn command(&self, tag: &str) -> Result<Command, SpawnError> {
        let Invocation { program, args, .. } = &self.invocation;
        let mut command = if let Some((launcher, options)) = &self.launch {
            launcher.command(options, program, args)
        } else {
            let mut command = Command::new(program);
            command.args(args);
            command
        };
        self.invocation.apply_to(&mut command);
        command
            .env(tag::TAG_VARIABLE, tag::variable_for(tag))
            .stdin(self.stdin()?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self.group == ProcessGroup::Own {
            command.process_group(0);
        }
        Ok(command)
    }

    fn stdin(&self) -> Result<Stdio, SpawnError> {
        Ok(match &self.stdin {
            Stdin::Empty => Stdio::null(),
            Stdin::Bytes(_) | Stdin::Piped => Stdio::piped(),
            Stdin::File(path) => File::open(path)
                .map_err(|cause| SpawnError::Input {
                    program: self.invocation.program_name(),
                    path: path.clone(),
                    cause,
                })?
                .into(),
        })
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
        let mut command = builder.command(&tag).expect("an ordinary command");
        let child = command.spawn().expect("the program starts");
        let adopted = builder.adopt(child, None, key, tag, None);
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
