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

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::AuditError;
use crate::jobs::checksum::list::{self, ListForm};
use crate::jobs::checksum::read::{self, Claim, Hints, Line};
use crate::jobs::checksum::{
    Algorithm, Checksum, ChecksumError, DigestKind, Names, algorithm_of, candidates, name_of,
    open_regular,
};

const HEADER: &[u8] = b"# Meanwhile audit 1\n";

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
}

impl Entry {
    /// The algorithm and the length of the digest.
    pub fn kind(&self) -> DigestKind {
        DigestKind::new(self.algorithm, self.digest.len() / 2).unwrap_or(self.algorithm.into())
    }
}

/// What a list says.
#[derive(Debug, Default)]
pub struct AuditList {
    pub entries: Vec<Entry>,
    /// Whether it is a clear-signed message.
    pub is_signed: bool,
}

/// Reads a list. `checkpoint` is called for each line.
///
/// # Errors
/// The list can't be read, or has a line that is no checksum.
pub fn read(path: &Path, checkpoint: &dyn Fn()) -> Result<AuditList, AuditError> {
    let (file, _) = open_regular(path)?;
    let mut list = ListReading::new(path);
    let mut entries = Vec::new();
    let mut fault = None;
    let hints = Hints {
        is_sfv: list.named == Some(Algorithm::Crc32),
        ..Hints::default()
    };
    let take = |number, line| {
        checkpoint();
        match list.line(number, line) {
            Ok(entry) => entries.extend(entry),
            Err(error) => fault = Some(error),
        }
        fault.is_none()
    };
    let reading = read::read(&file, hints, take);
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
        let folder = path.with_file_name("");
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
        let (path, algorithm) = match &stamp {
            // A list of this job has the exact names.
            Some(stamp) => {
                let name = name_of(line.names.first()?)?;
                (self.folder.join(name), stamp.algorithm)
            }
            None => (self.names.locate(line)?.0, algorithm(claim, self.named)?),
        };
        Some(Entry {
            name: path.strip_prefix(&self.folder).unwrap_or(&path).to_owned(),
            path: std::path::absolute(&path).unwrap_or(path),
            algorithm,
            digest: hex::encode(&claim.digest),
            bytes: stamp.as_ref().map(|stamp| stamp.bytes).or(line.bytes),
            modified: stamp.map(|stamp| stamp.modified),
        })
    }
}

/// The likeliest algorithm of a digest. A list of BLAKE3 is only one that says so: those of SHA-256 are far
/// commoner, and have digests of the same length.
fn algorithm(claim: &Claim, named: Option<Algorithm>) -> Option<Algorithm> {
    let candidates = candidates(claim, named, None)?;
    let likely = || candidates.likely().iter().map(|kind| kind.algorithm());
    likely()
        .find(|&algorithm| algorithm != Algorithm::Blake3)
        .or_else(|| likely().next())
}

/// The text of a list, with a name for each entry.
pub fn write<'a>(entries: impl Iterator<Item = (PathBuf, &'a Entry)>) -> Vec<u8> {
    let mut text = HEADER.to_vec();
    for (name, entry) in entries {
        let mut form = ListForm::default();
        if let (Some(bytes), Some(modified)) = (entry.bytes, entry.modified) {
            let algorithm = entry.algorithm.id();
            let stamp = format!("# {algorithm} bytes={bytes} modified={modified}\n");
            text.extend(stamp.into_bytes());
        } else {
            // Nothing else says the algorithm.
            form.tag = true;
        }
        let checksum = Checksum {
            algorithm: entry.algorithm,
            digest: entry.digest.clone(),
            bytes: entry.bytes.unwrap_or(0),
            verified: false,
            also: Vec::new(),
        };
        text.extend(list::line(&checksum, &name, form));
    }
    text
}

/// The comment above a line.
struct Stamp {
    algorithm: Algorithm,
    bytes: u64,
    modified: i64,
}

impl Stamp {
    fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line.strip_prefix(b"# ")?).ok()?;
        let (algorithm, rest) = line.trim_end().split_once(" bytes=")?;
        let (bytes, modified) = rest.split_once(" modified=")?;
        Some(Self {
            algorithm: algorithm.parse().ok()?,
            bytes: bytes.parse().ok()?,
            modified: modified.parse().ok()?,
        })
    }

    fn fits(&self, claim: &Claim) -> bool {
        let is_algorithm = claim.tag.is_none_or(|tag| tag == self.algorithm);
        is_algorithm && self.algorithm.fits(claim.digest.len())
    }
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
