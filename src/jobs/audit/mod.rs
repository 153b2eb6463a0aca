//! The job `audit`: compares the files of folders with a list of an earlier state, and finds what is new,
//! moved, changed or missing, and what has rotted: other content, though size and time are the same.
//!
//! [`list`] is the format of the list, `plan.rs` finds out which files have to be read.

mod args;
mod error;
mod gone;
mod interface;
mod known;
pub mod list;
mod own_form;
mod plan;
mod renewal;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::error::AuditError;
use self::list::Entry;
use super::checksum::{
    Algorithm, Checksum, DigestKind, FileDigests, digests_of_file, is_short_file,
};
use super::text::shown;
use super::{Item, ItemError, Job, JobOutput, Output, Plan, Step};
use crate::join::{Cancelled, Context};

/// The options of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The list of the earlier state.
    #[serde(with = "super::os_text")]
    pub against: PathBuf,
    /// The algorithm for files that the list does not have.
    pub algorithm: Algorithm,
    /// Whether files are read even if the list has their size and time.
    pub thorough: bool,
    /// Whether a new list of the present state is written; then the list need not exist.
    pub renew: bool,
}

/// What a file is, compared with the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// The list does not have it.
    New,
    /// The list has its content under another name, which is gone.
    Moved,
    /// Its content is another.
    Changed,
    /// It has another time, and the same content.
    Touched,
    /// It was read, and is as in the list.
    Same,
}

impl FileState {
    /// The word in tables and lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Moved => "moved",
            Self::Changed => "changed",
            Self::Touched => "touched",
            Self::Same => "OK",
        }
    }
}

/// The result for a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    pub state: FileState,
    /// The name in the list of a file that was moved.
    #[serde(
        default,
        with = "super::os_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<PathBuf>,
    /// What the file has now.
    pub checksum: Checksum,
    /// The time of the last change of its content, in nanoseconds since 1970.
    pub modified: Option<i64>,
}

impl Audited {
    /// A file with this digest, which is new as far as is known.
    fn of(file: &FileDigests, kind: DigestKind, digest: String) -> Self {
        Self {
            state: FileState::New,
            from: None,
            modified: file.modified.and_then(list::nanos),
            checksum: Checksum {
                algorithm: kind.algorithm(),
                digest,
                bytes: file.bytes,
                verified: false,
                also: Vec::new(),
            },
        }
    }
}

impl JobOutput for Audited {
    fn digests(&self) -> Vec<(String, &str)> {
        self.checksum.digests()
    }

    fn has_digest(&self, pasted: &str) -> Result<bool, String> {
        self.checksum.has_digest(pasted)
    }

    fn verdict(&self) -> Option<&'static str> {
        Some(self.state.word())
    }

    /// A line such as `moved: old -> new`; none for a file that is as in the list.
    fn line(&self, name: &Path) -> Vec<u8> {
        let word = self.state.word();
        let name = shown(name);
        match &self.from {
            _ if self.state == FileState::Same => String::new(),
            Some(from) => format!("{word}: {} -> {name}\n", shown(from)),
            None => format!("{word}: {name}\n"),
        }
        .into_bytes()
    }
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(f, "was {}", shown(from)),
            None => self.checksum.fmt(f),
        }
    }
}

/// What is to be done with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Compute its checksum: the list does not have it.
    New,
    /// Compare it with the list.
    Compare(Entry),
    /// Nothing: it had to be read to find out whether it was moved.
    Done(Box<Audited>),
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "audit"
    }

    fn title(&self) -> &'static str {
        "Audit"
    }

    /// An item for each file that differs from the list or has to be read; a note counts the others.
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
        let audited = match &item.step {
            Step::Audit(Check::Done(audited)) => Ok((**audited).clone()),
            Step::Audit(Check::Compare(entry)) => compare(&item.input, entry, context),
            Step::Fail(error) => return Err(error.clone()),
            _ => read(&item.input, &[self.algorithm.into()], None, context),
        };
        // A cancel ends the item as cancelled, not as failed.
        context.check()?;
        Ok(Output::Audited(audited?))
    }
}

/// Reads a file that is new as far as is known. Of its digests of all `kinds`, at least one, it gets the one
/// that is `wanted`, or else the first.
fn read(
    path: &Path,
    kinds: &[DigestKind],
    wanted: Option<&str>,
    context: &Context,
) -> Result<Audited, ItemError> {
    let mut file = digests_of_file(path, kinds, context)?;
    let is_wanted = |digest: &String| wanted == Some(digest.as_str());
    let at = file.digests.iter().position(is_wanted).unwrap_or(0);
    let digest = file.digests.swap_remove(at);
    Ok(Audited::of(&file, kinds[at], digest))
}

fn compare(path: &Path, entry: &Entry, context: &Context) -> Result<Audited, ItemError> {
    let (likely, rest) = entry.kinds();
    let wanted = Some(&*entry.digest);
    let mut audited = read(path, &likely, wanted, context)?;
    if audited.checksum.digest != entry.digest && !rest.is_empty() {
        let other = read(path, &rest, wanted, context)?;
        if other.checksum.digest == entry.digest {
            audited = other;
        }
    }
    let has_same_stamp = entry.bytes == Some(audited.checksum.bytes)
        && entry.modified.is_some()
        && entry.modified == audited.modified;
    let has_same_content = entry.digest == audited.checksum.digest;
    let state = match (has_same_content, has_same_stamp) {
        (true, true) => FileState::Same,
        (true, false) => FileState::Touched,
        (false, false) => FileState::Changed,
        (false, true) => {
            return Err(ItemError::new(
                "rotten",
                format!(
                    "{} has rotted: its content is another, though its size and time are not; the list says \
                     {}, the file has {}. Restore it from a copy.",
                    shown(path),
                    entry.digest,
                    audited.checksum.digest
                ),
            ));
        }
    };
    Ok(Audited { state, ..audited })
}

/// The error of a file that is gone, by its name in the list.
fn missing(name: &Path, list: &Path) -> ItemError {
    let message = format!("{} is in {} and is gone.", shown(name), shown(list));
    ItemError::new("missing", message)
}
