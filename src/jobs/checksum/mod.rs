//! The job `checksum`: computes the checksum of every file.
//!
//! [`digest_file`] does one file; [`list`] writes lists, and [`read`] reads them, also for the jobs `verify`
//! and `audit`.

mod algorithm;
mod args;
mod candidates;
mod digest;
mod error;
mod hasher;
mod interface;
pub mod list;
mod list_name;
mod list_source;
mod locate;
mod own_lists;
pub mod read;
mod side_by_side;
mod source;
mod tree;
mod walk;
mod written;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::algorithm::{Algorithm, DigestKind, UnknownAlgorithm, UnknownDigest};
pub use self::candidates::Candidates;
pub(super) use self::candidates::candidates;
pub use self::digest::{DigestMonitor, FileDigests, digest_file, digests_of_file};
pub(super) use self::digest::{digests_of_stdin, is_short_file};
pub use self::error::{Change, ChecksumError};
pub(super) use self::hasher::Hasher;
pub use self::list::ListForm;
pub(super) use self::list_name::algorithm_of;
pub use self::list_name::is_likely_list;
pub(super) use self::list_source::{MAX_LINE_LEN, folder_of, open_list, read_line};
pub(super) use self::locate::{Names, name_of};
pub use self::own_lists::ListTarget;
pub(super) use self::own_lists::is_list;
pub(super) use self::source::open_regular;
pub(super) use self::tree::side_by_side;
pub(super) use self::walk::{Visitor, walk, walk_files};
pub(super) use self::written::name_in as name_in_list;
use super::stdin::is_stdin;
use super::text::shown;
use super::{Item, ItemError, Job, JobOutput, Output, Plan, Step};
use crate::join::{Cancelled, Context};

/// The options of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The algorithm to compute.
    pub algorithm: Algorithm,
    /// The number of bytes of its digests; `None` for the usual one, which also stands for one that the
    /// algorithm does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// Digests to compute besides, while the file is read once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<DigestKind>,
    /// The form of the lists.
    #[serde(skip_serializing_if = "ListForm::is_usual")]
    pub form: ListForm,
    /// Where the lists are written, so that none is its own input.
    #[serde(skip)]
    pub target: ListTarget,
}

/// The checksum of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// The algorithm that computed it.
    pub algorithm: Algorithm,
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// Whether it was compared with a list and matches.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// Digests of other algorithms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Digest>,
}

/// One of several digests of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The algorithm that computed it.
    pub algorithm: Algorithm,
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
}

impl Checksum {
    /// Computes the digests of a file; the first is that of the checksum.
    fn of_file(
        path: &Path,
        kinds: &[DigestKind],
        monitor: &dyn DigestMonitor,
    ) -> Result<Self, ChecksumError> {
        Ok(Self::of(kinds, digests_of_file(path, kinds, monitor)?))
    }

    /// That of the digests of these kinds.
    fn of(kinds: &[DigestKind], file: FileDigests) -> Self {
        let kinds = kinds.iter().copied().map(DigestKind::algorithm);
        let mut digests = kinds
            .zip(file.digests)
            .map(|(algorithm, digest)| Digest { algorithm, digest });
        let first = digests.next().unwrap_or_default();
        Self {
            algorithm: first.algorithm,
            digest: first.digest,
            bytes: file.bytes,
            verified: false,
            also: digests.collect(),
        }
    }

    /// The digests, each with its algorithm.
    fn all(&self) -> Vec<(Algorithm, &str)> {
        let also = self.also.iter();
        let also = also.map(|also| (also.algorithm, also.digest.as_str()));
        std::iter::once((self.algorithm, self.digest.as_str()))
            .chain(also)
            .collect()
    }
}

impl JobOutput for Checksum {
    /// The line of `sha256sum` for the file `name` or, if it was verified, of `sha256sum -c`. In that, a
    /// name that breaks or reorders lines is quoted: it could forge the line of another file.
    fn line(&self, name: &Path) -> Vec<u8> {
        if self.verified {
            return format!("{}: OK\n", shown(name)).into_bytes();
        }
        list::line(self, name, ListForm::default())
    }

    fn digests(&self) -> Vec<(String, &str)> {
        let all = self.all().into_iter();
        all.map(|(algorithm, digest)| (algorithm.to_string(), digest))
            .collect()
    }

    fn has_digest(&self, pasted: &str) -> Result<bool, String> {
        has_digest(&self.all(), pasted)
    }

    /// The word of `sha256sum -c` for a verified file.
    fn verdict(&self) -> Option<&'static str> {
        self.verified.then_some("OK")
    }
}

/// Whether a digest that the user has pasted, alone or in the line of a list, is one of these.
///
/// # Errors
/// A sentence that says why they can't be compared.
pub(super) fn has_digest(all: &[(Algorithm, &str)], pasted: &str) -> Result<bool, String> {
    // A line of a list has the digest at its begin or at its end.
    let mut words = pasted.split_whitespace();
    let ends = [Some(pasted), words.next(), words.next_back()];
    let claim = ends.into_iter().flatten().find_map(read::digest_from_text);
    let claim = claim.ok_or("That is no digest in hexadecimal digits or base64.")?;
    let digest = hex::encode(&claim.digest);
    let is_like = |&(algorithm, own): &(Algorithm, &str)| {
        own.len() == digest.len() && claim.tag.is_none_or(|tag| tag == algorithm)
    };
    if !all.iter().any(is_like) {
        let own = all.iter().map(|(algorithm, _)| algorithm.to_string());
        let own = own.collect::<Vec<_>>().join(", ");
        return Err(format!("That is no digest of this kind ({own})."));
    }
    let mut like = all.iter().filter(|own| is_like(own));
    Ok(like.any(|(_, own)| *own == digest))
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.also.is_empty() && !self.verified {
            return f.write_str(&self.digest);
        }
        write!(f, "{} {}", self.algorithm, self.digest)?;
        for also in &self.also {
            write!(f, ", {} {}", also.algorithm, also.digest)?;
        }
        Ok(())
    }
}

impl Options {
    /// The digests to compute, the one of [`Options::algorithm`] first, each once.
    pub fn kinds(&self) -> Vec<DigestKind> {
        let first = self
            .length
            .and_then(|len| DigestKind::new(self.algorithm, len).ok());
        let mut kinds = vec![first.unwrap_or(self.algorithm.into())];
        for &kind in &self.also {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "checksum"
    }

    fn title(&self) -> &'static str {
        "Checksums"
    }

    /// Folders are walked recursively, by name; no folder is entered twice.
    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        own_lists::plan(&self.target, inputs, context, plan)
    }

    fn is_short(&self, item: &Item) -> bool {
        is_short_file(item.bytes)
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let kinds = self.kinds();
        let checksum = match &item.step {
            Step::Fail(error) => return Err(error.clone()),
            _ if is_stdin(&item.input) => {
                let digests = digests_of_stdin(&kinds, context);
                digests.map(|digests| Checksum::of(&kinds, digests))
            }
            _ => Checksum::of_file(&item.input, &kinds, context),
        };
        // A cancel ends the item as cancelled, not as failed.
        context.check()?;
        Ok(Output::Checksum(checksum?))
    }
}
