use std::path::PathBuf;

use clap::Args;

use super::{Options, Says};
use crate::jobs::Arguments;
use crate::jobs::checksum::{Algorithm, read};

/// Compare files with their checksums.
///
/// Each of LISTS is a checksum list of any usual form, a folder with such lists, or `-` for standard
/// input. With --digest it is the file that has this digest.
#[derive(Debug, Args)]
#[command(after_help = LINES)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    check: CheckArgs,
    /// The algorithm of digests that fit several, where neither the line nor the name of the list names it.
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// The digest of the files, in hexadecimal digits or base64; `sha256:` may come before it.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<String>,
    /// Of a folder: also report the files that its lists don't name.
    #[arg(long)]
    extra: bool,
    /// Write the lines to this file instead of to stdout. The file is replaced whole or not at all.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The lists, or the files of a digest.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
}

const LINES: &str = "\
Each file has a line on stdout, as of sha256sum -c: `NAME: OK`, `NAME: FAILED` if it does not match, or
`NAME: FAILED open or read` if it is missing or can't be read. What is wrong with it is said on stderr.";

/// The arguments that `run checksum --check` has, too.
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags that don't depend on each other"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(in crate::jobs) struct CheckArgs {
    /// Begin names in this folder, instead of in that of the list or else in the current one.
    #[arg(long, value_name = "FOLDER")]
    base: Option<PathBuf>,
    /// Leave out the files of a list that are missing.
    #[arg(long)]
    ignore_missing: bool,
    /// Fail if a line of a list is no checksum.
    #[arg(long)]
    strict: bool,
    /// Don't print the files that match.
    #[arg(long)]
    quiet: bool,
    /// Print nothing; the exit code says whether all match.
    #[arg(long)]
    status: bool,
}

impl CheckArgs {
    /// The options of these arguments.
    pub(in crate::jobs) fn options(self, algorithm: Option<Algorithm>) -> Options {
        let says = match (self.status, self.quiet) {
            (true, _) => Says::Nothing,
            (false, true) => Says::Problems,
            (false, false) => Says::All,
        };
        Options {
            algorithm,
            base: self.base.unwrap_or_default(),
            ignore_missing: self.ignore_missing,
            strict: self.strict,
            says,
            ..Options::default()
        }
    }
}

impl VerifyArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let options = Options {
            digest: self.digest.unwrap_or_default(),
            extra: self.extra,
            ..self.check.options(self.algorithm)
        };
        let arguments = Arguments {
            inputs: self.lists,
            output: self.output,
        };
        (options, arguments)
    }
}

fn digest(text: &str) -> Result<String, String> {
    match read::digest_from_text(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("it has not the length of a digest in hexadecimal digits or base64".to_owned()),
    }
}
