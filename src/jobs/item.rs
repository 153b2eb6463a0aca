//! The items of a job, and what their results and errors have in common.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::retry::Shortage;
use super::{Output, Step};
use crate::join::Cancelled;

/// The kind of an error that is a cancel.
const CANCELLED: &str = "cancelled";

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

/// A kind of result. Tables show it as its `Display`.
pub trait JobOutput: fmt::Display {
    /// A word to show before the result; `None` if the result says enough.
    fn verdict(&self) -> Option<&'static str> {
        None
    }

    /// The lengths of a file before and after, in bytes; `None` unless the job is about them.
    fn lengths(&self) -> Option<(u64, u64)> {
        None
    }

    /// What is not as expected although the item returned, as a sentence without its subject, which is
    /// the input, and full stop; `None` if all is.
    fn remark(&self) -> Option<String> {
        None
    }

    /// The file that the result was saved to.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// The digests of a file that are the result, each with the name of its algorithm; none for a result of another
    /// kind.
    fn digests(&self) -> Vec<(String, &str)> {
        Vec::new()
    }

    /// Whether a digest that the user has pasted is one of these.
    ///
    /// # Errors
    /// A sentence that says why they can't be compared.
    fn has_digest(&self, _pasted: &str) -> Result<bool, String> {
        Err("This result has no digest.".to_owned())
    }

    /// The line that stands for the item of `input` in a list of results, with its line end.
    fn line(&self, _input: &Path) -> Vec<u8> {
        format!("{self}\n").into_bytes()
    }
}

impl JobOutput for String {}

impl Output {
    /// A word to show before the result; `None` if the result says enough.
    pub fn verdict(&self) -> Option<&'static str> {
        self.of_job().verdict()
    }

    /// The lengths of a file before and after, in bytes; `None` unless the job is about them.
    pub fn lengths(&self) -> Option<(u64, u64)> {
        self.of_job().lengths()
    }

    /// What is not as expected although the item returned, as a sentence without its subject, which is
    /// the input, and full stop; `None` if all is.
    pub fn remark(&self) -> Option<String> {
        self.of_job().remark()
    }

    /// The file that the result was saved to.
    pub fn file(&self) -> Option<&Path> {
        self.of_job().file()
    }

    /// The digests of a file that are the result, each with the name of its algorithm; none for a result of another
    /// kind.
    pub fn digests(&self) -> Vec<(String, &str)> {
        self.of_job().digests()
    }

    /// Whether a digest that the user has pasted is one of these.
    ///
    /// # Errors
    /// A sentence that says why they can't be compared.
    pub fn has_digest(&self, pasted: &str) -> Result<bool, String> {
        self.of_job().has_digest(pasted)
    }

    /// The line that stands for the item of `input` in a list of results, with its line end.
    pub fn line(&self, input: &Path) -> Vec<u8> {
        self.of_job().line(input)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of_job().fmt(f)
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
    /// What a developer asks for, such as the message and the place of a panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl ItemError {
    /// A word to show before the message; `None` if the message says enough.
    pub fn verdict(&self) -> Option<&'static str> {
        // As `sha256sum -c` prints it.
        match self.kind.as_str() {
            "malformed" => Some("malformed"),
            "mismatch" => Some("FAILED"),
            "missing" => Some("missing"),
            "rotten" => Some("rotten"),
            _ => None,
        }
    }

    /// What the system had none left of, so that the item may succeed once other work has ended.
    pub(crate) fn shortage(&self) -> Option<Shortage> {
        match self.kind.as_str() {
            "too_many_open_files" => Some(Shortage::Files),
            "no_thread" | "too_many_processes" => Some(Shortage::Processes),
            _ => None,
        }
    }

    /// Whether the item did not fail, but was cancelled.
    pub(crate) fn is_cancel(&self) -> bool {
        self.kind == CANCELLED
    }

    /// Without details.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
            details: None,
        }
    }
}

/// With it, the item is shown as cancelled.
impl From<Cancelled> for ItemError {
    fn from(cancelled: Cancelled) -> Self {
        Self::new(CANCELLED, cancelled.to_string())
    }
}

/// Whether the program, or the system, has too many files open.
#[cfg(unix)]
pub(super) fn is_file_limit(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let limits = [Errno::MFILE, Errno::NFILE].map(|limit| Some(limit.raw_os_error()));
    limits.contains(&error.raw_os_error())
}

#[cfg(not(unix))]
pub(super) fn is_file_limit(_error: &io::Error) -> bool {
    false
}
