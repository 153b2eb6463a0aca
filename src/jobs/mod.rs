//! What can be run: the [`Job`] trait and the catalogue, one file per job.
//!
//! A job is data ([`JobSpec`]: which job, its options, its inputs, where it runs) and two small
//! functions: [`Job::plan`] turns inputs into items, [`Job::run_item`] does one of them. Everything
//! around that (threads, cancelling, joining, catching panics) belongs to [`crate::board`], so a
//! job is ordinary sequential code. Jobs know no window.
//!
//! Adding a job is one file here plus one line in [`catalogue`] and one variant of [`Options`].

pub mod checksum;
pub mod misbehave;
pub mod save;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::join::Context;

/// Everything that is needed to start a job, and to start the same job again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Which job, with its options.
    pub options: Options,
    /// The files and folders a person picked, in their order.
    pub inputs: Vec<PathBuf>,
    /// Where the items run.
    pub run_on: RunOn,
    /// How many items run at once, at least 1.
    pub workers: usize,
}

/// Where the items of a job run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOn {
    /// On a pool of `workers` threads that lives as long as the job.
    #[default]
    Pool,
    /// Each item on a thread of its own, at most `workers` at a time.
    Thread,
}

/// The options of each job of the catalogue; the variant is the choice of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Options {
    /// Compute or verify checksums.
    Checksum(checksum::Options),
    /// End in the way one chooses, on the item one chooses.
    Misbehave(misbehave::Options),
}

impl Options {
    /// The job that these options configure.
    pub fn job(&self) -> &dyn Job {
        match self {
            Self::Checksum(options) => options,
            Self::Misbehave(options) => options,
        }
    }
}

/// The default options of every job, in the order in which a person is offered them.
pub fn catalogue() -> Vec<Options> {
    vec![
        Options::Checksum(checksum::Options::default()),
        Options::Misbehave(misbehave::Options::default()),
    ]
}

/// A configured job. The options are the fields of the implementor.
pub trait Job: Send + Sync {
    /// The name on the command line and in files, such as `checksum`.
    fn id(&self) -> &'static str;

    /// The name on screen, such as `Checksums`.
    fn title(&self) -> &'static str;

    /// Walks the inputs and hands each item to `found`, in a stable order.
    ///
    /// What can't be an item (an unreadable folder, a malformed line) is found too, as
    /// [`Step::Fail`]: it ends as that item's error and the rest goes on. Calls
    /// [`Context::checkpoint`] at least every 100 ms, so that planning a million files can be
    /// cancelled. `found` may wait while the workers are behind.
    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item));

    /// Does one item, whatever its step is; only [`Step::Fail`] never gets here.
    ///
    /// Progress is reported in bytes through `context`, which is also asked for a cancel at least
    /// every 100 ms.
    ///
    /// # Errors
    /// Whatever keeps this one item from being done. A panic is caught, and ends this item only.
    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError>;
}

/// One input of a job as the job sees it, mostly a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The path as it will be opened and shown.
    pub input: PathBuf,
    /// The expected amount of work in bytes; 0 where it is not known.
    pub bytes: u64,
    /// What is to be done.
    pub step: Step,
}

impl Item {
    /// An input with which nothing can be done, and why.
    pub fn failed(input: PathBuf, error: impl Into<ItemError>) -> Self {
        Self {
            input,
            bytes: 0,
            step: Step::Fail(error.into()),
        }
    }
}

/// What is to be done with an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Run the job on the input.
    Run,
    /// Compare the input's checksum with this one.
    Verify(checksum::Expected),
    /// Nothing can be done: the item ends with this error.
    Fail(ItemError),
    /// End the way the options of [`misbehave`] say.
    Misbehave,
}

/// What an item came back with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Output {
    /// A checksum, computed or verified.
    Checksum(checksum::Checksum),
    /// A sentence.
    Text {
        /// The sentence.
        text: String,
    },
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum(checksum) => f.write_str(&checksum.digest),
            Self::Text { text } => f.write_str(text),
        }
    }
}

/// Why an item failed: one sentence for a person, and a word for programs.
///
/// Plain data, because it is kept in the record, written to files and sent between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ItemError {
    /// A stable snake-case word, such as `special_file` or `mismatch`.
    pub kind: String,
    /// What happened, to what, what to do.
    pub message: String,
}
