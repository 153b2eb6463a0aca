use std::ffi::OsString;
use std::path::PathBuf;

use super::written::is_sfv;
use super::{Algorithm, DigestKind, ListForm, ListTarget, Options, UnknownDigest};
use crate::jobs::verify::CheckArgs;
use crate::jobs::{Arguments, Options as JobOptions};

/// Compute the checksums of files and folders.
#[derive(Debug, clap::Args)]
pub(super) struct ChecksumArgs {
    /// The algorithms to compute, separated by commas, while each file is read once [default: blake3].
    /// All but the usual length is behind a hyphen, in bits: `blake2b-256`.
    #[arg(
        long,
        value_name = "ALGORITHMS",
        value_delimiter = ',',
        long_help = algorithm_help()
    )]
    algorithm: Option<Vec<DigestKind>>,
    /// The length of the BLAKE2 and BLAKE3 digests, in bits.
    #[arg(long, value_name = "BITS")]
    length: Option<usize>,
    /// Verify the lists FILES, as `meanwhile run verify` does.
    #[arg(long, conflicts_with = "length")]
    check: bool,
    #[command(flatten, next_help_heading = "With --check")]
    of_check: CheckArgs,
    /// Write lines that name the algorithm, as with `cksum`: `SHA256 (name) = …`.
    #[arg(long, conflicts_with = "check")]
    tag: bool,
    /// End each line with a zero byte, and escape no name.
    #[arg(long, short, conflicts_with = "check")]
    zero: bool,
    /// Write the result to this file instead of to stdout, with names relative to its folder. The file is
    /// replaced whole or not at all. A list `NAME.sfv` has CRC-32 checksums, as cksfv reads them.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a list of this name into each folder, with the checksums of the files there.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["check", "output"])]
    output_per_folder: Option<OsString>,
    /// The files and folders; - is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl ChecksumArgs {
    /// # Errors
    /// No algorithm has the length that was asked for.
    pub(super) fn split(self) -> Result<(Options, Arguments), UnknownDigest> {
        let target = self.target();
        let kinds = self.algorithm.unwrap_or_else(|| match &target {
            ListTarget::File(path) if is_sfv(path) => vec![Algorithm::Crc32.into()],
            _ => vec![Algorithm::default().into()],
        });
        let kinds = with_length(kinds, self.length)?;
        let first = kinds
            .first()
            .copied()
            .unwrap_or(Algorithm::default().into());
        let options = Options {
            algorithm: first.algorithm(),
            length: Some(first.len()).filter(|&len| len != first.algorithm().usual_len()),
            also: kinds.into_iter().skip(1).collect(),
            form: ListForm {
                tag: self.tag,
                zero: self.zero,
            },
            target,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: self.output.or(self.output_per_folder.map(PathBuf::from)),
        };
        Ok((options, arguments))
    }

    /// The job that verifies lists, if it is meant.
    pub(super) fn instead(self) -> Option<JobOptions> {
        let first = self.algorithm.iter().flatten().next();
        let algorithm = first.map(|kind| kind.algorithm());
        self.check
            .then(|| JobOptions::Verify(self.of_check.options(algorithm)))
    }

    fn target(&self) -> ListTarget {
        match (&self.output, &self.output_per_folder) {
            _ if self.check => ListTarget::Later,
            (Some(path), _) => ListTarget::File(path.clone()),
            (None, Some(name)) => ListTarget::EachFolder(name.clone()),
            (None, None) => ListTarget::Stdout,
        }
    }
}

/// The kinds with digests of `bits` bits where the algorithm has digests of several lengths.
fn with_length(
    kinds: Vec<DigestKind>,
    bits: Option<usize>,
) -> Result<Vec<DigestKind>, UnknownDigest> {
    let Some(bits) = bits else { return Ok(kinds) };
    if let [only] = kinds[..] {
        return Ok(vec![DigestKind::with_bits(only.algorithm(), bits)?]);
    }
    let with_length = |kind: DigestKind| {
        if kind.algorithm().has_any_length() {
            DigestKind::with_bits(kind.algorithm(), bits)
        } else {
            Ok(kind)
        }
    };
    kinds.into_iter().map(with_length).collect()
}

fn algorithm_help() -> String {
    let ids = Algorithm::ALL.map(Algorithm::id).join(", ");
    format!(
        "The algorithms to compute, separated by commas, while each file is read once: {ids} [default: \
         blake3, or crc32 if the list is named .sfv]. A length \
         of BLAKE2 or BLAKE3 digests other than the usual one is written behind, in bits, as in \
         blake2b-256."
    )
}
