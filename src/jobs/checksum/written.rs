//! The lists that are written: their names are relative to the folder of the list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Checksum, ListTarget, Options, list};
use crate::jobs::Output;
use crate::jobs::stdin::is_stdin;
use crate::jobs::text::shown;

/// A list and its contents.
type Written = (PathBuf, Vec<u8>);

/// The lists of these results, as [`JobInterface::lists`](crate::jobs::JobInterface::lists) has them.
pub(super) fn lists(
    options: &Options,
    file: &Path,
    results: &mut dyn Iterator<Item = (&Path, &Output)>,
) -> Result<Vec<Written>, String> {
    let is_each_folder = matches!(options.target, ListTarget::EachFolder(_));
    let mut lists = BTreeMap::new();
    if !is_each_folder {
        lists.insert(file.to_owned(), Vec::new());
    }
    for (input, output) in results {
        let list = if is_each_folder {
            input.with_file_name(file)
        } else {
            file.to_owned()
        };
        let line = match output {
            Output::Checksum(checksum) if !checksum.verified => {
                line(options, checksum, &name_in(&list, input), &list)?
            }
            other => other.line(input),
        };
        lists.entry(list).or_default().extend(line);
    }
    Ok(lists.into_iter().collect())
}

fn line(
    options: &Options,
    checksum: &Checksum,
    name: &Path,
    list: &Path,
) -> Result<Vec<u8>, String> {
    let is_crc32 = checksum.algorithm == super::Algorithm::Crc32;
    if !(is_sfv(list) && is_crc32) {
        return Ok(list::line(checksum, name, options.form));
    }
    list::sfv_line(checksum, name).ok_or_else(|| {
        format!(
            "{} can't stand in an SFV list, which knows no escapes; choose another name for the \
             list than {}.",
            shown(name),
            shown(list)
        )
    })
}

pub(super) fn is_sfv(list: &Path) -> bool {
    let extension = list.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("sfv")
}

/// The name of the file `input` in a list: relative to the folder of the list if that contains it,
/// otherwise absolute, so that it does not depend on where the list is checked.
///
/// Some tools take a space or a star at the start for a part of the line.
pub(in crate::jobs) fn name_in(list: &Path, input: &Path) -> PathBuf {
    if is_stdin(input) {
        return input.to_owned();
    }
    let (Ok(full), Ok(list)) = (std::path::absolute(input), std::path::absolute(list)) else {
        return input.to_owned();
    };
    let folder = list.parent().unwrap_or(Path::new(""));
    let Ok(name) = full.strip_prefix(folder) else {
        return full;
    };
    let first = name.as_os_str().as_encoded_bytes().first();
    if matches!(first, Some(b' ' | b'*' | b';')) {
        return Path::new(".").join(name);
    }
    name.to_owned()
}
