use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use super::list::Entry;
use crate::jobs::checksum::DigestKind;

/// The files that a list has and that are gone, so that one of them is found by its content in constant
/// time, however many there are.
#[derive(Default)]
pub(super) struct Gone {
    /// By the length in bytes; `None` has those whose length the list does not say.
    by_len: HashMap<Option<u64>, Vec<DigestKind>>,
    by_digest: HashMap<String, Vec<Entry>>,
}

impl Gone {
    pub(super) fn push(&mut self, entry: Entry) {
        let kinds = self.by_len.entry(entry.bytes).or_default();
        for kind in all_kinds(&entry) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let same = self.by_digest.entry(entry.digest.clone()).or_default();
        same.push(entry);
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
    pub(super) fn take(&mut self, kind: DigestKind, digest: &str, new: &Path) -> Option<Entry> {
        let same = self.by_digest.get_mut(digest)?;
        let is_of_kind = |entry: &Entry| all_kinds(entry).contains(&kind);
        let is_named = |entry: &Entry| entry.path.file_name() == new.file_name();
        let at = same
            .iter()
            .position(|entry| is_named(entry) && is_of_kind(entry))
            .or_else(|| same.iter().position(is_of_kind))?;
        Some(same.swap_remove(at))
    }

    /// All that were not taken, by path.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        let mut entries: Vec<_> = self.by_digest.into_values().flatten().collect();
        entries.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        entries
    }
}

fn all_kinds(entry: &Entry) -> Vec<DigestKind> {
    let (likely, rest) = entry.kinds();
    [likely, rest].concat()
}

/// Whether there is nothing of this name any more.
pub(super) fn is_gone(path: &Path) -> bool {
    let kind = fs::symlink_metadata(path).map_err(|error| error.kind());
    matches!(
        kind,
        Err(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    )
}
