//! Finds the file that a list names.

#[cfg(unix)]
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::list_name;
use super::read::{Entry, Mode};

/// What the names of a list mean as paths.
pub(in crate::jobs) struct Names {
    /// The file of a digest without a name, which the name of the list names.
    file: Option<PathBuf>,
    /// The folders in which names begin, in the order in which they are looked into; at least one.
    folders: Vec<PathBuf>,
    /// Whether a backslash separates folders; `None` before a file has shown it.
    has_backslashes: Option<bool>,
}

impl Names {
    /// The names of `list`, which begin in one of `folders`.
    pub(in crate::jobs) fn new(list: &Path, folders: Vec<PathBuf>) -> Self {
        Self {
            file: list_name::file_of(list),
            folders,
            has_backslashes: None,
        }
    }

    /// The path of the file that the entry means, and whether it is there: that of its likeliest name if
    /// none is. A digest alone, or of standard input, is of the file that the name of the list names.
    /// `None` if there is none, or if no file can have such a name.
    pub(in crate::jobs) fn locate(&mut self, entry: &Entry) -> Option<(PathBuf, bool)> {
        let is_of_stdin = entry.names.first().is_some_and(|name| name == b"-");
        match &self.file {
            Some(file) if entry.names.is_empty() || is_of_stdin => {
                Some((file.clone(), fs::symlink_metadata(file).is_ok()))
            }
            _ => self.locate_name(entry),
        }
    }

    /// The mode of `shasum` that a line names before its name. None if the letter belongs to the name of a
    /// file that is there.
    pub(in crate::jobs) fn mode_of(&mut self, entry: &Entry) -> Option<Mode> {
        let mode = entry.mode?;
        let is_there = |names: &mut Self, entry: &Entry| {
            let located = names.locate(entry);
            located.is_some_and(|(_, is_there)| is_there)
        };
        if is_there(self, entry) {
            return None;
        }
        let without = entry.names.iter().map(|name| name[1..].to_vec());
        let bare = Entry {
            names: without.collect(),
            ..entry.clone()
        };
        // Many names begin with a U.
        (mode == Mode::Bits || is_there(self, &bare)).then_some(mode)
    }

    fn locate_name(&mut self, entry: &Entry) -> Option<(PathBuf, bool)> {
        let names: Vec<_> = entry
            .names
            .iter()
            .filter_map(|name| name_of(name))
            .collect();
        for name in &names {
            let slashed = with_slashes(name).filter(|_| !entry.is_escaped);
            let first = self.has_backslashes == Some(true);
            let mut both = [(Some(name.clone()), false), (slashed.clone(), true)];
            if first {
                both.reverse();
            }
            for (name, is_slashed) in both {
                if let Some(found) = name.and_then(|name| self.find(&name)) {
                    if slashed.is_some() {
                        self.has_backslashes.get_or_insert(is_slashed);
                    }
                    return Some((found, true));
                }
            }
        }
        let name = names.into_iter().next()?;
        let name = match self.has_backslashes {
            Some(false) => name,
            _ if entry.is_escaped => name,
            // Tools that are not of Windows mark such a name as escaped.
            _ => with_slashes(&name).unwrap_or(name),
        };
        Some((self.folders.first()?.join(name), false))
    }

    fn find(&self, name: &Path) -> Option<PathBuf> {
        let mut paths = self.folders.iter().map(|folder| folder.join(name));
        paths.find(|path| fs::symlink_metadata(path).is_ok())
    }
}

/// The path of a name in a list; `None` if no file can have this name.
pub(in crate::jobs) fn name_of(name: &[u8]) -> Option<PathBuf> {
    if name.is_empty() || name.contains(&0) {
        return None;
    }
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(name.to_vec());
    #[cfg(not(unix))]
    let name = str::from_utf8(name).ok()?;
    Some(PathBuf::from(name))
}

/// The name of a list of Windows as it is here; `None` if it is no other.
fn with_slashes(name: &Path) -> Option<PathBuf> {
    let text = name.to_str().filter(|_| cfg!(unix))?;
    text.contains('\\').then(|| text.replace('\\', "/").into())
}
