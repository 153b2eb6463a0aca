//! The digest that a list expects of a response, such as `sha256:…`.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::jobs::checksum::{Algorithm, ChecksumError, Hasher, digest_file};
use crate::join::Context;

/// A digest with its algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub algorithm: Algorithm,
    /// In lower-case hexadecimal digits.
    pub digits: String,
}

/// The reason that a word which looks like a digest is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DigestError {
    #[error("{0:?} is not a checksum algorithm")]
    Algorithm(String),
    #[error("a digest of {algorithm} has {expected} digits, not {found}")]
    Len {
        algorithm: Algorithm,
        expected: usize,
        found: usize,
    },
}

impl Digest {
    /// `None` if the word does not look like a digest.
    pub(super) fn parse(word: &str) -> Option<Result<Self, DigestError>> {
        let (name, digits) = word.split_once(':')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let is_digest = !name.is_empty()
            && name.chars().all(is_name)
            && !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_digest.then(|| Self::of(name, digits))
    }

    fn of(name: &str, digits: &str) -> Result<Self, DigestError> {
        let algorithm: Algorithm = name
            .parse()
            .map_err(|_unknown| DigestError::Algorithm(name.to_owned()))?;
        if digits.len() != algorithm.hex_len() {
            return Err(DigestError::Len {
                algorithm,
                expected: algorithm.hex_len(),
                found: digits.len(),
            });
        }
        Ok(Self {
            algorithm,
            digits: digits.to_ascii_lowercase(),
        })
    }

    /// Whether the file has it.
    ///
    /// # Errors
    /// It has another, or can't be read.
    pub(super) fn check_file(&self, path: &Path, context: &Context) -> Result<(), ChecksumError> {
        let found = digest_file(path, self.algorithm, context)?;
        if found.digest == self.digits {
            return Ok(());
        }
        Err(ChecksumError::Mismatch {
            path: path.to_owned(),
            expected: self.digits.clone(),
            found: format!("{} {}", self.algorithm, found.digest),
        })
    }

    pub(super) fn hasher(&self) -> Hasher {
        Hasher::new(self.algorithm)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.id(), self.digits)
    }
}
