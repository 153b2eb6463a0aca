//! Inputs that are patterns, such as `*.wav` or `music/**/*.flac`.
//!
//! They mean the same in every job, because they are replaced by what they match before the job plans. A path that
//! exists is never a pattern, and neither is a part of a path: in a folder that is called `[new]`, `[new]/*.wav`
//! stands for the files of that folder. What is no valid pattern, such as `a{b`, is a name, as in a shell.
//!
//! As in a shell, `*`, `?`, `[…]` and `{a,b}` match within one name, and a name that begins with a dot is matched
//! only by a pattern that does, too. `**` stands for any number of folders. It enters no hidden folders and no links,
//! and a pattern with it matches files alone: what its folders contain is matched by itself.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::item::is_file_limit;
use super::retry::Shortage;
use super::text::shown;
use super::{Item, ItemError, Plan, room};
use crate::format;
use crate::join::{Cancelled, Context};

/// A pattern that matches more paths fails as a whole, so that the memory is bounded.
const MAX_MATCHES: usize = 1_000_000;

/// Whether the path could be a pattern, if there is nothing of this name. A URL is none: it may have a `?`.
pub(crate) fn may_be_pattern(path: &Path) -> bool {
    let text = path.as_os_str();
    is_special(text)
        && !text
            .as_encoded_bytes()
            .windows(3)
            .any(|part| part == b"://")
}

fn is_special(text: &OsStr) -> bool {
    text.as_encoded_bytes()
        .iter()
        .any(|byte| b"*?[{".contains(byte))
}

/// The inputs with the matches in place of each pattern, as if they had been named. A pattern gets a note with the
/// number of its matches; one that matches nothing is an item that fails.
///
/// # Errors
/// The task was cancelled.
pub(crate) fn expand<'a>(
    inputs: &'a [PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<Cow<'a, [PathBuf]>, Cancelled> {
    let is_pattern = |path: &PathBuf| may_be_pattern(path) && path.symlink_metadata().is_err();
    if !inputs.iter().any(is_pattern) {
        return Ok(inputs.into());
    }
    let mut all = Vec::new();
    for input in inputs {
        context.check()?;
        match Pattern::new(input).filter(|_| is_pattern(input)) {
            Some(pattern) => {
                let search = Search::run(&pattern, MAX_MATCHES, context)?;
                take(input, search, &mut all, plan);
            }
            None => all.push(input.clone()),
        }
    }
    Ok(all.into())
}

/// Adds what a search has found to the paths.
fn take(input: &Path, search: Search<'_>, all: &mut Vec<PathBuf>, plan: &mut dyn Plan) {
    let is_unread = !search.unread.is_empty();
    for (folder, error) in search.unread {
        let input = folder.clone();
        plan.item(Item::failed(input, PatternError::Unreadable(folder, error)));
    }
    let error = match search.found.len() {
        0 if is_unread => return,
        0 => PatternError::NoMatch(input.to_owned()),
        count if count > search.limit => PatternError::TooMany(input.to_owned()),
        count => {
            let paths = format::plural(count, "path", "paths");
            plan.note(format!("{} stands for {paths}.", shown(input)));
            all.extend(search.found);
            return;
        }
    };
    plan.item(Item::failed(input.to_owned(), error));
}

/// Whether a path at which nothing is stands for others; `None` if that takes longer than a look at a few folders.
pub(crate) fn has_match(path: &Path, context: &Context) -> Option<bool> {
    let Some(pattern) = Pattern::new(path).filter(|_| may_be_pattern(path)) else {
        return Some(false);
    };
    let mut search = Search::new(1, context);
    search.folders_left = Some(64);
    search.find(&pattern).ok()?;
    match search.found.is_empty() {
        true if search.folders_left == Some(0) => None,
        is_empty => Some(!is_empty),
    }
}

/// The reason why a pattern brings no input.
#[derive(Debug, thiserror::Error)]
enum PatternError {
    #[error("Nothing matches {}, and no file has this name; correct it.", shown(.0))]
    NoMatch(PathBuf),
    #[error(
        "{} matches more than {} paths; name folders instead.", shown(.0), format::count(MAX_MATCHES)
    )]
    TooMany(PathBuf),
    #[error("{} can't be read: {}.", shown(.0), .1)]
    Unreadable(PathBuf, io::Error),
}

impl From<PatternError> for ItemError {
    fn from(error: PatternError) -> Self {
        let kind = match error {
            PatternError::NoMatch(_) => "no_match",
            PatternError::TooMany(_) => "too_many_matches",
            PatternError::Unreadable(_, ref error) if is_file_limit(error) => "too_many_open_files",
            PatternError::Unreadable(..) => "unreadable",
        };
        Self::new(kind, error.to_string())
    }
}

/// A path with patterns in the place of names.
struct Pattern {
    parts: Vec<Part>,
    /// It matches files alone.
    is_deep: bool,
    /// It may find one twice.
    repeats: bool,
    /// It ends with a slash, and matches folders alone.
    is_folder: bool,
}

enum Part {
    Literal(OsString),
    /// A name, and the matcher that counts if there is nothing of this name.
    Names(OsString, GlobMatcher),
    AnyFolders,
}

impl Pattern {
    /// `None` if it is no valid pattern.
    fn new(path: &Path) -> Option<Self> {
        let mut parts = Vec::new();
        for part in path.components() {
            let part = part.as_os_str();
            if part == "**" {
                if !matches!(parts.last(), Some(Part::AnyFolders)) {
                    parts.push(Part::AnyFolders);
                }
            } else if is_special(part) {
                parts.push(Part::Names(part.to_owned(), matcher(part)?));
            } else {
                parts.push(Part::Literal(part.to_owned()));
            }
        }
        if let Some(Part::AnyFolders) = parts.last() {
            let all = OsStr::new("*");
            parts.push(Part::Names(all.to_owned(), matcher(all)?));
        }
        let text = path.as_os_str().as_encoded_bytes();
        let is_deep = |part: &&Part| matches!(part, Part::AnyFolders);
        let deep = parts.iter().filter(is_deep).count();
        Some(Self {
            is_deep: deep > 0,
            repeats: deep > 1,
            is_folder: text
                .last()
                .is_some_and(|&byte| std::path::is_separator(byte.into())),
            parts,
        })
    }
}

/// `None` if it is no valid pattern; only text can be one.
fn matcher(part: &OsStr) -> Option<GlobMatcher> {
    let mut glob = GlobBuilder::new(part.to_str()?);
    let glob = glob.empty_alternates(true).build().ok()?;
    Some(glob.compile_matcher())
}

/// Finds the paths that a pattern matches, by name.
struct Search<'a> {
    context: &'a Context,
    limit: usize,
    found: Vec<PathBuf>,
    /// Those of a pattern that may find one twice.
    seen: HashSet<PathBuf>,
    unread: Vec<(PathBuf, io::Error)>,
    /// How many folders it may still read, if that is bounded.
    folders_left: Option<usize>,
}

impl<'a> Search<'a> {
    fn new(limit: usize, context: &'a Context) -> Self {
        Self {
            context,
            limit,
            found: Vec::new(),
            seen: HashSet::new(),
            unread: Vec::new(),
            folders_left: None,
        }
    }

    fn run(pattern: &Pattern, limit: usize, context: &'a Context) -> Result<Self, Cancelled> {
        let mut search = Self::new(limit, context);
        search.find(pattern)?;
        Ok(search)
    }

    fn find(&mut self, pattern: &Pattern) -> Result<(), Cancelled> {
        let mut next = vec![(PathBuf::new(), 0)];
        while let Some((path, at)) = next.pop() {
            self.context.check()?;
            if self.found.len() > self.limit || self.folders_left == Some(0) {
                return Ok(());
            }
            let is_last = at + 1 >= pattern.parts.len();
            match pattern.parts.get(at) {
                None => self.take(path, pattern),
                Some(Part::Literal(name)) => {
                    let path = path.join(name);
                    if path.symlink_metadata().is_ok() {
                        next.push((path, at + 1));
                    }
                }
                Some(Part::Names(name, matcher)) => {
                    let literal = path.join(name);
                    if literal.symlink_metadata().is_ok() {
                        next.push((literal, at + 1));
                        continue;
                    }
                    let has_dot = name.as_encoded_bytes().first() == Some(&b'.');
                    let names = self.read(&path, |entry, name| {
                        (has_dot || !is_hidden(name))
                            && matcher.is_match(Path::new(name))
                            && (is_last || !entry.file_type().is_ok_and(|kind| kind.is_file()))
                    })?;
                    let paths = names.into_iter().map(|name| (path.join(name), at + 1));
                    next.extend(paths.rev());
                }
                Some(Part::AnyFolders) => {
                    let names = self.read(&path, |entry, name| {
                        !is_hidden(name) && entry.file_type().is_ok_and(|kind| kind.is_dir())
                    })?;
                    let folders = names.into_iter().map(|name| (path.join(name), at));
                    next.extend(folders.rev());
                    next.push((path, at + 1));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, path: PathBuf, pattern: &Pattern) {
        let is_wanted = match (pattern.is_deep, pattern.is_folder) {
            (_, true) => path.is_dir(),
            (true, false) => !path.is_dir(),
            (false, false) => true,
        };
        if is_wanted && (!pattern.repeats || self.seen.insert(path.clone())) {
            self.found.push(path);
        }
    }

    /// The wanted names in a folder, in their order. A folder that can't be read has none, and is kept.
    fn read(
        &mut self,
        folder: &Path,
        is_wanted: impl Fn(&DirEntry, &OsStr) -> bool,
    ) -> Result<Vec<OsString>, Cancelled> {
        if let Some(left) = &mut self.folders_left {
            *left -= 1;
        }
        let context = self.context;
        let opened = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut names = Vec::new();
        let read = || {
            names.clear();
            for entry in fs::read_dir(opened)? {
                context.check()?;
                let entry = entry?;
                let name = entry.file_name();
                if is_wanted(&entry, &name) {
                    names.push(name);
                }
            }
            Ok(())
        };
        let shortage = |read: &io::Result<()>| {
            let is_refused = read.as_ref().is_err_and(is_file_limit);
            is_refused.then_some(Shortage::Files)
        };
        let read = room::run(context, read, shortage, || ())?;
        // The error may be the cancel.
        context.check()?;
        match read.map_err(|error| (error.kind(), error)) {
            // It is not there, or it is a file.
            Ok(()) | Err((ErrorKind::NotFound | ErrorKind::NotADirectory, _)) => {}
            Err((_, error)) => self.unread.push((opened.to_owned(), error)),
        }
        names.sort();
        Ok(names)
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}
