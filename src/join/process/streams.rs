//! Where the standard streams of a process lead.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::SpawnError;

/// The destination of an output stream of a process.
///
/// ```
/// use meanwhile_join::process::{Builder, Redirect};
///
/// let shell = Builder::new("sh").args(["-c", "echo result; echo warning >&2"]);
/// let process = shell.stderr(Redirect::Null).spawn()?;
/// process.join()?;
/// assert_eq!(process.output().stdout.text(), "result\n");
/// assert_eq!(process.output().stderr.total, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Redirect {
    /// The last bytes are kept; see [`Process::output`](super::Process::output) and
    /// [`Process::lines`](super::Process::lines). The process never waits for a reader.
    #[default]
    Capture,
    /// The caller reads all of the stream, and its last bytes are kept, too; see
    /// [`Process::take_reader`](super::Process::take_reader). While as many bytes are unread as the
    /// [limit](super::Builder::output_limit) says, the process blocks, as at a full pipe. The stream is
    /// closed with the last handle if nobody has taken its reader.
    Buffered,
    /// The caller reads the stream, uncaptured; see
    /// [`Process::take_stdout`](super::Process::take_stdout) and
    /// [`Process::take_stderr`](super::Process::take_stderr). While the pipe is full, the process
    /// blocks until the caller reads it. The pipe is closed with the last handle if nobody has taken it.
    Piped,
    /// The same stream of this program, such as a terminal.
    Inherit,
    /// Nothing keeps it.
    Null,
    /// This file, which is created, or emptied if it exists. If stdout and stderr lead to the same file,
    /// it has what both print, in order.
    File(PathBuf),
    /// The end of this file, which is created if it does not exist.
    Append(PathBuf),
    /// An open file, pipe or socket; see [`to`](Self::to).
    Descriptor(Arc<OwnedFd>),
}

impl Redirect {
    /// Returns the redirection to an open file, pipe or socket. This program closes its copy once
    /// the process is started.
    ///
    /// ```
    /// use meanwhile_join::process::{Builder, Redirect};
    ///
    /// let (reader, writer) = std::io::pipe()?;
    /// let echo = Builder::new("echo").arg("hello").stdout(Redirect::to(writer));
    /// echo.spawn()?.join()?.check()?;
    /// assert_eq!(std::io::read_to_string(reader)?, "hello\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to(descriptor: impl Into<OwnedFd>) -> Self {
        Self::Descriptor(Arc::new(descriptor.into()))
    }
}

/// The source of the input of a process.
#[derive(Clone, Debug, Default)]
pub(super) enum Input {
    #[default]
    Empty,
    Inherit,
    Bytes(Arc<[u8]>),
    Buffered,
    File(PathBuf),
    Piped,
    Descriptor(Arc<OwnedFd>),
}

/// Where the three streams of a process lead.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    pub(super) stdin: Input,
    pub(super) stdout: Redirect,
    pub(super) stderr: Redirect,
    /// Whether stderr leads where stdout does.
    pub(super) stderr_is_stdout: bool,
}

/// The open streams of a process that is to be started.
pub(super) struct OpenStreams {
    pub(super) of_process: ProcessEnds,
    pub(super) own: OwnEnds,
}

/// What the process gets. This program closes its copies once the process has them.
pub(super) struct ProcessEnds {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// This program's ends of the pipes.
#[derive(Default)]
pub(super) struct OwnEnds {
    pub(super) stdin: Option<OwnedFd>,
    /// The end of the pipe that stdout and stderr share, if they share one.
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
}

/// The end of the process and, if it is a pipe, that of this program.
type Ends = (OwnedFd, Option<OwnedFd>);

impl Streams {
    /// Opens the streams of a process.
    pub(super) fn open(&self, program: &str) -> Result<OpenStreams, SpawnError> {
        let (stdin, own_stdin) = self.stdin.open(program)?;
        // A file that stderr does not lead to is not created either.
        let is_one_file =
            !self.stderr_is_stdout && is_one_file(&self.stdout, &self.stderr, program)?;
        let (stdout, stderr, own_stdout, own_stderr) = if self.stderr_is_stdout || is_one_file {
            // Opened once, so that both have one position, which keeps their order.
            let both = match &self.stderr {
                Redirect::File(_) if is_one_file => &self.stderr,
                _ => &self.stdout,
            };
            let (both, own) = both.open(program, || io::stdout().as_fd().try_clone_to_owned())?;
            (duplicate(&both, program)?, both, own, None)
        } else {
            let stdout = || io::stdout().as_fd().try_clone_to_owned();
            let (stdout, own_stdout) = self.stdout.open(program, stdout)?;
            let stderr = || io::stderr().as_fd().try_clone_to_owned();
            let (stderr, own_stderr) = self.stderr.open(program, stderr)?;
            (stdout, stderr, own_stdout, own_stderr)
        };
        Ok(OpenStreams {
            of_process: ProcessEnds {
                stdin,
                stdout,
                stderr,
            },
            own: OwnEnds {
                stdin: own_stdin,
                stdout: own_stdout,
                stderr: own_stderr,
            },
        })
    }
}

impl Input {
    fn open(&self, program: &str) -> Result<Ends, SpawnError> {
        let refusal = |cause| refusal(program, cause);
        let source = match self {
            Self::Empty => File::open("/dev/null").map_err(refusal)?.into(),
            Self::Inherit => {
                let own = io::stdin().as_fd().try_clone_to_owned();
                own.map_err(refusal)?
            }
            Self::Bytes(_) | Self::Buffered | Self::Piped => {
                let (reader, writer) = io::pipe().map_err(refusal)?;
                return Ok((reader.into(), Some(writer.into())));
            }
            Self::File(path) => open_to_read(path, program)?.into(),
            Self::Descriptor(source) => duplicate(source, program)?,
        };
        Ok((source, None))
    }
}

impl Redirect {
    /// `inherited` is the stream of this program.
    fn open(
        &self,
        program: &str,
        inherited: impl FnOnce() -> io::Result<OwnedFd>,
    ) -> Result<Ends, SpawnError> {
        let refusal = |cause| refusal(program, cause);
        let target = match self {
            Self::Capture | Self::Buffered | Self::Piped => {
                let (reader, writer) = io::pipe().map_err(refusal)?;
                return Ok((writer.into(), Some(reader.into())));
            }
            Self::Inherit => inherited().map_err(refusal)?,
            Self::Null => open_to_write(Path::new("/dev/null"), program)?,
            Self::File(path) => create(path, program)?,
            Self::Append(path) => open_to_append(path, program)?,
            Self::Descriptor(target) => duplicate(target, program)?,
        };
        Ok((target, None))
    }
}

/// Whether both streams lead to the same file. With two positions in it, one would overwrite the other.
fn is_one_file(stdout: &Redirect, stderr: &Redirect, program: &str) -> Result<bool, SpawnError> {
    let (
        Redirect::File(stdout) | Redirect::Append(stdout),
        Redirect::File(stderr) | Redirect::Append(stderr),
    ) = (stdout, stderr)
    else {
        return Ok(false);
    };
    for path in [stdout, stderr] {
        // A pipe or device has no position.
        if path.metadata().is_ok_and(|it| !it.is_file()) {
            return Ok(false);
        }
        // Creates it, so that two names of one file can be compared.
        drop(open_to_append(path, program)?);
    }
    let identity = |path: &Path| path.metadata().map(|it| (it.dev(), it.ino())).ok();
    Ok(identity(stdout).is_some_and(|first| identity(stderr) == Some(first)))
}

fn open_to_read(path: &Path, program: &str) -> Result<File, SpawnError> {
    File::open(path).map_err(|cause| SpawnError::Input {
        program: program.to_owned(),
        path: path.to_owned(),
        cause,
    })
}

fn create(path: &Path, program: &str) -> Result<OwnedFd, SpawnError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    open(&options, path, program)
}

fn open_to_append(path: &Path, program: &str) -> Result<OwnedFd, SpawnError> {
    open(OpenOptions::new().append(true).create(true), path, program)
}

fn open_to_write(path: &Path, program: &str) -> Result<OwnedFd, SpawnError> {
    open(OpenOptions::new().write(true), path, program)
}

fn open(options: &OpenOptions, path: &Path, program: &str) -> Result<OwnedFd, SpawnError> {
    let opened = options.open(path).map_err(|cause| SpawnError::Output {
        program: program.to_owned(),
        path: path.to_owned(),
        cause,
    })?;
    Ok(opened.into())
}

fn duplicate(descriptor: &OwnedFd, program: &str) -> Result<OwnedFd, SpawnError> {
    let duplicate = descriptor.try_clone();
    duplicate.map_err(|cause| refusal(program, cause))
}

/// The error of the system when it refuses a file descriptor.
fn refusal(program: &str, cause: io::Error) -> SpawnError {
    SpawnError::of_system(program.to_owned(), 0, cause)
}
