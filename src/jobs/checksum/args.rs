use std::path::PathBuf;

use super::{Algorithm, DigestKind, Options, UnknownDigest};
use crate::jobs::Arguments;

/// Compute the checksums of files and folders, or verify a list of them.
#[derive(Debug, clap::Args)]
pub(super) struct ChecksumArgs {
    /// The algorithms to compute, separated by commas, while each file is read once. All but the usual
    /// length is behind a hyphen, in bits: `blake2b-256`.
    #[arg(
        long,
        value_name = "ALGORITHMS",
        value_delimiter = ',',
        default_value = "blake3",
        long_help = algorithm_help()
    )]
    algorithm: Vec<DigestKind>,
    /// The length of the BLAKE2 and BLAKE3 digests, in bits.
    #[arg(long, value_name = "BITS")]
    length: Option<usize>,
    /// Read checksum lists from FILES and verify the files that they name.
    #[arg(long)]
    check: bool,
    /// Write the result to this file instead of to stdout. The file is replaced whole or not at all.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The files and folders.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl ChecksumArgs {
    /// # Errors
    /// No algorithm has the length that was asked for.
    pub(super) fn split(self) -> Result<(Options, Arguments), UnknownDigest> {
        let kinds = with_length(self.algorithm, self.length)?;
        let first = kinds
            .first()
            .copied()
            .unwrap_or(Algorithm::default().into());
        let options = Options {
            algorithm: first.algorithm(),
            length: Some(first.len()).filter(|&len| len != first.algorithm().usual_len()),
            also: kinds.into_iter().skip(1).collect(),
            verify: self.check,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: self.output,
        };
        Ok((options, arguments))
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
        "The algorithms to compute, separated by commas, while each file is read once: {ids}. A length \
         of BLAKE2 or BLAKE3 digests other than the usual one is written behind, in bits, as in \
         blake2b-256."
    )
}
