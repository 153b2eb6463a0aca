//! Turns lists, folders with lists, and files with a typed digest into items.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{VerifyError, no_checksums};
use super::{Expected, ExpectedDigest, Options};
use crate::format;
use crate::jobs::checksum::read::{self, Claim, Entry, Hints, Line};
use crate::jobs::checksum::{
    Algorithm, ChecksumError, Names, algorithm_of, candidates, folder_of, is_likely_list,
    open_list, walk,
};
use crate::jobs::stdin::is_stdin;
use crate::jobs::text::shown;
use crate::jobs::{Item, Plan, Step};
use crate::join::{Cancelled, Context};

/// A file with more lines than this before the first checksum is not a list.
const MAX_PROSE: usize = 1000;

/// The algorithms that are not known here and are named.
const MAX_UNKNOWN: usize = 8;

pub(super) fn plan(
    options: &Options,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    let mut planner = Planner {
        options,
        context,
        plan,
        listed: None,
    };
    let claim = read::digest_from_text(&options.digest);
    for input in inputs {
        context.check()?;
        match &claim {
            Some(claim) if input.is_dir() => planner.files_of(input, claim)?,
            Some(claim) => planner.file(input, claim),
            None if input.is_dir() => planner.folder(input)?,
            None => planner.list(input)?,
        }
    }
    Ok(())
}

struct Planner<'a> {
    options: &'a Options,
    context: &'a Context,
    plan: &'a mut dyn Plan,
    /// The files that the lists of a folder name, where the others are wanted.
    listed: Option<HashSet<PathBuf>>,
}

impl Planner<'_> {
    /// Compares a file with the digest that the user gave.
    fn file(&mut self, path: &Path, claim: &Claim) {
        if let Some(expected) = expected(&claim.clone().into(), None, self.options) {
            self.verify(path.to_owned(), expected);
        } else {
            let algorithms = unknown_length(claim);
            let list = path.to_owned();
            self.fail(path, VerifyError::Unknown { list, algorithms });
        }
    }

    /// Compares each file of a folder with the digest that the user gave.
    fn files_of(&mut self, folder: &Path, claim: &Claim) -> Result<(), Cancelled> {
        let context = self.context;
        let mut each = |item: Item| match item.step {
            Step::Run => self.file(&item.input, claim),
            _ => self.plan.item(item),
        };
        walk(&[folder.to_owned()], context, &mut each)
    }

    /// Reads the lists below a folder.
    fn folder(&mut self, folder: &Path) -> Result<(), Cancelled> {
        let mut lists = Vec::new();
        let plan = &mut *self.plan;
        let mut is_read = true;
        let mut collect = |item: Item| match &item.step {
            Step::Fail(error) if !["special_file", "dangling_link"].contains(&&*error.kind) => {
                is_read = false;
                plan.item(item);
            }
            Step::Run if is_likely_list(&item.input) => lists.push(item.input),
            _ => {}
        };
        walk(&[folder.to_owned()], self.context, &mut collect)?;
        if lists.is_empty() && !is_read {
            return Ok(());
        }
        if lists.is_empty() {
            let error = VerifyError::NoList {
                folder: folder.to_owned(),
            };
            self.fail(folder, error);
            return Ok(());
        }
        self.listed = self.options.extra.then(|| lists.iter().cloned().collect());
        for list in &lists {
            self.list(list)?;
        }
        if let Some(listed) = self.listed.take() {
            self.not_listed(folder, &listed)?;
        }
        Ok(())
    }

    /// Reports the files of a folder that no list names.
    fn not_listed(&mut self, folder: &Path, listed: &HashSet<PathBuf>) -> Result<(), Cancelled> {
        let normal: HashSet<_> = listed.iter().map(|path| normal(path)).collect();
        let plan = &mut *self.plan;
        let mut extra = |item: Item| {
            let is_file = matches!(item.step, Step::Run);
            if is_file && !normal.contains(&self::normal(&item.input)) {
                let path = item.input.clone();
                plan.item(Item::failed(item.input, VerifyError::NotListed { path }));
            }
        };
        walk(&[folder.to_owned()], self.context, &mut extra)
    }

    fn list(&mut self, list: &Path) -> Result<(), Cancelled> {
        let mut reading = ListReading::new(list, self.options);
        let hints = Hints {
            is_sfv: reading.named.or(self.options.algorithm) == Some(Algorithm::Crc32),
            ..Hints::default()
        };
        let context = self.context;
        let read = open_list(list, context).and_then(|source| {
            let take = |number, line| {
                self.line(&mut reading, number, line);
                let may_be_a_list = reading.entries > 0 || reading.no_checksums <= MAX_PROSE;
                may_be_a_list && !context.is_cancelled()
            };
            let read = read::read(source, hints, take);
            read.map_err(|error| ChecksumError::from_io(list, error))
        });
        // The error may be the cancel.
        context.check()?;
        match read {
            Ok(read) => self.finish(&reading, read),
            Err(error) => self.fail(list, error.into()),
        }
        Ok(())
    }

    fn line(&mut self, reading: &mut ListReading<'_>, number: u64, line: Line) {
        match line {
            Line::Comment(_) | Line::Nothing => {}
            Line::NoChecksum => reading.count_no_checksum(number),
            Line::Unknown(algorithm) => reading.count_unknown(algorithm),
            Line::Entry(entry) => self.entry(reading, number, &entry),
        }
    }

    fn entry(&mut self, reading: &mut ListReading<'_>, number: u64, entry: &Entry) {
        if let Some(mode) = reading.names.mode_of(entry) {
            return reading.count_unknown(mode.reason().to_owned());
        }
        let Some((path, is_there)) = reading.names.locate(entry) else {
            if entry.names.is_empty() {
                reading.entries += 1;
                let list = reading.list.to_owned();
                return self.fail(reading.list, VerifyError::NoName { list });
            }
            return reading.count_no_checksum(number);
        };
        let lengths = entry.claims.first().map(unknown_length);
        let Some(expected) = expected(entry, reading.named, self.options) else {
            return reading.count_unknown(lengths.unwrap_or_default());
        };
        reading.entries += 1;
        // Standard input is an input, and never what a list names.
        let path = match path {
            path if is_stdin(&path) => Path::new(".").join(path),
            path => path,
        };
        if !is_there && self.options.ignore_missing {
            reading.missing += 1;
            return;
        }
        if let Some(listed) = &mut self.listed {
            listed.insert(path.clone());
        }
        self.verify(path, expected);
    }

    /// Says what the list has besides its entries, and that it has none.
    fn finish(&mut self, reading: &ListReading<'_>, read: read::Reading) {
        let list = reading.list.to_owned();
        let shown = shown(&list);
        let unknown = reading
            .unknown
            .iter()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if reading.entries == 0 {
            let error = if read.is_binary || reading.no_checksums > MAX_PROSE {
                VerifyError::NotAList { list }
            } else if reading.unknown_lines > 0 {
                let algorithms = unknown;
                VerifyError::Unknown { list, algorithms }
            } else {
                VerifyError::NoChecksums { list }
            };
            return self.fail(reading.list, error);
        }
        if read.is_binary {
            self.fail(reading.list, VerifyError::NotAList { list: list.clone() });
        }
        if reading.unknown_lines > 0 {
            let lines = format::plural(reading.unknown_lines, "digest", "digests");
            let note = format!("{lines} of {shown} can't be computed here ({unknown}).");
            self.plan.note(note);
        }
        if reading.no_checksums > 0 && !self.options.strict {
            self.plan.note(no_checksums(reading.no_checksums, &shown));
        }
        if read.is_signed {
            self.plan.note(read::signed_note(&list));
        }
        if reading.missing == reading.entries {
            return self.fail(reading.list, VerifyError::NothingThere { list });
        }
        if reading.missing > 0 {
            let files = format::plural(reading.missing, "file", "files");
            self.plan
                .note(format!("{files} of {shown} are missing and were left out."));
        }
        if let Some(first) = reading.first_no_checksum
            && self.options.strict
        {
            let count = reading.no_checksums;
            self.fail(reading.list, VerifyError::Malformed { list, count, first });
        }
    }

    fn verify(&mut self, path: PathBuf, expected: Expected) {
        self.plan.item(Item {
            bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
            input: path,
            step: Step::Verify(expected),
        });
    }

    fn fail(&mut self, input: &Path, error: VerifyError) {
        self.plan.item(Item::failed(input.to_owned(), error));
    }
}

/// What is known of a list while it is read.
struct ListReading<'a> {
    list: &'a Path,
    /// The algorithm that its name names.
    named: Option<Algorithm>,
    names: Names,
    entries: usize,
    missing: usize,
    no_checksums: usize,
    first_no_checksum: Option<u64>,
    unknown_lines: usize,
    unknown: BTreeSet<String>,
}

impl<'a> ListReading<'a> {
    fn new(list: &'a Path, options: &Options) -> Self {
        let here = PathBuf::new();
        let folders = if options.base.as_os_str().is_empty() {
            folder_of(list).into_iter().chain([here]).collect()
        } else {
            vec![options.base.clone()]
        };
        Self {
            list,
            named: algorithm_of(list),
            names: Names::new(list, folders),
            entries: 0,
            missing: 0,
            no_checksums: 0,
            first_no_checksum: None,
            unknown_lines: 0,
            unknown: BTreeSet::new(),
        }
    }

    fn count_no_checksum(&mut self, number: u64) {
        self.no_checksums += 1;
        self.first_no_checksum.get_or_insert(number);
    }

    fn count_unknown(&mut self, algorithm: String) {
        self.unknown_lines += 1;
        if self.unknown.len() < MAX_UNKNOWN {
            self.unknown.insert(algorithm);
        }
    }
}

/// What the file of an entry is expected to have. `None` if one of its digests has a length that no
/// algorithm has.
fn expected(entry: &Entry, named: Option<Algorithm>, options: &Options) -> Option<Expected> {
    let digests = entry.claims.iter().map(|claim| {
        Some(ExpectedDigest {
            digest: hex::encode(&claim.digest),
            candidates: candidates(claim, named, options.algorithm)?,
        })
    });
    Some(Expected {
        digests: digests
            .collect::<Option<Vec<_>>>()
            .filter(|all| !all.is_empty())?,
        bytes: entry.bytes,
    })
}

fn unknown_length(claim: &Claim) -> String {
    format!("{} bits", 8 * claim.digest.len())
}

/// The path without `.` in it.
fn normal(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect()
}
