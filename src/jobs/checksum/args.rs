use std::path::PathBuf;

use super::{Algorithm, Options};
use crate::jobs::Arguments;

/// Compute the checksums of files and folders, or verify a list of them.
#[derive(Debug, clap::Args)]
pub(super) struct ChecksumArgs {
    /// The algorithm to compute.
    #[arg(long, value_enum, default_value_t)]
    algorithm: Algorithm,
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
    pub(super) fn split(self) -> (Options, Arguments) {
        let options = Options {
            algorithm: self.algorithm,
            verify: self.check,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: self.output,
        };
        (options, arguments)
    }
}
