//! Compares one file with its digests.

use std::fs;
use std::path::Path;

use super::error::VerifyError;
use super::{Expected, ExpectedDigest};
use crate::format;
use crate::jobs::checksum::{
    Checksum, Digest, DigestKind, DigestMonitor, FileDigests, digests_of_file, digests_of_stdin,
};
use crate::jobs::stdin::is_stdin;
use crate::join::Context;

/// Compares the file at `path` with what its list says of it.
///
/// It is read once for the likely algorithms, and once more for all others if these don't match.
pub(super) fn verify(
    path: &Path,
    expected: &Expected,
    context: &Context,
) -> Result<Checksum, VerifyError> {
    if is_stdin(path) {
        // It can be read once.
        let kinds = kinds(expected, |digest| &digest.candidates.kinds);
        let found = digests_of_stdin(&kinds, context)?;
        return Found::of(found, kinds).verdict(path, expected);
    }
    check_length(path, expected)?;
    let likely = kinds(expected, |digest| digest.candidates.likely());
    let mut found = Found::of_file(path, likely, context)?;
    if !expected.digests.iter().all(|one| found.matches(one)) {
        let mut rest = kinds(expected, |digest| &digest.candidates.kinds);
        rest.retain(|kind| !found.kinds.contains(kind));
        if !rest.is_empty() {
            found.add(Found::of_file(path, rest, context)?);
        }
    }
    found.verdict(path, expected)
}

fn check_length(path: &Path, expected: &Expected) -> Result<(), VerifyError> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(());
    };
    match expected.bytes {
        Some(bytes) if metadata.is_file() && metadata.len() != bytes => Err(VerifyError::Length {
            path: path.to_owned(),
            expected: bytes,
            found: metadata.len(),
        }),
        _ => Ok(()),
    }
}

/// The algorithms of all digests, each once.
fn kinds<'a>(
    expected: &'a Expected,
    of: impl Fn(&'a ExpectedDigest) -> &'a [DigestKind],
) -> Vec<DigestKind> {
    let mut kinds = Vec::new();
    for &kind in expected.digests.iter().flat_map(of) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The digests of a file.
struct Found {
    bytes: u64,
    kinds: Vec<DigestKind>,
    digests: Vec<String>,
}

impl Found {
    fn of_file(
        path: &Path,
        kinds: Vec<DigestKind>,
        monitor: &dyn DigestMonitor,
    ) -> Result<Self, VerifyError> {
        Ok(Self::of(digests_of_file(path, &kinds, monitor)?, kinds))
    }

    fn of(file: FileDigests, kinds: Vec<DigestKind>) -> Self {
        Self {
            bytes: file.bytes,
            kinds,
            digests: file.digests,
        }
    }

    fn verdict(&self, path: &Path, expected: &Expected) -> Result<Checksum, VerifyError> {
        match expected.digests.iter().find(|one| !self.matches(one)) {
            None => Ok(self.checksum(expected)),
            Some(digest) => Err(self.difference(path, digest)),
        }
    }

    fn add(&mut self, more: Self) {
        self.bytes = more.bytes;
        self.kinds.extend(more.kinds);
        self.digests.extend(more.digests);
    }

    fn matches(&self, expected: &ExpectedDigest) -> bool {
        self.kind_of(expected).is_some()
    }

    /// The algorithm by which the file has this digest.
    fn kind_of(&self, expected: &ExpectedDigest) -> Option<DigestKind> {
        let pairs = self.kinds.iter().zip(&self.digests);
        pairs
            .filter(|(kind, _)| expected.candidates.kinds.contains(kind))
            .find(|(_, digest)| **digest == expected.digest)
            .map(|(kind, _)| *kind)
    }

    fn checksum(&self, expected: &Expected) -> Checksum {
        let mut digests = expected.digests.iter().filter_map(|one| {
            Some(Digest {
                algorithm: self.kind_of(one)?.algorithm(),
                digest: one.digest.clone(),
            })
        });
        let first = digests.next().unwrap_or_default();
        Checksum {
            algorithm: first.algorithm,
            digest: first.digest,
            bytes: self.bytes,
            verified: true,
            also: digests.collect(),
        }
    }

    fn difference(&self, path: &Path, expected: &ExpectedDigest) -> VerifyError {
        let candidates = &expected.candidates;
        let likely = candidates.likely();
        let pairs = self.kinds.iter().zip(&self.digests);
        let found: Vec<_> = pairs
            .filter(|(kind, _)| likely.contains(kind))
            .map(|(kind, digest)| format!("{} {digest}", kind.algorithm()))
            .collect();
        let others = candidates.kinds.len() - likely.len();
        let advice = if others == 0 {
            String::new()
        } else {
            let others = format::plural(others, "other algorithm", "other algorithms");
            format!(
                " {others} with digests of this length did not match either; the list may be of one that \
                 is not known here."
            )
        };
        VerifyError::Differs {
            path: path.to_owned(),
            expected: expected.digest.clone(),
            found: found.join(" and "),
            advice,
        }
    }
}
