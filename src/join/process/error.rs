//! Why a process could not be started.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// Why a process could not be started. Nothing was started and nothing is left behind; a later
/// spawn may work.
///
/// ```
/// use meanwhile::join::process::{Builder, SpawnError};
///
/// let error = Builder::new("no-such-program").spawn().unwrap_err();
/// assert!(matches!(error, SpawnError::NotFound { .. }));
/// assert_eq!(
///     error.to_string(),
///     "there is no program `no-such-program`: check its name, or give its whole path"
/// );
/// let error = Builder::new("ls").current_dir("/no/such/folder").spawn().unwrap_err();
/// assert!(matches!(error, SpawnError::WorkingDirectory { .. }));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// No such program.
    #[error("there is no program `{program}`: check its name, or give its whole path")]
    NotFound {
        /// The program as it was given.
        program: String,
    },
    /// The program is there; what it needs to be run is not.
    #[error(
        "`{program}` needs a program to run it that is not there: look at its first line (`#!`)"
    )]
    InterpreterNotFound {
        /// The program as it was given.
        program: String,
    },
    /// The working directory is missing or can't be entered.
    #[error("can't run in the folder {}: {source}; choose another working directory", path.display())]
    WorkingDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program may not be executed.
    #[error("may not run `{program}`: make it executable (chmod +x), or ask its owner")]
    PermissionDenied {
        /// The program as it was given.
        program: String,
    },
    /// The file is not a program for this system.
    #[error(
        "`{program}` is not a program that this system can run: give a program, or a script that begins with `#!`"
    )]
    NotExecutable {
        /// The program as it was given.
        program: String,
    },
    /// Somebody has the program open for writing.
    #[error("`{program}` is being written just now: try again when it is complete")]
    BeingWritten {
        /// The program as it was given.
        program: String,
    },
    /// Arguments and environment are too long together.
    #[error("the arguments of `{program}` are too long ({bytes} bytes): give fewer at a time")]
    ArgumentsTooLong {
        /// The program as it was given.
        program: String,
        /// The length of the arguments, in bytes.
        bytes: usize,
    },
    /// A text that is given to the program holds a NUL, which no argument can.
    #[error("{what} of `{program}` holds a NUL character: take it out")]
    Nul {
        /// The program as it was given.
        program: String,
        /// Which text, such as `argument 2`.
        what: String,
    },
    /// The file that was to be its input can't be opened.
    #[error("can't open {} as input of `{program}`: {source}", path.display())]
    Input {
        /// The program as it was given.
        program: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This program, or the system, has too many files open.
    #[error(
        "can't start `{program}`, too many files are open: end some running work and try again"
    )]
    TooManyOpenFiles {
        /// The program as it was given.
        program: String,
    },
    /// The system starts no more processes for this person.
    #[error("can't start `{program}`, too many processes run: end some running work and try again")]
    TooManyProcesses {
        /// The program as it was given.
        program: String,
    },
    /// The system refused one of the threads that serve all processes.
    #[error(transparent)]
    Thread(#[from] crate::join::SpawnError),
    /// Something else.
    #[error("can't start `{program}`: {source}")]
    Other {
        /// The program as it was given.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

impl SpawnError {
    /// What an error of the system means for the start of `program`.
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
            _ => Self::Other { program, source },
        }
    }
}
