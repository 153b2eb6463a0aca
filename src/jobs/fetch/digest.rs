//! The digest that a list expects of a response, such as `sha256:…`.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::jobs::checksum::{
    Algorithm, ChecksumError, DigestKind, Hasher, UnknownAlgorithm, UnknownDigest, digest_file,
};
use crate::join::Context;

/// A digest with its algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub algorithm: DigestKind,
    /// In lower-case hexadecimal digits.
    pub digits: String,
}

/// The reason that a word which looks like a digest is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DigestError {
    #[error(transparent)]
    Unknown(#[from] UnknownDigest),
    #[error("a digest of {algorithm} has another number of digits than {found}")]
    Len { algorithm: String, found: usize },
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
        let unknown = || UnknownAlgorithm(name.to_owned());
        let (algorithm, len) = Algorithm::from_tag(name)
            .ok_or_else(unknown)
            .map_err(UnknownDigest::from)?;
        let found = digits.len();
        if !found.is_multiple_of(2) || len.is_some_and(|len| len * 2 != found) {
            let algorithm = name.to_owned();
            return Err(DigestError::Len { algorithm, found });
        }
        Ok(Self {
            algorithm: DigestKind::new(algorithm, found / 2)?,
            digits: digits.to_ascii_lowercase(),
        })
    }

    /// The digits of the digest that the file has.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn of_file(&self, path: &Path, context: &Context) -> Result<String, ChecksumError> {
        Ok(digest_file(path, self.algorithm, context)?.digest)
    }

    pub(super) fn hasher(&self) -> Hasher {
        Hasher::new(self.algorithm)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.digits)
    }
}
