//! The list of an audit: a checksum list with the size and the time of each file in a comment above its
//! line.
//!
//! ```text
//! # Meanwhile audit 1
//! # sha256 bytes=3 modified=1700000000000000000
//! ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc
//! ```
//!
//! So `sha256sum -c`, `shasum -c`, `rhash -c` and the job `checksum` check it, too, each with lines of an
//! algorithm that it knows, and any such list can be audited: what has no comment is read and compared.
//! The time is in nanoseconds since 1970. (A list of mtree has both, but no BLAKE3, and far fewer tools
//! read it.)

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::jobs::checksum::list::{self, ListForm, Malformed};
use crate::jobs::checksum::{
    Algorithm, Checksum, ChecksumError, DigestKind, MAX_LINE_LEN, open_regular, read_line,
};

const HEADER: &[u8] = b"# Meanwhile audit 1\n";

/// What the list says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path: the name in the list, seen from the folder of the list.
    pub path: PathBuf,
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

/// Reads a list. `checkpoint` is called for each line.
///
/// # Errors
/// The list can't be read, or has a line that is no checksum.
pub fn read(path: &Path, checkpoint: &dyn Fn()) -> Result<Vec<Entry>, ChecksumError> {
    let (file, _) = open_regular(path)?;
    let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut reader = BufReader::with_capacity(64 * 1024, &file);
    let mut line = Vec::new();
    let mut entries = Vec::new();
    let mut stamp = None;
    for number in 1.. {
        checkpoint();
        let failed = |source| ChecksumError::from_io(path, source);
        if !read_line(&mut reader, &mut line).map_err(failed)? {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if text.len() > MAX_LINE_LEN || text.contains(&0) {
            let list = path.to_owned();
            return Err(ChecksumError::NotAList { list });
        }
        if let Some(found) = Stamp::parse(text) {
            stamp = Some(found);
            continue;
        }
        let malformed = |reason| ChecksumError::Malformed {
            list: path.to_owned(),
            line: number,
            reason,
        };
        if let Some(entry) = list::parse(text).map_err(malformed)? {
            let stamp = stamp.take().filter(|stamp| stamp.fits(&entry));
            let algorithm = match &stamp {
                Some(stamp) => stamp.algorithm,
                None => algorithm(path, &entry).map_err(malformed)?,
            };
            entries.push(Entry {
                path: folder.with_file_name("").join(&entry.name),
                algorithm,
                digest: entry.digest,
                bytes: stamp.as_ref().map(|stamp| stamp.bytes),
                modified: stamp.map(|stamp| stamp.modified),
            });
        }
    }
    Ok(entries)
}

/// The algorithm of a line of another program: its tag, or what the name of the list says, or the commonest
/// of the length but for BLAKE3, whose lists `b3sum` writes.
fn algorithm(path: &Path, entry: &list::ListEntry) -> Result<Algorithm, Malformed> {
    if let Some(tag) = entry.tag {
        return Ok(tag);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase().replace("b3", "blake3");
    let digits = entry.digest.len();
    let fitting = || Algorithm::of_len(digits / 2);
    let named = fitting().find(|algorithm| name.contains(algorithm.id()));
    named
        .or_else(|| fitting().find(|&algorithm| algorithm != Algorithm::Blake3))
        .filter(|_| digits.is_multiple_of(2))
        .ok_or(Malformed::Length { digits })
}

/// The text of a list, with a name for each entry.
pub fn write<'a>(entries: impl Iterator<Item = (PathBuf, &'a Entry)>) -> Vec<u8> {
    let mut text = HEADER.to_vec();
    for (name, entry) in entries {
        if let (Some(bytes), Some(modified)) = (entry.bytes, entry.modified) {
            let algorithm = entry.algorithm.id();
            let stamp = format!("# {algorithm} bytes={bytes} modified={modified}\n");
            text.extend(stamp.into_bytes());
        }
        let checksum = Checksum {
            algorithm: entry.algorithm,
            digest: entry.digest.clone(),
            bytes: entry.bytes.unwrap_or(0),
            verified: false,
            also: Vec::new(),
        };
        text.extend(list::line(&checksum, &name, ListForm::default()));
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

    fn fits(&self, entry: &list::ListEntry) -> bool {
        let is_algorithm = entry.tag.is_none_or(|tag| tag == self.algorithm);
        is_algorithm && self.algorithm.fits(entry.digest.len() / 2)
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
