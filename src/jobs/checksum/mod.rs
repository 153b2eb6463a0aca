//! The job `checksum`: the checksum of every file that was picked, or of every file that a
//! checksum list names compared with what the list says.
//!
//! [`digest_file`] does one file; [`list`] is the format of the lists.

mod algorithm;
mod digest;
mod error;
pub mod list;
mod source;
mod tree;
mod verify;
mod walk;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::algorithm::{Algorithm, UnknownAlgorithm};
pub use self::digest::{Watch, digest_file};
pub(super) use self::error::shown;
pub use self::error::{Change, ChecksumError};
pub(super) use self::source::{Identity, identity, open_regular};
pub(super) use self::verify::{MAX_LINE_LEN, read_line};
pub(super) use self::walk::walk;
use super::{Item, ItemError, Job, Output, Step};
use crate::join::Context;

/// What the job does with its inputs.
///
/// ```
/// use meanwhile::jobs::Job as _;
/// use meanwhile::jobs::checksum::{Algorithm, Options};
/// use meanwhile::join;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("a"), "abc")?;
/// let inputs = [folder.path().to_owned()];
/// let task = join::spawn("checksums", move |context| {
///     let options = Options { algorithm: Algorithm::Crc32, verify: false };
///     let mut lines = Vec::new();
///     options.plan(&inputs, context, &mut |item| {
///         lines.push(options.run_item(&item, context).map(|output| output.to_string()));
///     });
///     lines
/// })?;
/// assert_eq!(task.join()?[..], [Ok("352441c2".to_owned())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The algorithm to compute. In a list, the one for digests that could be several's.
    pub algorithm: Algorithm,
    /// Whether the inputs are checksum lists, whose files are to be verified.
    ///
    /// A name in a list is looked up beside the list; if nothing is there, seen from the current
    /// folder.
    pub verify: bool,
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
    /// Whether it was compared with a list's and found to be the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
}

/// What a line of a checksum list says about its file.
///
/// ```
/// use meanwhile::jobs::checksum::{Algorithm, Expected};
///
/// // Eight digits without a name: CRC-32 is all they can be.
/// let expected = Expected {
///     digest: "352441c2".to_owned(),
///     algorithms: vec![Algorithm::Crc32],
/// };
/// assert!(expected.algorithms.iter().all(|one| one.hex_len() == expected.digest.len()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
    /// The algorithms that may have computed it, likeliest first, at least one.
    pub algorithms: Vec<Algorithm>,
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "checksum"
    }

    fn title(&self) -> &'static str {
        "Checksums"
    }

    /// Folders are walked with all that is in them, by name; no folder is entered twice. With
    /// [`Options::verify`] each input is a list, and each line of it an item.
    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item)) {
        if self.verify {
            verify::plan(inputs, self.algorithm, context, found);
        } else {
            walk(inputs, context, found);
        }
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let checksum = match &item.step {
            Step::Verify(expected) => verify::verify(&item.input, expected, context),
            Step::Fail(error) => return Err(error.clone()),
            _ => digest_file(&item.input, self.algorithm, context),
        };
        // A cancel ends the item as cancelled, not as failed.
        context.checkpoint();
        Ok(Output::Checksum(checksum?))
    }
}
