use std::io;
use std::path::{Path, PathBuf};

use super::list::Malformed;
use crate::jobs::ItemError;

/// Why a file has no checksum, or not the one that a list says.
///
/// ```
/// use meanwhile::jobs::ItemError;
/// use meanwhile::jobs::checksum::{Change, ChecksumError};
///
/// let error = ChecksumError::Changed { path: "a.log".into(), change: Change::Grew };
/// assert_eq!(error.kind(), "changed_while_reading");
/// let error = ItemError::from(error);
/// assert!(error.message.starts_with("a.log grew while it was read"));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ChecksumError {
    /// Whoever watched asked for a cancel.
    #[error("{} was cancelled.", shown(path))]
    Cancelled {
        /// The file.
        path: PathBuf,
    },
    /// The file was not the same from the first byte to the last, so no digest is right.
    #[error(
        "{} {change} while it was read, so it has no checksum; run again when nothing writes to it.",
        shown(path)
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What happened to it.
        change: Change,
    },
    /// A link that leads nowhere.
    #[error("{} is a link to something that is not there.", shown(path))]
    DanglingLink {
        /// The link.
        path: PathBuf,
    },
    /// A folder, where a file was expected.
    #[error("{} is a folder, not a file.", shown(path))]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A link that leads to itself, or up to a folder around it: it would never end.
    #[error(
        "{} is a link that leads back to itself or to a folder around it, so it is not followed.",
        shown(path)
    )]
    LinkLoop {
        /// The link.
        path: PathBuf,
    },
    /// A line of a checksum list that says nothing.
    #[error("Line {line} of {} is not a checksum: {reason}.", shown(list))]
    Malformed {
        /// The list.
        list: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: Malformed,
    },
    /// The file is not the one that the list describes.
    #[error(
        "{} does not match: the list says {expected}, the file has {found}.",
        shown(path)
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The digest in the list.
        expected: String,
        /// The digest of the file, with the algorithm's name.
        found: String,
    },
    /// Nothing has this name.
    #[error("{} is not there.", shown(path))]
    Missing {
        /// The name.
        path: PathBuf,
    },
    /// What was given as a checksum list is something else.
    #[error(
        "{} is not a checksum list, so the rest of it was not read; pick the list, not the file it describes.",
        shown(list)
    )]
    NotAList {
        /// The file.
        list: PathBuf,
    },
    /// Something that is opened for its effect or has no end; it was not opened.
    #[error("{} is {what}, not a regular file, so it was not read.", shown(path))]
    SpecialFile {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The system refused.
    #[error("{} can't be read: {source}.", shown(path))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What happened to a file while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Change {
    /// It became longer.
    #[error("grew")]
    Grew,
    /// Another file took its name.
    #[error("was replaced")]
    Replaced,
    /// It became shorter.
    #[error("shrank")]
    Shrank,
    /// Its name is gone.
    #[error("vanished")]
    Vanished,
    /// It has the same length, but somebody wrote to it or changed its metadata.
    #[error("was changed")]
    Written,
}

impl ChecksumError {
    /// What an I/O error at `path` means to a person.
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
            Self::Malformed { .. } => "malformed",
            Self::Mismatch { .. } => "mismatch",
            Self::Missing { .. } => "missing",
            Self::NotAList { .. } => "not_a_list",
            Self::SpecialFile { .. } => "special_file",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

impl From<ChecksumError> for ItemError {
    fn from(error: ChecksumError) -> Self {
        Self {
            kind: error.kind().to_owned(),
            message: error.to_string(),
        }
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

/// The path as it may stand in a sentence: a name with line breaks, bytes that are not UTF-8 or
/// characters that reorder text is quoted and escaped.
pub(in crate::jobs) fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(disturbs) => text.to_owned(),
        #[expect(
            clippy::unnecessary_debug_formatting,
            reason = "the quotes and escapes are wanted here"
        )]
        _ => format!("{path:?}"),
    }
}

fn disturbs(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
