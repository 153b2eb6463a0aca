//! The digest that a list expects of a response, such as `sha256:…`.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::jobs::checksum::{
    Algorithm, ChecksumError, DigestKind, Hasher, UnknownDigest, digest_file,
};
use crate::join::Context;

/// A digest with its algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub kind: DigestKind,
    /// In lower-case hexadecimal digits.
    pub digits: String,
}

/// The reason that a word which looks like a digest is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DigestError {
    #[error(transparent)]
    Kind(#[from] UnknownDigest),
    #[error("a digest of {kind} has {expected} digits, not {found}")]
    Len {
        kind: DigestKind,
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
        let mut kind: DigestKind = name.parse()?;
        if name_has_no_length(name) && kind.algorithm().has_any_length() {
            kind = DigestKind::with_bits(kind.algorithm(), digits.len() * 4)?;
        }
        if digits.len() != kind.len() * 2 {
            return Err(DigestError::Len {
                kind,
                expected: kind.len() * 2,
                found: digits.len(),
            });
        }
        Ok(Self {
            kind,
            digits: digits.to_ascii_lowercase(),
        })
    }

    /// Whether the file has it.
    ///
    /// # Errors
    /// It has another, or can't be read.
    pub(super) fn check_file(&self, path: &Path, context: &Context) -> Result<(), ChecksumError> {
        let found = digest_file(path, self.kind, context)?;
        if found.digest == self.digits {
            return Ok(());
        }
        Err(ChecksumError::Mismatch {
            path: path.to_owned(),
            expected: self.digits.clone(),
            found: format!("{} {}", self.kind.algorithm(), found.digest),
        })
    }

    pub(super) fn hasher(&self) -> Hasher {
        Hasher::new(self.kind)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.digits)
    }
}

/// Whether a name such as `blake2b` leaves the length open, unlike `blake2b-256`.
fn name_has_no_length(name: &str) -> bool {
    matches!(Algorithm::from_tag(name), Some((_, None)))
}
