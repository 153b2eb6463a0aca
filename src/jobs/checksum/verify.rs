//! Verifies files: turns the lines of checksum lists into items, and compares each item's file with
//! its line.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::digest::{DigestMonitor, digest_file};
use super::error::ChecksumError;
use super::list::{self, ListEntry, Malformed};
use super::source::OpenFile;
use super::{Algorithm, Checksum, DigestKind, Expected};
use crate::jobs::{Item, Plan, Step};
use crate::join::Context;

/// Fits the longest path, escaped, and the longest digest; no list has a longer line.
pub(in crate::jobs) const MAX_LINE_LEN: usize = 16 * 1024;

/// A file with more malformed lines than this before the first valid one is not a list.
const MAX_MALFORMED: u64 = 1000;

/// Passes one item for each line of the lists to `plan`, in their order.
pub(super) fn plan(
    lists: &[PathBuf],
    preferred: Algorithm,
    context: &Context,
    plan: &mut dyn Plan,
) {
    for list in lists {
        let read = OpenFile::open(list).and_then(|source| {
            let reader = ListReader {
                list,
                preferred,
                context,
                malformed: 0,
                has_valid_line: false,
            };
            reader.read(&source, plan)
        });
        if let Err(error) = read {
            plan.item(Item::failed(list.clone(), error));
        }
    }
}

struct ListReader<'a> {
    list: &'a Path,
    preferred: Algorithm,
    context: &'a Context,
    malformed: u64,
    has_valid_line: bool,
}

impl ListReader<'_> {
    fn read(mut self, source: &OpenFile, plan: &mut dyn Plan) -> Result<(), ChecksumError> {
        let mut reader = BufReader::new(source.file());
        let mut line = Vec::new();
        for number in 1.. {
            self.context.checkpoint();
            let is_line = read_line(&mut reader, &mut line).map_err(|error| source.error(error))?;
            if !is_line {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if text.len() > MAX_LINE_LEN || text.contains(&0) {
                return Err(self.not_a_list());
            }
            if let Some(item) = self.item(text, number)? {
                plan.item(item);
            }
        }
        Ok(())
    }

    fn item(&mut self, line: &[u8], number: u64) -> Result<Option<Item>, ChecksumError> {
        // Some editors write a byte order mark.
        let line = match number {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        };
        let expected = list::parse(line).and_then(|entry| match entry {
            Some(entry) => {
                let algorithms = self.algorithms(&entry)?;
                Ok(Some((entry, algorithms)))
            }
            None => Ok(None),
        });
        match expected {
            Ok(None) => Ok(None),
            Ok(Some((entry, algorithms))) => {
                self.has_valid_line = true;
                Ok(Some(self.verify(entry, algorithms)))
            }
            Err(reason) => self.fail(number, reason).map(Some),
        }
    }

    fn verify(&self, entry: ListEntry, algorithms: Vec<Algorithm>) -> Item {
        let input = self.locate(&entry.name);
        Item {
            bytes: fs::metadata(&input).map_or(0, |metadata| metadata.len()),
            input,
            step: Step::Verify(Expected {
                digest: entry.digest,
                algorithms,
            }),
        }
    }

    fn fail(&mut self, line: u64, reason: Malformed) -> Result<Item, ChecksumError> {
        self.malformed += 1;
        if self.malformed > MAX_MALFORMED && !self.has_valid_line {
            return Err(self.not_a_list());
        }
        let list = self.list.to_owned();
        let error = ChecksumError::Malformed { list, line, reason };
        Ok(Item::failed(self.list.to_owned(), error))
    }

    fn not_a_list(&self) -> ChecksumError {
        let list = self.list.to_owned();
        ChecksumError::NotAList { list }
    }

    /// The path of the file that the list calls `name`: in the folder of the list, because both were
    /// probably downloaded or copied together, or else in the current folder, as for `sha256sum -c`.
    fn locate(&self, name: &Path) -> PathBuf {
        let beside = self.list.with_file_name("").join(name);
        if fs::symlink_metadata(&beside).is_err() && fs::symlink_metadata(name).is_ok() {
            return name.to_owned();
        }
        beside
    }

    /// The algorithms that may have computed this digest, likeliest first.
    ///
    /// A line without a tag is known only by its length, which BLAKE3 and SHA-256 share. Then the
    /// name of the list (`SHA256SUMS`) counts more than the algorithm that the user chose, and a
    /// match with either is a match. Rare algorithms are considered only if one of these names them.
    fn algorithms(&self, entry: &ListEntry) -> Result<Vec<Algorithm>, Malformed> {
        if let Some(tag) = entry.tag {
            return Ok(vec![tag]);
        }
        let digits = entry.digest.len();
        let is_named = |algorithm| names_algorithm(self.list, algorithm);
        let is_likely = |algorithm: &Algorithm| {
            let is_known = is_common(*algorithm) || *algorithm == self.preferred;
            is_known && 2 * algorithm.usual_len() == digits || is_named(*algorithm)
        };
        let mut algorithms: Vec<_> = Algorithm::of_len(digits / 2).filter(is_likely).collect();
        if algorithms.is_empty() || !digits.is_multiple_of(2) {
            return Err(Malformed::Length { digits });
        }
        algorithms.sort_by_key(|&algorithm| (!is_named(algorithm), algorithm != self.preferred));
        Ok(algorithms)
    }
}

/// Whether a list that names no algorithm is likely to be of this one.
fn is_common(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Blake3
            | Algorithm::Sha224
            | Algorithm::Sha256
            | Algorithm::Sha384
            | Algorithm::Sha512
            | Algorithm::Sha1
            | Algorithm::Md5
    )
}

/// Whether the file name of the list contains the name of this algorithm.
fn names_algorithm(list: &Path, algorithm: Algorithm) -> bool {
    let name = list
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    name.contains(algorithm.id())
        || algorithm == Algorithm::Blake3 && name.contains("b3")
        || algorithm == Algorithm::Blake2b && name.contains("b2")
}

/// Reads a line with its line end into `line`, up to one byte more than a list may have. Returns
/// false at the end of the file.
pub(in crate::jobs) fn read_line(
    reader: &mut BufReader<&fs::File>,
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    line.clear();
    // One more byte, and one for the line end.
    let limit = MAX_LINE_LEN as u64 + 2;
    Ok(reader.take(limit).read_until(b'\n', line)? > 0)
}

/// Compares the file at `path` with the digest in its list.
pub(super) fn verify(
    path: &Path,
    expected: &Expected,
    monitor: &dyn DigestMonitor,
) -> Result<Checksum, ChecksumError> {
    let mut found = Vec::new();
    for &algorithm in &expected.algorithms {
        let kind = DigestKind::new(algorithm, expected.digest.len() / 2);
        let checksum = digest_file(path, kind.unwrap_or(algorithm.into()), monitor)?;
        if checksum.digest == expected.digest {
            return Ok(Checksum {
                verified: true,
                ..checksum
            });
        }
        found.push(format!("{algorithm} {}", checksum.digest));
    }
    Err(ChecksumError::Mismatch {
        path: path.to_owned(),
        expected: expected.digest.clone(),
        found: found.join(" and "),
    })
}
