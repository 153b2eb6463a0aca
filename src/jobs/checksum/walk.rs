//! Finds the files in the folders that the user picked.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use super::error::ChecksumError;
use super::source::reject_special;
use super::tree::side_by_side;
use crate::jobs::identity::{FileIdentity, identity};
use crate::jobs::item::is_file_limit;
use crate::jobs::retry::Shortage;
use crate::jobs::text::shown;
use crate::jobs::{Item, Plan, Step, room};
use crate::join::{Cancelled, Context};

/// The folders that are open at once, so that a deep tree does not need as many open files.
const MAX_OPEN: usize = 4;

/// The entries whose metadata two threads ask for before any is visited.
const ASKED_AT_ONCE: usize = 512;

/// Of fewer entries, waking a thread takes longer than asking for the metadata of half of them.
const MIN_SIDE_BY_SIDE: usize = 64;

/// Passes every file in `inputs` to `plan`: folders recursively, by name.
///
/// No folder is entered twice, even through links. Links to files count as files. Links to folders
/// that are found in a folder are followed last, so that files have their real names rather than
/// those through a link; a link to a folder that contains it is an error of that link. An input that
/// is a link is followed at once. A folder without files gets a note.
///
/// # Errors
/// The task was cancelled.
pub(in crate::jobs) fn walk(
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    walk_files(inputs, context, &mut AllFiles(plan))
}

/// Takes what [`walk_files`] finds.
pub(in crate::jobs) trait Visitor {
    /// A file, as an item with [`Step::Run`].
    fn file(&mut self, item: Item, metadata: &Metadata);

    /// Takes an input that is no folder, whatever it is. `false` if it is to be found as a file.
    fn takes(&mut self, _input: &Path) -> bool {
        false
    }

    /// Where inputs that can't be read and notes go.
    fn plan(&mut self) -> &mut dyn Plan;

    /// Whether the metadata of the files is all that is asked for. Then the files of a folder are asked
    /// for it by two threads; else other threads read files meanwhile.
    fn only_asks(&self) -> bool {
        false
    }
}

struct AllFiles<'a>(&'a mut dyn Plan);

impl Visitor for AllFiles<'_> {
    fn file(&mut self, item: Item, _metadata: &Metadata) {
        self.0.item(item);
    }

    fn plan(&mut self) -> &mut dyn Plan {
        self.0
    }
}

/// As [`walk`], with the metadata of each file.
///
/// # Errors
/// As `walk`.
pub(in crate::jobs) fn walk_files(
    inputs: &[PathBuf],
    context: &Context,
    visitor: &mut dyn Visitor,
) -> Result<(), Cancelled> {
    let mut walk = Walk {
        context,
        visitor,
        found_any: false,
        entered: HashSet::new(),
        links: VecDeque::new(),
    };
    for input in inputs {
        context.check()?;
        walk.input(input)?;
    }
    while let Some(link) = walk.links.pop_front() {
        context.check()?;
        walk.linked_folder(link)?;
    }
    Ok(())
}

struct Walk<'a> {
    context: &'a Context,
    visitor: &'a mut dyn Visitor,
    /// Whether the input that is being walked has anything to find.
    found_any: bool,
    entered: HashSet<FileIdentity>,
    links: VecDeque<PathBuf>,
}

/// A folder that is being walked, with its remaining entries.
struct FolderLevel {
    folder: PathBuf,
    entries: Entries,
}

/// The entries of a folder, by name.
enum Entries {
    Open(OpenEntries),
    Closed(vec::IntoIter<OsString>),
}

/// The folder is open, so that the system finds each by its name alone.
struct OpenEntries {
    rest: vec::IntoIter<(OsString, DirEntry)>,
    /// The next ones, whose metadata is known already.
    asked: vec::IntoIter<(OsString, io::Result<Metadata>)>,
    /// Whether two threads ask.
    side_by_side: bool,
}

impl OpenEntries {
    /// Asks for the metadata of the next ones. A cancel ends that early.
    fn ask(&mut self, context: &Context) {
        let mut first: Vec<_> = self.rest.by_ref().take(ASKED_AT_ONCE).collect();
        let ask = |entries: Vec<(OsString, DirEntry)>| -> Vec<_> {
            let entries = entries.into_iter();
            let entries = entries.take_while(|_| !context.is_cancelled());
            let ask = |(name, entry): (_, DirEntry)| (name, entry.metadata());
            entries.map(ask).collect()
        };
        let asked = if first.len() < MIN_SIDE_BY_SIDE {
            ask(first)
        } else {
            let second = first.split_off(first.len() / 2);
            let (mut first, second) = side_by_side(|| ask(first), || ask(second));
            first.extend(second);
            first
        };
        self.asked = asked.into_iter();
    }
}

impl Entries {
    /// Closes the folder: the entries are found by their paths from now on.
    fn close(&mut self) {
        if let Self::Open(open) = self {
            let asked = open.asked.by_ref().map(|(name, _)| name);
            let names: Vec<_> = asked
                .chain(open.rest.by_ref().map(|(name, _)| name))
                .collect();
            *self = Self::Closed(names.into_iter());
        }
    }

    /// The next one, with its own metadata, not that of what it links to. `None` behind the last, and
    /// perhaps after a cancel.
    fn next(
        &mut self,
        folder: &Path,
        context: &Context,
    ) -> Option<(PathBuf, io::Result<Metadata>)> {
        match self {
            Self::Open(open) if open.side_by_side => {
                if open.asked.len() == 0 {
                    open.ask(context);
                }
                let (name, metadata) = open.asked.next()?;
                Some((folder.join(name), metadata))
            }
            Self::Open(open) => {
                let (name, entry) = open.rest.next()?;
                Some((folder.join(name), entry.metadata()))
            }
            Self::Closed(names) => {
                let path = folder.join(names.next()?);
                let metadata = fs::symlink_metadata(&path);
                Some((path, metadata))
            }
        }
    }
}

impl Walk<'_> {
    fn input(&mut self, path: &Path) -> Result<(), Cancelled> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return self.input_folder(path),
            _ if self.visitor.takes(path) => {}
            Ok(metadata) => self.file(path.to_owned(), &metadata),
            Err(error) => self.broken(path.to_owned(), error),
        }
        Ok(())
    }

    fn input_folder(&mut self, path: &Path) -> Result<(), Cancelled> {
        self.found_any = false;
        self.folder(path.to_owned())?;
        if !self.found_any {
            self.visitor
                .plan()
                .note(format!("The folder {} has no files.", shown(path)));
        }
        Ok(())
    }

    fn folder(&mut self, path: PathBuf) -> Result<(), Cancelled> {
        let mut levels: Vec<_> = self.enter(path)?.into_iter().collect();
        while let Some(level) = levels.last_mut() {
            self.context.check()?;
            let next = level.entries.next(&level.folder, self.context);
            let Some((path, metadata)) = next else {
                levels.pop();
                continue;
            };
            match metadata {
                Ok(metadata) if metadata.is_dir() => {
                    levels.extend(self.enter(path)?);
                    if let Some(outer) = levels.len().checked_sub(MAX_OPEN + 1) {
                        levels[outer].entries.close();
                    }
                }
                Ok(metadata) if metadata.is_symlink() => self.link(path),
                Ok(metadata) => {
                    self.found_any = true;
                    self.file(path, &metadata);
                }
                Err(error) => self.broken(path, error),
            }
        }
        Ok(())
    }

    /// The entries of a folder, unless it was entered before or can't be read.
    fn enter(&mut self, folder: PathBuf) -> Result<Option<FolderLevel>, Cancelled> {
        match fs::metadata(&folder) {
            Ok(metadata) if !self.entered.insert(identity(&metadata)) => {
                self.found_any = true;
                return Ok(None);
            }
            Ok(_) => {}
            Err(error) => {
                self.fail(folder.clone(), ChecksumError::from_io(&folder, error));
                return Ok(None);
            }
        }
        let context = self.context;
        let mut entries = Vec::new();
        let read = || {
            entries.clear();
            self.read(&folder, &mut entries)
        };
        let shortage = |read: &io::Result<()>| {
            let is_refused = read.as_ref().is_err_and(is_file_limit);
            is_refused.then_some(Shortage::Files)
        };
        let read = room::run(context, read, shortage, || ())?;
        // The error may be the cancel.
        context.check()?;
        if let Err(error) = read {
            self.fail(folder.clone(), ChecksumError::from_io(&folder, error));
        }
        entries.sort_by(|(left, _), (right, _)| {
            // A comparison can't return the cancel.
            context.checkpoint();
            left.cmp(right)
        });
        Ok(Some(FolderLevel {
            folder,
            entries: Entries::Open(OpenEntries {
                rest: entries.into_iter(),
                asked: Vec::new().into_iter(),
                side_by_side: self.visitor.only_asks(),
            }),
        }))
    }

    /// Adds the entries of a folder to `entries`, up to the first that can't be read.
    fn read(&self, folder: &Path, entries: &mut Vec<(OsString, DirEntry)>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            self.context.check()?;
            let entry = entry?;
            entries.push((entry.file_name(), entry));
        }
        Ok(())
    }

    fn link(&mut self, path: PathBuf) {
        self.found_any = true;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.links.push_back(path),
            Ok(metadata) => self.file(path, &metadata),
            Err(error) => self.broken(path, error),
        }
    }

    fn file(&mut self, path: PathBuf, metadata: &Metadata) {
        match reject_special(&path, metadata.file_type()) {
            Ok(()) => {
                let item = Item {
                    input: path,
                    bytes: metadata.len(),
                    step: Step::Run,
                };
                self.visitor.file(item, metadata);
            }
            Err(error) => self.fail(path, error),
        }
    }

    fn linked_folder(&mut self, link: PathBuf) -> Result<(), Cancelled> {
        match contains_itself(&link) {
            Ok(false) => return self.folder(link),
            Ok(true) if self.was_entered(&link) => {}
            Ok(true) => {
                let path = link.clone();
                self.fail(link, ChecksumError::LinkLoop { path });
            }
            Err(error) => self.broken(link, error),
        }
        Ok(())
    }

    fn was_entered(&self, folder: &Path) -> bool {
        fs::metadata(folder).is_ok_and(|metadata| self.entered.contains(&identity(&metadata)))
    }

    fn broken(&mut self, path: PathBuf, error: io::Error) {
        let error = match ChecksumError::from_io(&path, error) {
            ChecksumError::Missing { path } if path.is_symlink() => {
                ChecksumError::DanglingLink { path }
            }
            error => error,
        };
        self.fail(path, error);
    }

    fn fail(&mut self, path: PathBuf, error: ChecksumError) {
        self.found_any = true;
        self.visitor.plan().item(Item::failed(path, error));
    }
}

/// Whether a link points to a folder that contains the link.
fn contains_itself(link: &Path) -> io::Result<bool> {
    let target = fs::canonicalize(link)?;
    let folder = fs::canonicalize(link.parent().unwrap_or(Path::new(".")))?;
    Ok(folder.starts_with(target))
}
