use std::path::PathBuf;

use crate::format;
use crate::jobs::ItemError;
use crate::jobs::checksum::ChecksumError;
use crate::jobs::text::shown;

/// The reason that a file is not verified, or that a list verifies none.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file could not be read.
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    /// The file does not match the list.
    #[error(
        "{} does not match: the list says {expected}, the file has {found}.{advice}",
        shown(path)
    )]
    Differs {
        path: PathBuf,
        /// The digest in the list.
        expected: String,
        /// The digests of the file, with the names of their algorithms.
        found: String,
        /// What else may be the cause; empty for nothing.
        advice: String,
    },
    /// The file has another length than the list says.
    #[error(
        "{} does not match: the list says {expected} bytes, the file has {found}.",
        shown(path)
    )]
    Length {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    /// The list is strictly read, and has lines that are no checksums.
    #[error("{} The first of them is line {first}.", no_checksums(*count, &shown(list)))]
    Malformed {
        list: PathBuf,
        count: usize,
        /// Its number, from 1.
        first: u64,
    },
    /// A digest without a name in a list whose name does not say of which file.
    #[error(
        "{} has a digest without a name; give the file, and the digest with --digest.",
        shown(list)
    )]
    NoName { list: PathBuf },
    /// The list has nothing that could be verified.
    #[error("{} has no checksums, so nothing was verified.", shown(list))]
    NoChecksums { list: PathBuf },
    /// The folder has no list.
    #[error(
        "{} has no checksum list with a usual name, such as SHA256SUMS; give the list itself.",
        shown(folder)
    )]
    NoList { folder: PathBuf },
    /// The input is no text, or prose.
    #[error(
        "{} is not a checksum list; pick the list, not the file that it describes.",
        shown(list)
    )]
    NotAList { list: PathBuf },
    /// None of the files is there, and missing ones are left out.
    #[error(
        "{} names no file that is there, so nothing was verified.",
        shown(list)
    )]
    NothingThere { list: PathBuf },
    /// A file beside a list that does not name it.
    #[error("{} is not in the list.", shown(path))]
    NotListed { path: PathBuf },
    /// All digests of the list are of algorithms that can't be computed here.
    #[error(
        "{} has only digests that can't be computed here ({algorithms}), so nothing was verified.",
        shown(list)
    )]
    Unknown { list: PathBuf, algorithms: String },
}

/// `2 lines of SHA256SUMS are no checksums.`
pub(super) fn no_checksums(count: usize, list: &str) -> String {
    let lines = format::plural(count, "line", "lines");
    let are_none = if count == 1 {
        "is no checksum"
    } else {
        "are no checksums"
    };
    format!("{lines} of {list} {are_none}.")
}

impl VerifyError {
    /// The stable word for programs, as in [`ItemError::kind`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Checksum(error) => error.kind(),
            Self::Differs { .. } | Self::Length { .. } => "mismatch",
            Self::Malformed { .. } => "malformed",
            Self::NoName { .. } => "no_name",
            Self::NoChecksums { .. } => "no_checksums",
            Self::NoList { .. } => "no_list",
            Self::NotAList { .. } => "not_a_list",
            Self::NothingThere { .. } => "missing",
            Self::NotListed { .. } => "not_listed",
            Self::Unknown { .. } => "unknown_algorithm",
        }
    }
}

impl From<VerifyError> for ItemError {
    fn from(error: VerifyError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}
