//! The settings of a process.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::super::priority::Priority;
use super::super::{CancelToken, Changes};
use super::error::SpawnError;
use super::follower::OnLine;
use super::group::ProcessGroup;
use super::invocation::Invocation;
use super::launch_options::LaunchOptions;
use super::launcher::Launcher;
use super::line::Line;
use super::output::Stream;
use super::streams::{Input, Redirect, Streams};

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
///
/// A program that also starts tasks names both builders by their modules. The
/// [`SpawnError`](crate::SpawnError) of a task becomes one of a process at a `?`:
///
/// ```
/// use meanwhile_join::{self as join, process};
///
/// fn start() -> Result<(), process::SpawnError> {
///     let build = process::Builder::new("true").spawn()?;
///     let watcher = join::Builder::new("watcher").spawn(move |_| build.join())?;
///     # assert!(matches!(watcher.join(), Ok(Ok(_))));
///     Ok(())
/// }
/// # start().unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    pub(super) invocation: Invocation,
    pub(super) name: Option<String>,
    pub(super) streams: Streams,
    pub(super) output_limit: usize,
    pub(super) on_line: Vec<OnLine>,
    pub(super) daemon: bool,
    pub(super) kill_on_drop: bool,
    pub(super) group: ProcessGroup,
    pub(super) priority: Option<Priority>,
    pub(super) launch: Option<(Launcher, LaunchOptions)>,
    pub(super) cancel_token: Option<CancelToken>,
    pub(super) changes: Option<Changes>,
}

impl Builder {
    /// Returns the default settings for a process that runs `program`, which is a path or a name
    /// that is looked up in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self::of(Invocation::of_program(program.as_ref()))
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
            changes: None,
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

    /// Sets the user of the process, by number. Default: that of this program. Only the administrator may
    /// choose another one. The process then is in no other groups than that of [`gid`](Self::gid), which is
    /// to be set too: it is not found from the user.
    ///
    /// The user must be allowed to run the program, and to enter its folder. Files of
    /// [`Redirect::File`] and the like are opened by this program. Without a launcher, a start takes the
    /// longer the more memory this program uses.
    ///
    /// ```no_run
    /// use meanwhile_join::process::Builder;
    ///
    /// let nobody = Builder::new("id").uid(65534).gid(65534).spawn()?.join_checked()?;
    /// assert!(nobody.stdout.text().starts_with("uid=65534"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn uid(mut self, user: u32) -> Self {
        self.invocation.user.uid = Some(user);
        self
    }

    /// Sets the group of users of the process, by number; see [`uid`](Self::uid). Without a user, the
    /// process is in the other groups of this program, too.
    pub fn gid(mut self, group: u32) -> Self {
        self.invocation.user.gid = Some(group);
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

    /// Leaves the process's stdin to the caller; see
    /// [`Process::take_stdin`](super::Process::take_stdin). It is closed with the last handle if nobody
    /// has taken it.
    pub fn stdin_piped(mut self) -> Self {
        self.streams.stdin = Input::Piped;
        self
    }

    /// Lets the caller write the process's stdin without waiting for the process; see
    /// [`Process::take_writer`](super::Process::take_writer). It is closed with the last handle if nobody
    /// has taken the writer.
    pub fn stdin_buffered(mut self) -> Self {
        self.streams.stdin = Input::Buffered;
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
    /// process does not wait for it: if it is slow, lines are dropped as in
    /// [`Process::lines`](super::Process::lines). A join does not wait for it either. It is dropped
    /// after the last line, which a receiver can notice. If it panics, the panic is ignored, and
    /// the next line still reaches it. A second function for the same stream also gets all lines. A
    /// stream that is not captured has no lines. When the process has ended and has no handle any
    /// more, the function gets no lines of descendants.
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

    /// Queues the process in `changes` when it has printed something to a captured stream, when such a
    /// stream ends, and when the process has ended: see
    /// [`Changes::take_processes`](crate::Changes::take_processes). However much it prints, it is queued
    /// once until it is taken. The window is woken from a thread for callbacks. A second call replaces the
    /// first.
    pub fn report_to(mut self, changes: &Changes) -> Self {
        self.changes = Some(changes.clone());
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
    /// The drop kills the process itself, or its [own group](ProcessGroup::Own), and does not wait for
    /// its end. A thread kills the descendants that have its tag within some milliseconds. A program
    /// that exits at once calls [`shutdown`](crate::shutdown) first, which waits for that. Where not all
    /// programs show their tags, as on macOS, the drop looks for them itself, which takes some
    /// milliseconds.
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
    /// [`Process::stop`](super::Process::stop) with a grace of a second. The cancel does not wait
    /// for that, and ends also the wait for a start that hangs. Has no effect once the process itself has ended. If the token is cancelled
    /// already, nothing is started.
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

    /// Returns the error for a refusal of the system.
    pub(super) fn refusal(&self, cause: io::Error) -> SpawnError {
        self.invocation.explain(cause)
    }
}

/// Takes over the program, the arguments, the working directory, and the variables that are set or
/// removed. Nothing else can be read from a command. That includes its streams, its process group, its
/// user and its argument 0, and whether code runs in the child. Set on the builder what the process needs
/// of these.
///
/// A cleared environment is taken over as long as std shows it in the text of the command, which std does
/// not promise. If the process must not get the variables of this program, call
/// [`env_clear`](Builder::env_clear) on the builder, and set there those that it needs.
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
        Builder::new(self.path_in_shim()).launched_by(self, options)
    }
}
