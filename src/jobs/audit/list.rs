//! The list of an audit: a checksum list with the size and the time of each file in a comment above its
//! line.
//!
//! ```text
//! # Meanwhile audit 1
//! # sha256 bytes=3 modified=1700000000000000000
//! ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc
//! ```
//!
//! So `sha256sum -c`, `shasum -c`, `rhash -c` and the job `verify` check it, too, each with lines of an
//! algorithm that it knows, and a list of any form that `verify` reads can be audited: what has no comment
//! is read and compared.
//! The time is in nanoseconds since 1970. (A list of mtree has both, but no BLAKE3, and far fewer tools
//! read it.)

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::own_form::{self, HEADER, OwnLine, Stamp};
use super::{AuditError, known};
use crate::jobs::checksum::read::{self, Hints, Line};
use crate::jobs::checksum::{
    self, Algorithm, Candidates, ChecksumError, DigestKind, Names, algorithm_of, candidates,
    name_of, open_list, open_regular,
};
use crate::join::Context;

/// The longest list that is read as a whole.
const MAX_TEXT_LEN: u64 = 1024 * 1024 * 1024;

/// What the list says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its absolute path.
    #[serde(with = "crate::jobs::os_text")]
    pub path: PathBuf,
    /// Its name in the list, which begins in the folder of the list unless it is absolute.
    #[serde(with = "crate::jobs::os_text")]
    pub name: PathBuf,
    pub algorithm: Algorithm,
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
    /// The length in bytes, if the list says it.
    pub bytes: Option<u64>,
    /// The time of the last change of its content, in nanoseconds since 1970, if the list says it.
    pub modified: Option<i64>,
    /// The algorithms that may have computed the digest, unless the line says it: first `algorithm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Candidates>,
}

impl Entry {
    /// The algorithm and the length of the digest.
    pub fn kind(&self) -> DigestKind {
        DigestKind::new(self.algorithm, self.digest.len() / 2).unwrap_or(self.algorithm.into())
    }

    /// The likely kinds of the digest, and those that it may be of if it is of none of these.
    pub fn kinds(&self) -> (Vec<DigestKind>, Vec<DigestKind>) {
        match &self.candidates {
            None => (vec![self.kind()], Vec::new()),
            Some(candidates) => {
                let likely = candidates.likely().to_vec();
                let rest = candidates.kinds[likely.len()..].to_vec();
                (likely, rest)
            }
        }
    }

    /// Whether the list leaves open which of several likely algorithms computed the digest.
    pub fn is_undecided(&self) -> bool {
        self.kinds().0.len() > 1
    }
}

/// What a list says.
#[derive(Debug, Default)]
pub struct AuditList {
    pub entries: Vec<Entry>,
    /// Whether it is a clear-signed message.
    pub is_signed: bool,
}

/// Reads a list. `is_cancelled` is asked at each line, and ends the list there.
///
/// # Errors
/// The list can't be read, or has a line that is no checksum.
pub fn read(
    path: &Path,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<AuditList, AuditError> {
    let source = ListSource::of(path, open_regular(path)?.0)?;
    match source.own_lines(is_cancelled) {
        Some(lines) => Ok(AuditList {
            entries: known::entries(&lines, &folder_of(path)),
            is_signed: false,
        }),
        None => source.list(is_cancelled),
    }
}

/// The folder in which the names of a list begin, seen from the root.
pub(super) fn folder_of(list: &Path) -> PathBuf {
    let here = Path::new("list");
    let list = checksum::folder_of(list).map_or(here, |_| list);
    let full = std::path::absolute(list).unwrap_or_else(|_| list.to_owned());
    full.with_file_name("")
}

/// A list that is open.
pub(super) struct ListSource<'a> {
    path: &'a Path,
    /// The beginning, or all of a list that begins as those of this job.
    text: Vec<u8>,
    is_whole: bool,
    /// What follows.
    rest: Box<dyn Read + 'a>,
}

impl<'a> ListSource<'a> {
    /// Opens a list, which is standard input if it is called `-`. A cancel ends the reading of what arrives slowly.
    pub(super) fn open(path: &'a Path, context: &'a Context) -> Result<Self, AuditError> {
        Self::of(path, open_list(path, context)?)
    }

    fn of(path: &'a Path, mut rest: impl Read + 'a) -> Result<Self, AuditError> {
        let mut text = Vec::new();
        let mut read = |text: &mut Vec<u8>, len| {
            let read = rest.by_ref().take(len).read_to_end(text);
            read.map_err(|source| ChecksumError::from_io(path, source))
        };
        read(&mut text, HEADER.len() as u64)?;
        let is_own = text == HEADER;
        if is_own {
            read(&mut text, MAX_TEXT_LEN)?;
        }
        let is_whole = is_own && (text.len() as u64) < MAX_TEXT_LEN;
        Ok(Self {
            path,
            text,
            is_whole,
            rest: Box::new(rest),
        })
    }

    /// The lines of a list that has the form of this job from its beginning to its end.
    pub(super) fn own_lines(
        &self,
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<OwnLine<'_>>> {
        let text = self.is_whole.then_some(&self.text)?;
        own_form::lines(text, is_cancelled)
    }

    /// What a list of any form says, up to a cancel.
    pub(super) fn list(
        self,
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<AuditList, AuditError> {
        let path = self.path;
        let mut list = ListReading::new(path);
        let mut entries = Vec::new();
        let mut fault = None;
        let hints = Hints {
            is_sfv: list.named == Some(Algorithm::Crc32),
            ..Hints::default()
        };
        let take = |number, line| {
            match list.line(number, line) {
                Ok(entry) => entries.extend(entry),
                Err(error) => fault = Some(error),
            }
            fault.is_none() && !is_cancelled()
        };
        let source = Cursor::new(self.text).chain(self.rest);
        let reading = read::read(source, hints, take);
        let reading = reading.map_err(|source| ChecksumError::from_io(path, source))?;
        match fault {
            Some(error) => Err(error),
            None if reading.is_binary => Err(AuditError::NotAList {
                list: path.to_owned(),
            }),
            None => Ok(AuditList {
                entries,
                is_signed: reading.is_signed,
            }),
        }
    }
}

/// What is known of a list while it is read.
struct ListReading<'a> {
    path: &'a Path,
    /// The algorithm that its name names.
    named: Option<Algorithm>,
    folder: PathBuf,
    names: Names,
    /// What the comment above the next line says.
    stamp: Option<Stamp>,
}

impl<'a> ListReading<'a> {
    fn new(path: &'a Path) -> Self {
        let folder = folder_of(path);
        Self {
            path,
            named: algorithm_of(path),
            names: Names::new(path, vec![folder.clone()]),
            folder,
            stamp: None,
        }
    }

    fn line(&mut self, number: u64, line: Line) -> Result<Option<Entry>, AuditError> {
        let list = self.path.to_owned();
        let unknown = |algorithm| AuditError::Unknown {
            list: list.clone(),
            line: number,
            algorithm,
        };
        let malformed = || AuditError::Malformed {
            list: list.clone(),
            line: number,
        };
        match line {
            Line::Entry(entry) => match self.names.mode_of(&entry) {
                Some(mode) => Err(unknown(mode.reason().to_owned())),
                None => Ok(Some(self.entry(&entry).ok_or_else(malformed)?)),
            },
            Line::Comment(text) => {
                self.stamp = Stamp::parse(&text).or(self.stamp.take());
                Ok(None)
            }
            Line::Nothing => Ok(None),
            Line::NoChecksum => Err(malformed()),
            Line::Unknown(algorithm) => Err(unknown(algorithm)),
        }
    }

    /// Of several digests of a file, the longest one counts.
    fn entry(&mut self, line: &read::Entry) -> Option<Entry> {
        let claim = line.claims.iter().max_by_key(|claim| claim.digest.len())?;
        let stamp = self.stamp.take().filter(|stamp| stamp.fits(claim));
        let (path, algorithm, candidates) = if let Some(stamp) = &stamp {
            // A list of this job has the exact names.
            let name = name_of(line.names.first()?)?;
            (self.folder.join(name), stamp.algorithm, None)
        } else {
            let candidates = in_order(candidates(claim, self.named, None)?);
            let first = candidates.kinds.first()?.algorithm();
            let candidates = Some(candidates).filter(|it| it.kinds.len() > 1);
            (self.names.locate(line)?.0, first, candidates)
        };
        Some(Entry {
            name: path.strip_prefix(&self.folder).unwrap_or(&path).to_owned(),
            path: std::path::absolute(&path).unwrap_or(path),
            algorithm,
            digest: hex::encode(&claim.digest),
            bytes: stamp.as_ref().map(|stamp| stamp.bytes).or(line.bytes),
            modified: stamp.map(|stamp| stamp.modified),
            candidates,
        })
    }
}

/// BLAKE3 after the other likely ones: if none of them matches, the file gets the commonest.
fn in_order(mut candidates: Candidates) -> Candidates {
    let likely = candidates.likely().len();
    candidates.kinds[..likely].sort_by_key(|kind| kind.algorithm() == Algorithm::Blake3);
    candidates
}

/// Nanoseconds since 1970; `None` beyond the year 2262 or before 1677.
pub(super) fn nanos(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok(),
        Err(error) => i64::try_from(error.duration().as_nanos())
            .ok()
            .map(|before| -before),
    }
}
