//! The error of a spawn.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// The reason why a process could not be started. Nothing is left behind, and a later spawn may
/// succeed.
///
/// The text contains the cause, so [`source`](std::error::Error::source) is `None`.
///
/// ```
/// use meanwhile::join::process::{Builder, SpawnError};
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
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The program does not exist.
    #[error("there is no program `{program}`: check its name, or give its full path")]
    NotFound {
        /// The program as it was given.
        program: String,
    },
    /// The program is a script, and its interpreter does not exist.
    #[error("the interpreter of `{program}` is missing: check the first line (`#!`)")]
    InterpreterNotFound {
        /// The program as it was given.
        program: String,
    },
    /// The working directory does not exist or can't be entered.
    #[error("can't run in the folder {}: {cause}; choose another working directory", path.display())]
    WorkingDirectory {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// The program may not be executed.
    #[error("no permission to run `{program}`: make it executable (chmod +x), or ask its owner")]
    PermissionDenied {
        /// The program as it was given.
        program: String,
    },
    /// The file is not a program for this system.
    #[error("`{program}` is not a program, nor a script that begins with `#!`")]
    NotExecutable {
        /// The program as it was given.
        program: String,
    },
    /// The program's file is open for writing.
    #[error("the file `{program}` is being written: try again when it is complete")]
    BeingWritten {
        /// The program as it was given.
        program: String,
    },
    /// Arguments and environment together are too long.
    #[error("the arguments of `{program}` are too long ({bytes} bytes): pass fewer at a time")]
    ArgumentsTooLong {
        /// The program as it was given.
        program: String,
        /// The length of the arguments, in bytes.
        bytes: usize,
    },
    /// A text contains a NUL character, which can't be passed to a program.
    #[error("{what} of `{program}` contains a NUL character: remove it")]
    Nul {
        /// The program as it was given.
        program: String,
        /// The name of the text, such as `argument 2`.
        what: String,
    },
    /// The file for the process's stdin can't be opened.
    #[error("can't open {} as the input of `{program}`: {cause}", path.display())]
    Input {
        /// The program as it was given.
        program: String,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// This program, or the system, has too many files open.
    #[error(
        "can't start `{program}`: too many files are open; end some running work and try again"
    )]
    TooManyOpenFiles {
        /// The program as it was given.
        program: String,
    },
    /// The user's limit of processes is reached.
    #[error(
        "can't start `{program}`: too many processes are running; end some running work and try again"
    )]
    TooManyProcesses {
        /// The program as it was given.
        program: String,
    },
    /// The caller gave up the start before the system had finished it.
    #[error("the system did not start `{program}` in time: check that its disk and folder respond")]
    GivenUp {
        /// The program as it was given.
        program: String,
    },
    /// The system refused one of the threads that serve all processes.
    #[error(transparent)]
    Thread(#[from] super::super::SpawnError),
    /// Any other error.
    #[error("can't start `{program}`: {cause}")]
    Other {
        /// The program as it was given.
        program: String,
        /// The error of the system.
        cause: io::Error,
    },
}

impl SpawnError {
    /// Finds the cause of an error that the system returned when it was to start `program`.
    pub(super) fn of_system(program: String, argument_bytes: usize, source: io::Error) -> Self {
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT | Errno::NOTDIR) => Self::NotFound { program },
            Some(Errno::ACCESS | Errno::PERM | Errno::ISDIR) => Self::PermissionDenied { program },
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
