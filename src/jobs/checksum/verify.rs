//! Verifying: checksum lists are read into items, and each item's file is compared with its line.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::digest::{Watch, digest_file};
use super::error::ChecksumError;
use super::list::{self, Entry, Malformed};
use super::source::Source;
use super::{Algorithm, Checksum, Expected};
use crate::jobs::{Item, Step};
use crate::join::Context;

/// Room for the longest path, escaped, and the longest digest; a longer line is in no list.
pub(in crate::jobs) const MAX_LINE_LEN: usize = 16 * 1024;

/// So many malformed lines without a good one before them, and the file is no list.
const MAX_MALFORMED: u64 = 1000;

/// Hands one item for each line of the lists to `found`, in their order.
pub(super) fn plan(
    lists: &[PathBuf],
    preferred: Algorithm,
    context: &Context,
    found: &mut dyn FnMut(Item),
) {
    for list in lists {
        let read = Source::open(list).and_then(|source| {
            let reading = Reading {
                list,
                preferred,
                context,
                malformed: 0,
                has_good: false,
            };
            reading.read(&source, found)
        });
        if let Err(error) = read {
            found(Item::failed(list.clone(), error));
        }
    }
}

struct Reading<'a> {
    list: &'a Path,
    preferred: Algorithm,
    context: &'a Context,
    malformed: u64,
    has_good: bool,
}

impl Reading<'_> {
    fn read(mut self, source: &Source, found: &mut dyn FnMut(Item)) -> Result<(), ChecksumError> {
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
                found(item);
            }
        }
        Ok(())
    }

    fn item(&mut self, line: &[u8], number: u64) -> Result<Option<Item>, ChecksumError> {
        // A byte order mark, as some editors put it in front.
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
                self.has_good = true;
                Ok(Some(self.verify(entry, algorithms)))
            }
            Err(reason) => self.fail(number, reason).map(Some),
        }
    }

    fn verify(&self, entry: Entry, algorithms: Vec<Algorithm>) -> Item {
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
        if self.malformed > MAX_MALFORMED && !self.has_good {
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

    /// Where the file is that the list calls `name`: beside the list, where it was downloaded or
    /// copied together with it, or else seen from the current folder, as `sha256sum -c` does it.
    fn locate(&self, name: &Path) -> PathBuf {
        let beside = self.list.with_file_name("").join(name);
        if fs::symlink_metadata(&beside).is_err() && fs::symlink_metadata(name).is_ok() {
            return name.to_owned();
        }
        beside
    }

    /// The algorithms that may have made this digest, likeliest first.
    ///
    /// A line without a tag says no more than a length, which BLAKE3 and SHA-256 share: then the
    /// list's own name (`SHA256SUMS`) counts for more than the algorithm that the person chose, and
    /// a match with either is a match. CRC-32 and XXH3 share theirs with checksums that are not
    /// computed here, so they are believed only if chosen.
    fn algorithms(&self, entry: &Entry) -> Result<Vec<Algorithm>, Malformed> {
        if let Some(tag) = entry.tag {
            return Ok(vec![tag]);
        }
        let digits = entry.digest.len();
        let mut algorithms: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| algorithm.hex_len() == digits)
            .filter(|&algorithm| !is_ambiguous(algorithm) || algorithm == self.preferred)
            .collect();
        if algorithms.is_empty() {
            return Err(Malformed::Length { digits });
        }
        algorithms.sort_by_key(|&algorithm| {
            (
                !names_algorithm(self.list, algorithm),
                algorithm != self.preferred,
            )
        });
        Ok(algorithms)
    }
}

fn is_ambiguous(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::Crc32 | Algorithm::Xxh3)
}

/// Whether the list's file name says that it is one of this algorithm's.
fn names_algorithm(list: &Path, algorithm: Algorithm) -> bool {
    let name = list
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    name.contains(algorithm.id()) || algorithm == Algorithm::Blake3 && name.contains("b3")
}

/// Reads a line with its line end into `line`, at most one byte more than a list may have.
/// Comes back with false at the end of the file.
pub(in crate::jobs) fn read_line(
    reader: &mut BufReader<&fs::File>,
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    line.clear();
    // The line end is not counted.
    let limit = MAX_LINE_LEN as u64 + 2;
    Ok(reader.take(limit).read_until(b'\n', line)? > 0)
}

/// Compares the file at `path` with what its list says.
pub(super) fn verify(
    path: &Path,
    expected: &Expected,
    watch: &dyn Watch,
) -> Result<Checksum, ChecksumError> {
    let mut found = Vec::new();
    for &algorithm in &expected.algorithms {
        let checksum = digest_file(path, algorithm, watch)?;
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
