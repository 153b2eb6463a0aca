use std::io;
use std::path::{Path, PathBuf};

use crate::jobs::ItemError;
use crate::jobs::item::is_file_limit;
use crate::jobs::text::shown;

/// The reason that a file has no checksum, or not the one in the list.
#[derive(Debug, thiserror::Error)]
pub enum ChecksumError {
    /// The [`DigestMonitor`](super::DigestMonitor) cancelled it.
    #[error("{} was cancelled.", shown(path))]
    Cancelled { path: PathBuf },
    /// The file changed while it was read, so no digest is right.
    #[error(
        "{} {change} while it was read, so it has no checksum; run again when nothing writes to it.",
        shown(path)
    )]
    Changed { path: PathBuf, change: Change },
    /// A link whose target does not exist.
    #[error("{} is a link to something that does not exist.", shown(path))]
    DanglingLink { path: PathBuf },
    /// A folder instead of a file.
    #[error("{} is a folder, not a file.", shown(path))]
    Folder { path: PathBuf },
    /// The list would be written over a file that is no list.
    #[error(
        "{} is the file that the list would be written to, and no list; choose another name for the list.",
        shown(path)
    )]
    ListOverFile { path: PathBuf },
    /// A link to itself or to a folder that contains it, which would never end.
    #[error(
        "{} links to itself or to a folder that contains it, so it was not followed.",
        shown(path)
    )]
    LinkLoop { path: PathBuf },
    /// There is no file of this name.
    #[error("{} does not exist.", shown(path))]
    Missing { path: PathBuf },
    /// A pipe, socket or device. It was not opened, because that could block or have an effect.
    #[error("{} is {what}, not a regular file, so it was not read.", shown(path))]
    SpecialFile {
        path: PathBuf,
        /// The type of the file, with an article.
        what: &'static str,
    },
    /// The system refused to read it.
    #[error("{} can't be read: {source}.", shown(path))]
    Unreadable { path: PathBuf, source: io::Error },
}

/// A change of a file while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Change {
    /// It became longer.
    #[error("grew")]
    Grew,
    /// Another file has its name now.
    #[error("was replaced")]
    Replaced,
    /// It became shorter.
    #[error("shrank")]
    Shrank,
    /// It was deleted or renamed.
    #[error("vanished")]
    Vanished,
    /// It has the same length, but its contents or metadata were changed.
    #[error("was changed")]
    Written,
}

impl ChecksumError {
    /// Explains an I/O error at `path`.
    pub(in crate::jobs) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::IsADirectory => Self::Folder { path },
            _ if is_link_loop(&source) => Self::LinkLoop { path },
            _ => Self::Unreadable { path, source },
        }
    }

    /// The stable word for programs, as in [`ItemError::kind`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cancelled { .. } => "cancelled",
            Self::Changed { .. } => "changed_while_reading",
            Self::DanglingLink { .. } => "dangling_link",
            Self::Folder { .. } => "folder",
            Self::LinkLoop { .. } => "link_loop",
            Self::ListOverFile { .. } => "list_over_file",
            Self::Missing { .. } => "missing",
            Self::SpecialFile { .. } => "special_file",
            Self::Unreadable { source, .. } if is_file_limit(source) => "too_many_open_files",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

impl From<ChecksumError> for ItemError {
    fn from(error: ChecksumError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

#[cfg(unix)]
fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn is_link_loop(_error: &io::Error) -> bool {
    false
}
