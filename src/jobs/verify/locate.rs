//! Finds the file that a list names.

use std::fs;
use std::path::{Path, PathBuf};

use super::read::Entry;
use crate::jobs::checksum::list;

/// Where the names of a list begin, and what separates their folders.
pub(super) struct Names {
    /// The folders, in the order in which they are looked into; at least one.
    folders: Vec<PathBuf>,
    /// Whether a backslash separates folders; `None` before a file has shown it.
    has_backslashes: Option<bool>,
}

impl Names {
    pub(super) fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            has_backslashes: None,
        }
    }

    /// The path of the file that the entry means, and whether it is there: that of its likeliest name if
    /// none is. `None` if no file can have such a name.
    pub(super) fn locate(&mut self, entry: &Entry) -> Option<(PathBuf, bool)> {
        let names: Vec<_> = entry
            .names
            .iter()
            .filter_map(|name| list::path(name.clone()).ok())
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
            Some(true) => with_slashes(&name).unwrap_or(name),
            _ => name,
        };
        Some((self.folders.first()?.join(name), false))
    }

    fn find(&self, name: &Path) -> Option<PathBuf> {
        let mut paths = self.folders.iter().map(|folder| folder.join(name));
        paths.find(|path| fs::symlink_metadata(path).is_ok())
    }
}

/// The name of a list of Windows as it is here; `None` if it is no other.
fn with_slashes(name: &Path) -> Option<PathBuf> {
    let text = name.to_str().filter(|_| cfg!(unix))?;
    text.contains('\\').then(|| text.replace('\\', "/").into())
}
