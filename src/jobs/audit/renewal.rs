//! The list of the present state: what the old list says of the files that were not read, and what was found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::gone::is_gone;
use super::list::{self, Entry};
use super::{AuditError, Audited, Options, own_form};
use crate::jobs::Output;
use crate::jobs::checksum::{ChecksumError, name_in_list};
use crate::jobs::text::shown;

/// The new contents of the list at `file`. What failed keeps its line, so that rot is found until the file
/// is restored; what is gone has none.
pub(super) fn renewed(
    options: &Options,
    file: &Path,
    results: &mut dyn Iterator<Item = (&Path, &Output)>,
) -> Result<Vec<u8>, String> {
    let old = match list::read(&options.against, &|| false) {
        Ok(list) => list.entries,
        Err(AuditError::Checksum(ChecksumError::Missing { .. })) => Vec::new(),
        Err(error) => return Err(error.to_string()),
    };
    let had_any = !old.is_empty();
    let mut entries: BTreeMap<PathBuf, Entry> = old
        .into_iter()
        .filter(|entry| !is_gone(&entry.path))
        .map(|entry| (entry.path.clone(), entry))
        .collect();
    let is_all_gone = entries.is_empty();
    let mut moved = false;
    for (input, output) in results {
        if let Output::Audited(audited) = output {
            moved |= audited.from.is_some();
            let entry = entry(input, audited);
            entries.insert(entry.path.clone(), entry);
        }
    }
    if had_any && is_all_gone && !moved {
        return Err(format!(
            "None of the files in {} is there, so it was not renewed; is the disk there?",
            shown(&options.against)
        ));
    }
    let named = entries
        .values()
        .map(|entry| (name_in_list(file, &entry.path), entry));
    Ok(own_form::write(named))
}

fn entry(input: &Path, audited: &Audited) -> Entry {
    Entry {
        name: input.to_owned(),
        path: std::path::absolute(input).unwrap_or_else(|_| input.to_owned()),
        algorithm: audited.checksum.algorithm,
        digest: audited.checksum.digest.clone(),
        bytes: Some(audited.checksum.bytes),
        modified: audited.modified,
        candidates: None,
    }
}
