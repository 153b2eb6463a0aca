//! Starting processes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::io::Errno;
use rustix::process::Pid;

use super::error::SpawnError;
use super::handle::{Ends, Process, Shared, Started};
use super::launcher::{LaunchOptions, Launcher, Watch};
use super::output::Capture;
use super::reaper::{self, Feed, Watched};
use super::system::{self, Pidfd};
use super::{children, spawner};

/// The variable by which a descendant is known wherever it went: the marks of the processes it
/// comes from, outermost first, with `:` between.
pub(super) const MARK_VARIABLE: &str = "MEANWHILE_TREE";

/// How much of each stream is kept where nothing else is said, in bytes.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// How a process is started.
///
/// Arguments reach the program as they are: no shell sees them. The process gets a group of its
/// own, an empty input, and its output is captured.
///
/// ```
/// use meanwhile::join::process::{Builder, Exit};
///
/// let count = Builder::new("wc").arg("-c").stdin_bytes("four").spawn()?;
/// assert_eq!(count.join()?, Exit::Code(0));
/// assert_eq!(count.output().stdout.text().trim(), "4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    program: OsString,
    args: Vec<OsString>,
    name: Option<String>,
    current_dir: Option<PathBuf>,
    env: BTreeMap<OsString, Option<OsString>>,
    env_is_cleared: bool,
    stdin: Stdin,
    stdout_is_piped: bool,
    output_limit: usize,
    daemon: bool,
    launch: Option<(Launcher, LaunchOptions)>,
}

#[derive(Clone, Debug)]
enum Stdin {
    Empty,
    Bytes(Arc<[u8]>),
    File(PathBuf),
    Piped,
}

impl Builder {
    /// A process that runs `program`: a path, or a name that is looked up in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            name: None,
            current_dir: None,
            env: BTreeMap::new(),
            env_is_cleared: false,
            stdin: Stdin::Empty,
            stdout_is_piped: false,
            output_limit: OUTPUT_LIMIT,
            daemon: false,
            launch: None,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    /// The name under which it is listed. Default: the program's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The folder it runs in. Default: this program's. A program that is given as a relative path
    /// is looked up from there.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.current_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets a variable of its environment, which begins as this program's.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        self.env.insert(name.as_ref().to_owned(), value);
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().to_owned(), None);
        self
    }

    /// Lets its environment begin empty, but for `MEANWHILE_TREE`, by which its descendants are
    /// found.
    pub fn env_clear(mut self) -> Self {
        self.env_is_cleared = true;
        self.env.clear();
        self
    }

    /// What it reads. Written as fast as it is read, whatever it prints meanwhile.
    pub fn stdin_bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Stdin::Bytes(bytes.as_ref().into());
        self
    }

    /// The file it reads.
    pub fn stdin_file(mut self, path: impl AsRef<Path>) -> Self {
        self.stdin = Stdin::File(path.as_ref().to_owned());
        self
    }

    /// Leaves its input to the caller: [`Process::take_stdin`].
    pub fn stdin_piped(mut self) -> Self {
        self.stdin = Stdin::Piped;
        self
    }

    /// Leaves its output to the caller, uncaptured: [`Process::take_stdout`]. Whoever does not read
    /// it lets the process wait.
    pub fn stdout_piped(mut self) -> Self {
        self.stdout_is_piped = true;
        self
    }

    /// How much of each stream is kept, in bytes: the last ones. Default: 1 MiB.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Whether [`shutdown`](crate::join::shutdown) stops it instead of waiting for it. Default:
    /// false.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Starts it through a launcher, which binds its life to this program's and gives it a priority
    /// and limits.
    pub fn launched_by(mut self, launcher: &Launcher, options: LaunchOptions) -> Self {
        self.launch = Some((launcher.clone(), options));
        self
    }

    /// Starts the process. Returns when its program has been loaded; with a launcher, when the
    /// launcher has. Without a launcher the process has the priority of the calling thread.
    ///
    /// # Errors
    /// See [`SpawnError`]. With a launcher, a program that the system refuses at the last moment is
    /// a process that exits with code 126 or 127 and says why on its standard error.
    pub fn spawn(self) -> Result<Process, SpawnError> {
        self.check()?;
        reaper::start()?;
        let key = next_key();
        let mark = format!("{}.{key}", *PROGRAM_MARK);
        let mut command = self.command(&mark)?;
        let (started, watch) = match &self.launch {
            Some((launcher, _)) => {
                let watch = launcher.watch(&mark)?;
                (spawner::spawn(command)?, Some(watch))
            }
            None => (command.spawn(), None),
        };
        let child = started.map_err(|source| self.explain(source))?;
        // Nobody but the reaper reaps it, so the number is still its own.
        let pidfd = Pidfd::of_child(&child);
        self.adopt(child, pidfd, key, mark, watch)
    }

    /// Hands a child that was just started to the reaper.
    fn adopt(
        &self,
        mut child: Child,
        pidfd: Option<Pidfd>,
        key: u64,
        mark: String,
        watch: Option<Watch>,
    ) -> Result<Process, SpawnError> {
        let pid = Pid::from_child(&child);
        let pipes = self.pipes(&mut child);
        let shared = Arc::new(Shared::new(Started {
            key,
            pid,
            name: self.listed_name().into(),
            mark,
            daemon: self.daemon,
            pidfd,
            stdout: Capture::new(self.output_limit, pipes.stdout.clone()),
            stderr: Capture::new(self.output_limit, pipes.stderr.clone()),
            ends: pipes.ends,
            watch,
        }));
        let process = Process::new(shared.clone());
        children::add(&shared);
        let watched = Watched {
            shared,
            stdin: pipes.feed,
            stdout: pipes.stdout,
            stderr: pipes.stderr,
        };
        reaper::watch(watched).map_err(|refused| self.explain(refused.source))?;
        Ok(process)
    }

    /// Sorts the pipes of a child: who uses which.
    fn pipes(&self, child: &mut Child) -> Pipes {
        let mut pipes = Pipes {
            stderr: child.stderr.take().map(non_blocking).map(Arc::new),
            ..Pipes::default()
        };
        match &self.stdin {
            Stdin::Empty | Stdin::File(_) => {}
            Stdin::Piped => pipes.ends.stdin = child.stdin.take(),
            Stdin::Bytes(bytes) => {
                pipes.feed = child.stdin.take().map(|pipe| Feed {
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

    fn command(&self, mark: &str) -> Result<Command, SpawnError> {
        let mut command = self.bare_command();
        if self.env_is_cleared {
            command.env_clear();
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env(MARK_VARIABLE, marks(mark));
        if let Some(dir) = &self.current_dir {
            command.current_dir(dir);
        }
        command
            .process_group(0)
            .stdin(self.stdin()?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }

    fn bare_command(&self) -> Command {
        if let Some((launcher, options)) = &self.launch {
            return launcher.command(options, &self.program, &self.args);
        }
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        command
    }

    fn stdin(&self) -> Result<Stdio, SpawnError> {
        Ok(match &self.stdin {
            Stdin::Empty => Stdio::null(),
            Stdin::Bytes(_) | Stdin::Piped => Stdio::piped(),
            Stdin::File(path) => File::open(path)
                .map_err(|source| SpawnError::Input {
                    program: self.program_name(),
                    path: path.clone(),
                    source,
                })?
                .into(),
        })
    }

    /// What the system would not say clearly, or what a launcher would find out too late.
    fn check(&self) -> Result<(), SpawnError> {
        self.check_nul()?;
        if let Some(path) = &self.current_dir {
            check_folder(path).map_err(|source| SpawnError::WorkingDirectory {
                path: path.clone(),
                source,
            })?;
        }
        if self.launch.is_some() {
            let found = self.find_program();
            let program = found.map_err(|source| self.explain(source))?;
            if !is_executable_format(&program) {
                return Err(self.explain(Errno::NOEXEC.into()));
            }
        }
        Ok(())
    }

    fn check_nul(&self) -> Result<(), SpawnError> {
        let program = ("the name".to_owned(), self.program.as_os_str());
        let args = self.args.iter().enumerate();
        let args = args.map(|(index, arg)| (format!("argument {}", index + 1), arg.as_os_str()));
        let env = self.env.iter().flat_map(|(name, value)| {
            let what = format!("the variable {}", name.to_string_lossy());
            let value = value
                .as_ref()
                .map(|value| (what.clone(), value.as_os_str()));
            std::iter::once((what, name.as_os_str())).chain(value)
        });
        let dir = self.current_dir.iter();
        let dir = dir.map(|dir| ("the working directory".to_owned(), dir.as_os_str()));
        let texts = std::iter::once(program).chain(args).chain(env).chain(dir);
        for (what, text) in texts {
            if text.as_bytes().contains(&0) {
                let program = self.program_name();
                return Err(SpawnError::Nul { program, what });
            }
        }
        Ok(())
    }

    /// What an error of the system means here.
    fn explain(&self, source: io::Error) -> SpawnError {
        let bytes = self.args.iter().map(|arg| arg.len() + 1).sum();
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        match (is_missing, self.find_program()) {
            (true, Ok(_)) => SpawnError::InterpreterNotFound {
                program: self.program_name(),
            },
            // A folder on the way that may not be entered hides the program.
            (true, Err(found)) if found.kind() == io::ErrorKind::PermissionDenied => {
                SpawnError::of_system(self.program_name(), bytes, found)
            }
            _ => SpawnError::of_system(self.program_name(), bytes, source),
        }
    }

    /// The file that is run: the program itself if it holds a `/`, else the first in `PATH`.
    fn find_program(&self) -> io::Result<PathBuf> {
        if self.program.as_bytes().contains(&b'/') {
            let base = self.current_dir.as_deref().unwrap_or(Path::new(""));
            let path = base.join(&self.program);
            return check_program(&path).map(|()| path);
        }
        let mut refused = io::Error::from(Errno::NOENT);
        for dir in std::env::split_paths(&self.path_variable()) {
            let path = dir.join(&self.program);
            match check_program(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => refused = error,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn path_variable(&self) -> OsString {
        match self.env.get(OsStr::new("PATH")) {
            Some(path) => path.clone(),
            None if self.env_is_cleared => None,
            None => std::env::var_os("PATH"),
        }
        .unwrap_or_else(|| "/bin:/usr/bin".into())
    }

    fn program_name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    fn listed_name(&self) -> String {
        let program = Path::new(&self.program);
        let short = || {
            program
                .file_name()
                .unwrap_or(&self.program)
                .to_string_lossy()
        };
        self.name.clone().unwrap_or_else(|| short().into_owned())
    }
}

/// The pipes of a child that was just started.
#[derive(Default)]
struct Pipes {
    ends: Ends,
    feed: Option<Feed>,
    stdout: Option<Arc<OwnedFd>>,
    stderr: Option<Arc<OwnedFd>>,
}

fn non_blocking(pipe: impl Into<OwnedFd>) -> OwnedFd {
    let pipe = pipe.into();
    let _never_fails = rustix::io::ioctl_fionbio(&pipe, true);
    pipe
}

/// What tells the marks of this run of the program from those of any other.
static PROGRAM_MARK: LazyLock<String> = LazyLock::new(|| {
    let since_1970 = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let nanos = since_1970.unwrap_or_default().as_nanos();
    format!("{}.{nanos}", std::process::id())
});

/// The marks of this program's own ancestors, and `mark`.
fn marks(mark: &str) -> OsString {
    match std::env::var_os(MARK_VARIABLE) {
        Some(mut marks) => {
            marks.push(":");
            marks.push(mark);
            marks
        }
        None => mark.into(),
    }
}

fn next_key() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn check_folder(path: &Path) -> io::Result<()> {
    if !path.metadata()?.is_dir() {
        return Err(Errno::NOTDIR.into());
    }
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).map_err(io::Error::from)
}

fn check_program(path: &Path) -> io::Result<()> {
    if path.metadata()?.is_dir() {
        return Err(Errno::ACCESS.into());
    }
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).map_err(io::Error::from)
}

/// Whether the system can run a file, as far as its first bytes tell. A launcher's own `exec` would
/// give anything else to the shell.
fn is_executable_format(program: &Path) -> bool {
    use io::Read;
    let mut magic = [0; 4];
    let Ok(mut file) = File::open(program) else {
        // It may be executable and not readable.
        return true;
    };
    let count = file.read(&mut magic).unwrap_or(0);
    let magic = &magic[..count];
    magic.starts_with(b"#!") || system::is_program_format(magic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::JoinError;
    use crate::join::process::Exit;
    use std::time::Duration;

    /// As on a system that has no pidfds.
    fn spawn_without_pidfd(builder: &Builder) -> Process {
        let mark = format!("{}.test", *PROGRAM_MARK);
        let mut command = builder.command(&mark).expect("an ordinary command");
        let child = command.spawn().expect("a shell");
        let adopted = builder.adopt(child, None, next_key(), mark, None);
        adopted.expect("a thread that waits")
    }

    #[test]
    fn without_pidfds_a_thread_waits_and_every_promise_holds() {
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
