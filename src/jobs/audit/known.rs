//! What the list says of each file, found by the path of the file.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::path::{self, Path, PathBuf};

use memchr::memrchr;

use super::list::Entry;
use super::own_form::{OwnLine, Stamp};
use crate::jobs::checksum::name_of;

/// The files of a list.
pub(super) struct KnownFiles<'a> {
    /// In the order in which folders are walked, each name once.
    files: Vec<Known<'a>>,
    /// The file behind the one that was found last, which is likely to be asked for next.
    next: usize,
    names: Names,
}

struct Known<'a> {
    name: Cow<'a, [u8]>,
    says: Says<'a>,
    is_found: Cell<bool>,
}

/// What the list says of a file.
enum Says<'a> {
    Line { digest: &'a str, stamp: Stamp },
    Entry(Box<Entry>),
}

impl<'a> KnownFiles<'a> {
    /// Those of a list in `folder`, which is absolute.
    pub(super) fn of_lines(lines: Vec<OwnLine<'a>>, folder: &Path) -> Self {
        let names = Names::new(folder);
        let known = lines.into_iter().map(|line| {
            let name = match line.name {
                Cow::Borrowed(name) => Cow::Borrowed(names.short(name)),
                Cow::Owned(name) => Cow::Owned(names.short(&name).to_owned()),
            };
            let (digest, stamp) = (line.digest, line.stamp);
            Known::new(name, Says::Line { digest, stamp })
        });
        let files = in_order(known.collect());
        Self {
            files,
            next: 0,
            names,
        }
    }

    /// Those of a list in `folder`, which is absolute.
    pub(super) fn of_entries(entries: Vec<Entry>, folder: &Path) -> Self {
        let names = Names::new(folder);
        let known = entries.into_iter().map(|entry| {
            let path = entry.path.as_os_str().as_encoded_bytes();
            let name = Cow::Owned(names.short(path).to_owned());
            Known::new(name, Says::Entry(Box::new(entry)))
        });
        let files = in_order(known.collect());
        Self {
            files,
            next: 0,
            names,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file of this path, if the list has it.
    pub(super) fn find(&mut self, path: &Path) -> Option<KnownFile<'_>> {
        let name = self.names.of(path);
        let is_next = |known: &Known<'_>| *known.name == *name;
        let at = if self.files.get(self.next).is_some_and(is_next) {
            self.next
        } else {
            let order = |known: &Known<'_>| in_walk(&known.name, name);
            self.files.binary_search_by(order).ok()?
        };
        self.next = at + 1;
        Some(KnownFile {
            known: &self.files[at],
            names: &self.names,
        })
    }

    /// Those that were not found, by path.
    pub(super) fn into_unseen(self) -> Vec<Entry> {
        let unseen = self.files.iter().filter(|known| !known.is_found.get());
        let mut entries: Vec<_> = unseen.map(|known| known.entry(&self.names)).collect();
        entries.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        entries
    }
}

/// Sorts the files, unless the list has them in order, as it does where this job has written it. Of several
/// lines of a file, the last one counts.
fn in_order(mut files: Vec<Known<'_>>) -> Vec<Known<'_>> {
    let is_before = |one: &Known<'_>, next: &Known<'_>| in_walk(&one.name, &next.name).is_lt();
    if !files.is_sorted_by(is_before) {
        files.reverse();
        files.sort_by(|left, right| in_walk(&left.name, &right.name));
        files.dedup_by(|later, kept| later.name == kept.name);
    }
    files
}

/// The order of names in which folders are walked: the files in a folder directly behind its own name.
fn in_walk(left: &[u8], right: &[u8]) -> Ordering {
    let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    left.iter().map(rank).cmp(right.iter().map(rank))
}

/// A file that the list has.
pub(super) struct KnownFile<'a> {
    known: &'a Known<'a>,
    names: &'a Names,
}

impl KnownFile<'_> {
    /// Notes that it is there; returns whether that was noted before.
    pub(super) fn was_found(&self) -> bool {
        self.known.is_found.replace(true)
    }

    /// Whether the list has this length and time of the last change.
    pub(super) fn has_stamp(&self, bytes: u64, modified: Option<i64>) -> bool {
        let (its_bytes, its_modified) = match &self.known.says {
            Says::Line { stamp, .. } => (Some(stamp.bytes), Some(stamp.modified)),
            Says::Entry(entry) => (entry.bytes, entry.modified),
        };
        modified.is_some() && its_modified == modified && its_bytes == Some(bytes)
    }

    pub(super) fn entry(&self) -> Entry {
        self.known.entry(self.names)
    }
}

impl<'a> Known<'a> {
    fn new(name: Cow<'a, [u8]>, says: Says<'a>) -> Self {
        Self {
            name,
            says,
            is_found: Cell::new(false),
        }
    }

    fn entry(&self, names: &Names) -> Entry {
        match &self.says {
            Says::Line { digest, stamp } => entry_of(&self.name, digest, stamp, &names.list_folder),
            Says::Entry(entry) => (**entry).clone(),
        }
    }
}

/// What the lines of a list in `folder`, which is absolute, say.
pub(super) fn entries(lines: &[OwnLine<'_>], folder: &Path) -> Vec<Entry> {
    let names = Names::new(folder);
    let entry = |line: &OwnLine<'_>| {
        let name = names.short(&line.name);
        entry_of(name, line.digest, &line.stamp, folder)
    };
    lines.iter().map(entry).collect()
}

fn entry_of(name: &[u8], digest: &str, stamp: &Stamp, folder: &Path) -> Entry {
    let name = name_of(name).expect("a line has a name without a zero byte");
    Entry {
        path: folder.join(&name),
        name,
        algorithm: stamp.algorithm,
        digest: digest.to_ascii_lowercase(),
        bytes: Some(stamp.bytes),
        modified: Some(stamp.modified),
        candidates: None,
    }
}

/// The names by which files are found: absolute paths, without the folder of the list if they begin with it.
struct Names {
    list_folder: PathBuf,
    /// The folder of the list, with a separator at its end.
    prefix: Vec<u8>,
    /// The folder of the last path, as it was given, with the separator.
    folder: Vec<u8>,
    /// The last name. That of the folder is its beginning, of this length.
    name: Vec<u8>,
    folder_len: usize,
}

impl Names {
    fn new(list_folder: &Path) -> Self {
        Self {
            prefix: list_folder.join("").into_os_string().into_encoded_bytes(),
            list_folder: list_folder.to_owned(),
            folder: Vec::new(),
            name: Vec::new(),
            folder_len: 0,
        }
    }

    fn short<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        path.strip_prefix(&self.prefix[..]).unwrap_or(path)
    }

    /// The name of the file of this path. Files of one folder follow each other: what is the same for all
    /// of them is computed once.
    fn of(&mut self, path: &Path) -> &[u8] {
        let given = path.as_os_str().as_encoded_bytes();
        let file_at = memrchr(b'/', given).map_or(0, |at| at + 1);
        let (folder, file) = given.split_at(file_at);
        let is_simple = cfg!(unix) && !folder.is_empty() && !matches!(file, b"" | b"." | b"..");
        if !is_simple {
            self.folder.clear();
            self.name = self.short(&absolute(path)).to_owned();
            return &self.name;
        }
        if folder != self.folder {
            folder.clone_into(&mut self.folder);
            let with_file = absolute(path);
            let its_folder = &with_file[..with_file.len() - file.len()];
            self.name = self.short(its_folder).to_owned();
            self.folder_len = self.name.len();
        }
        self.name.truncate(self.folder_len);
        self.name.extend(file);
        &self.name
    }
}

fn absolute(path: &Path) -> Vec<u8> {
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.into_os_string().into_encoded_bytes()
}
