//! The job `verify`: compares files with the digests that a checksum list, or the user, says they have.

mod args;
mod check;
mod error;
mod interface;
mod plan;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(super) use self::args::CheckArgs;
pub use self::error::VerifyError;
use super::checksum::{Algorithm, Candidates, is_short_file};
use super::{Item, ItemError, Job, Output, Plan, Step};
use crate::choice::choices;
use crate::join::{Cancelled, Context};

/// The options of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The digest of the inputs, which then are the files and no lists; empty for none.
    pub digest: String,
    /// The algorithm of digests that fit several, where neither the line nor the name of the list names it.
    pub algorithm: Option<Algorithm>,
    /// The folder in which the names begin; empty for the folder of the list or else the current one.
    #[serde(with = "super::os_text")]
    pub base: PathBuf,
    /// Leave out the files that are missing.
    pub ignore_missing: bool,
    /// Of a folder: also report the files that its lists don't name.
    pub extra: bool,
    /// A line that is no checksum is an error.
    pub strict: bool,
    /// How much is printed.
    pub says: Says,
}

/// How much of the result is printed as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Everything.
    #[default]
    All,
    /// All but the files that match.
    Problems,
    /// Nothing: the exit code says it.
    Nothing,
}

choices!(pub Says {
    All => "All",
    Problems => "Problems",
    Nothing => "Nothing",
});

/// What a file is expected to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// At least one; all of them hold.
    pub digests: Vec<ExpectedDigest>,
    /// The length of the file in bytes, if the list says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// One digest of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDigest {
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
    pub candidates: Candidates,
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "verify"
    }

    fn title(&self) -> &'static str {
        "Verify"
    }

    /// Each line of a list is an item. What is around the lines, and lines that are none, are notes.
    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        plan::plan(self, inputs, context, plan)
    }

    fn is_short(&self, item: &Item) -> bool {
        is_short_file(item.bytes)
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let checksum = match &item.step {
            Step::Verify(expected) => check::verify(&item.input, expected, context),
            Step::Fail(error) => return Err(error.clone()),
            _ => {
                return Err(ItemError::new(
                    "no_digest",
                    "There is no digest to compare with.",
                ));
            }
        };
        // A cancel ends the item as cancelled, not as failed.
        context.check()?;
        Ok(Output::Checksum(checksum?))
    }
}
