use std::path::PathBuf;

use super::Options;
use crate::jobs::Arguments;
use crate::jobs::checksum::Algorithm;

/// Compare folders with a list of an earlier state: what is new, moved, changed, missing or rotten.
#[derive(Debug, clap::Args)]
#[command(after_help = STATES)]
pub(super) struct AuditArgs {
    /// The list of the earlier state. Also one of sha256sum or in any other form that `run verify` reads;
    /// - is standard input.
    #[arg(long, value_name = "LIST")]
    against: PathBuf,
    /// Read every file, too, whose size and time are as in the list: this alone finds rot.
    #[arg(long)]
    thorough: bool,
    /// Replace the list by one of the present state when all has ended, or make it.
    #[arg(long)]
    renew: bool,
    /// The algorithm for files that the list does not have [default: blake3].
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<Algorithm>,
    /// The folders and files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

const STATES: &str = "\
A file is new, moved (by its content), touched (another time, the same content) or changed; that is a line
on stdout. One that is missing or rotten (another content, the same size and time) is an error, and stays in
a renewed list if it is rotten.

The list is one of checksums, with the size and the time of each file in a comment. With --algorithm sha256,
sha256sum -c checks it, too.";

impl AuditArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let options = Options {
            against: self.against,
            algorithm: self.algorithm.unwrap_or_default(),
            thorough: self.thorough,
            renew: self.renew,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: None,
        };
        (options, arguments)
    }
}
