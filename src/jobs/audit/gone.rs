use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::list::Entry;
use crate::jobs::checksum::DigestKind;

/// The files that a list has and that are gone, so that one of them is found by its content in constant
/// time, however many there are.
#[derive(Default)]
pub(super) struct Gone {
    /// By the length in bytes; `None` has those whose length the list does not say.
    by_len: HashMap<Option<u64>, Vec<DigestKind>>,
    by_digest: HashMap<(DigestKind, String), Vec<PathBuf>>,
}

impl Gone {
    pub(super) fn push(&mut self, entry: Entry) {
        let kind = entry.kind();
        let kinds = self.by_len.entry(entry.bytes).or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        let same = self.by_digest.entry((kind, entry.digest)).or_default();
        same.push(entry.path);
    }

    /// The kinds of the digests of files that may have this length.
    pub(super) fn kinds(&self, bytes: u64) -> Vec<DigestKind> {
        let mut kinds = Vec::new();
        for len in [Some(bytes), None] {
            for &kind in self.by_len.get(&len).into_iter().flatten() {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
        kinds
    }

    /// Takes a file with this digest, one with the name of `new` if there is any.
    pub(super) fn take(&mut self, kind: DigestKind, digest: &str, new: &Path) -> Option<PathBuf> {
        let same = self.by_digest.get_mut(&(kind, digest.to_owned()))?;
        let is_named = |path: &PathBuf| path.file_name() == new.file_name();
        let at = same.iter().position(is_named).unwrap_or(0);
        (at < same.len()).then(|| same.swap_remove(at))
    }

    /// The paths of all that were not taken, in order.
    pub(super) fn into_paths(self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = self.by_digest.into_values().flatten().collect();
        paths.sort_unstable();
        paths
    }
}

/// Whether there is nothing of this name any more.
pub(super) fn is_gone(path: &Path) -> bool {
    let kind = fs::symlink_metadata(path).map_err(|error| error.kind());
    matches!(
        kind,
        Err(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    )
}
