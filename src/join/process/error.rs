//! The error of a spawn.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// The reason why a process could not be started. Nothing is left behind, and a later spawn may
/// succeed.
///
/// The text contains the cause, so [`source`](std::error::Error::source) is `None`.
///
/// ```
/// use meanwhile_join::process::{Builder, SpawnError};
///
/// let error = Builder::new("no-such-program").spawn().unwrap_err();
/// assert!(matches!(error, SpawnError::NotFound { .. }));
/// assert_eq!(
///     error.to_string(),
///     "there is no program `no-such-program`: check its name, or give its full path"
/// );
/// let error = Builder::new("ls").current_dir("/no/such/folder").spawn().unwrap_err();
/// assert!(matches!(error, SpawnError::WorkingDirectory { .. }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// The program does not exist.
    NotFound {
        /// The program as it was given.
        program: String,
    },
    /// The program is a script, and its interpreter does not exist.
    InterpreterNotFound {
        /// The program as it was given.
        program: String,
    },
    /// The working directory does not exist or can't be entered.
    WorkingDirectory {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// The program has an empty name.
    EmptyName,
    /// A folder has the name of the program.
    IsFolder {
        /// The program as it was given.
        program: String,
    },
    /// The program may not be executed.
    PermissionDenied {
        /// The program as it was given.
        program: String,
    },
    /// The process can't have the user or group that was set, or these may not run the program or enter
    /// its folder.
    User {
        /// The program as it was given.
        program: String,
        /// The user and the group, such as `user 1000 and group 100`.
        user: String,
        /// The error of the system.
        cause: io::Error,
    },
    /// The file is not a program for this system.
    NotExecutable {
        /// The program as it was given.
        program: String,
    },
    /// The program's file is open for writing.
    BeingWritten {
        /// The program as it was given.
        program: String,
    },
    /// Arguments and environment together are too long.
    ArgumentsTooLong {
        /// The program as it was given.
        program: String,
        /// The length of the arguments, in bytes.
        bytes: usize,
    },
    /// A text contains a NUL character, which can't be passed to a program.
    Nul {
        /// The program as it was given.
        program: String,
        /// The name of the text, such as `argument 2`.
        what: String,
    },
    /// The file for the process's stdin can't be opened.
    Input {
        /// The program as it was given.
        program: String,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// The file for an output stream of the process can't be opened.
    Output {
        /// The program as it was given.
        program: String,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// This program, or the system, has too many files open.
    TooManyOpenFiles {
        /// The program as it was given.
        program: String,
    },
    /// The user's limit of processes is reached.
    TooManyProcesses {
        /// The program as it was given.
        program: String,
    },
    /// The deadline of the start passed before the system had finished it.
    GivenUp {
        /// The program as it was given.
        program: String,
    },
    /// The token of the builder is cancelled. Nothing was started.
    Cancelled {
        /// The program as it was given.
        program: String,
    },
    /// The system refused one of the threads that serve all processes.
    Thread(super::super::SpawnError),
    /// Any other error.
    Other {
        /// The program as it was given.
        program: String,
        /// The error of the system.
        cause: io::Error,
    },
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { program } => write!(
                f,
                "there is no program `{program}`: check its name, or give its full path"
            ),
            Self::InterpreterNotFound { program } => write!(
                f,
                "the interpreter of `{program}` is missing: check the first line (`#!`)"
            ),
            Self::WorkingDirectory { path, cause } => write!(
                f,
                "can't run in the folder {}: {cause}; choose another working directory",
                path.display()
            ),
            Self::EmptyName => f.write_str("the program has no name: give its name or path"),
            Self::IsFolder { program } => write!(
                f,
                "`{program}` is a folder, not a program: give the path of a program in it"
            ),
            Self::PermissionDenied { program } => write!(
                f,
                "no permission to run `{program}`: make it executable (chmod +x), or ask its owner"
            ),
            Self::User {
                program,
                user,
                cause,
            } => write!(
                f,
                "can't run `{program}` as {user}: {cause}; {}",
                advice_for_user(cause)
            ),
            Self::NotExecutable { program } => write!(
                f,
                "`{program}` is not a program, nor a script that begins with `#!`"
            ),
            Self::BeingWritten { program } => write!(
                f,
                "the file `{program}` is being written: try again when it is complete"
            ),
            Self::ArgumentsTooLong { program, bytes } => write!(
                f,
                "the arguments of `{program}` are too long ({bytes} bytes): pass fewer at a time"
            ),
            Self::Nul { program, what } => {
                write!(
                    f,
                    "{what} of `{program}` contains a NUL character: remove it"
                )
            }
            Self::Input {
                program,
                path,
                cause,
            } => write!(
                f,
                "can't open {} as the input of `{program}`: {cause}",
                path.display()
            ),
            Self::Output {
                program,
                path,
                cause,
            } => write!(
                f,
                "can't open {} for the output of `{program}`: {cause}",
                path.display()
            ),
            Self::TooManyOpenFiles { program } => write!(
                f,
                "can't start `{program}`: too many files are open; end some running work and try \
                 again"
            ),
            Self::TooManyProcesses { program } => write!(
                f,
                "can't start `{program}`: too many processes are running; end some running work \
                 and try again"
            ),
            Self::GivenUp { program } => write!(
                f,
                "the system did not start `{program}` in time: check that its disk and folder \
                 respond"
            ),
            Self::Cancelled { program } => write!(f, "`{program}` was cancelled before it started"),
            Self::Thread(refusal) => refusal.fmt(f),
            Self::Other { program, cause } => write!(f, "can't start `{program}`: {cause}"),
        }
    }
}

/// What to do when the system refuses a user or a group.
fn advice_for_user(cause: &io::Error) -> &'static str {
    match Errno::from_io_error(cause) {
        Some(Errno::PERM) => "only the administrator may choose another user or group",
        Some(Errno::INVAL) => "the system has no such number",
        _ => "let that user run the program and enter its folder",
    }
}

impl Error for SpawnError {}

impl From<super::super::SpawnError> for SpawnError {
    fn from(refusal: super::super::SpawnError) -> Self {
        Self::Thread(refusal)
    }
}

impl SpawnError {
    /// Finds the cause of an error that the system returned when it was to start `program`.
    pub(super) fn of_system(program: String, argument_bytes: usize, source: io::Error) -> Self {
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT | Errno::NOTDIR) => Self::NotFound { program },
            Some(Errno::ISDIR) => Self::IsFolder { program },
            Some(Errno::ACCESS | Errno::PERM) => Self::PermissionDenied { program },
            Some(Errno::NOEXEC) => Self::NotExecutable { program },
            Some(Errno::TXTBSY) => Self::BeingWritten { program },
            Some(Errno::TOOBIG) => Self::ArgumentsTooLong {
                program,
                bytes: argument_bytes,
            },
            Some(Errno::MFILE | Errno::NFILE) => Self::TooManyOpenFiles { program },
            Some(Errno::AGAIN) => Self::TooManyProcesses { program },
            _ => Self::Other {
                program,
                cause: source,
            },
        }
    }
}
