//! The items of a job, with the steps and results of all jobs.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ProcessRun, checksum, fetch, images};

/// One input of a job as the job sees it, usually a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The path as it will be opened and shown.
    pub input: PathBuf,
    /// The expected amount of work in bytes; 0 if it is not known.
    pub bytes: u64,
    pub step: Step,
}

impl Item {
    /// An input that can't be processed, and why.
    pub fn failed(input: PathBuf, error: impl Into<ItemError>) -> Self {
        Self {
            input,
            bytes: 0,
            step: Step::Fail(error.into()),
        }
    }
}

/// The work on an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Run the job on the input.
    Run,
    /// Compare the input's checksum with this one.
    Verify(checksum::Expected),
    /// Run the command once, with all these files.
    Command {
        /// The files; none for a command that takes none.
        files: Vec<PathBuf>,
    },
    /// Save the result of the input under this name.
    SaveAs {
        /// The name in the folder that the options say.
        name: OsString,
    },
    /// Nothing can be done: the item ends with this error.
    Fail(ItemError),
    /// End the way the options of [`misbehave`](super::misbehave) say.
    Misbehave,
}

/// The result of an item that returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Output {
    /// A checksum, computed or verified.
    Checksum(checksum::Checksum),
    Process(Arc<ProcessRun>),
    /// The response of a URL.
    Fetched(fetch::Fetched),
    Image(images::Saved),
    Text {
        text: String,
    },
}

impl Output {
    /// A word to show before the result; `None` if the result says enough.
    pub fn verdict(&self) -> Option<&'static str> {
        match self {
            Self::Checksum(checksum) => checksum.verdict(),
            _ => None,
        }
    }

    /// The line that stands for the item of `input` in a list of results, with its line end.
    pub fn line(&self, input: &Path) -> Vec<u8> {
        match self {
            Self::Checksum(checksum) => checksum.line(input),
            Self::Fetched(fetched) => fetched.line(input),
            Self::Image(saved) => saved.line(),
            Self::Process(_) | Self::Text { .. } => format!("{self}\n").into_bytes(),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum(checksum) => f.write_str(&checksum.digest),
            Self::Process(ran) => ran.fmt(f),
            Self::Fetched(fetched) => fetched.fmt(f),
            Self::Image(saved) => saved.fmt(f),
            Self::Text { text } => f.write_str(text),
        }
    }
}

/// The error of an item: one sentence for the user, and a word for programs.
///
/// Plain data, because it is kept in the record, written to files and sent between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ItemError {
    /// A stable snake-case word, such as `special_file` or `mismatch`.
    pub kind: String,
    /// The problem, the file and the remedy.
    pub message: String,
}

impl ItemError {
    /// A word to show before the message; `None` if the message says enough.
    pub fn verdict(&self) -> Option<&'static str> {
        checksum::verdict_of_failure(&self.kind)
    }

    pub(super) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
        }
    }
}
