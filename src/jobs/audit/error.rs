use std::path::PathBuf;

use crate::jobs::ItemError;
use crate::jobs::checksum::ChecksumError;
use crate::jobs::text::shown;

/// The reason that a list can't be compared with.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The list could not be read.
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    /// A line is no checksum of a file.
    #[error("Line {line} of {} is not a checksum of a file.", shown(list))]
    Malformed {
        list: PathBuf,
        /// Its number, from 1.
        line: u64,
    },
    /// It has bytes that no list has.
    #[error(
        "{} is not a checksum list; pick the list, not the file that it describes.",
        shown(list)
    )]
    NotAList { list: PathBuf },
    /// A line has a digest of another algorithm than those known here.
    #[error(
        "Line {line} of {} has a digest that can't be computed here ({algorithm}).",
        shown(list)
    )]
    Unknown {
        list: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// What the line says of the algorithm.
        algorithm: String,
    },
}

impl AuditError {
    /// The stable word for programs, as in [`ItemError::kind`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Checksum(error) => error.kind(),
            Self::Malformed { .. } => "malformed",
            Self::NotAList { .. } => "not_a_list",
            Self::Unknown { .. } => "unknown_algorithm",
        }
    }
}

impl From<AuditError> for ItemError {
    fn from(error: AuditError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}
