//! What the list says of each file, found by the path of the file.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::path::{self, Path, PathBuf};

use memchr::memrchr;

use super::list::Entry;
use super::own_form::{OwnLine, Stamp};
use crate::jobs::checksum::name_of;

/// The files of a list.
pub(super) struct KnownFiles<'a> {
    by_name: HashMap<Cow<'a, [u8]>, Known<'a>>,
    names: Names,
}

struct Known<'a> {
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
        let said = lines.into_iter().map(|line| {
            let name = match line.name {
                Cow::Borrowed(name) => Cow::Borrowed(names.short(name)),
                Cow::Owned(name) => Cow::Owned(names.short(&name).to_owned()),
            };
            let (digest, stamp) = (line.digest, line.stamp);
            (name, Says::Line { digest, stamp })
        });
        Self {
            by_name: by_name(said),
            names,
        }
    }

    /// Those of a list in `folder`, which is absolute.
    pub(super) fn of_entries(entries: Vec<Entry>, folder: &Path) -> Self {
        let names = Names::new(folder);
        let said = entries.into_iter().map(|entry| {
            let path = entry.path.as_os_str().as_encoded_bytes();
            let name = Cow::Owned(names.short(path).to_owned());
            (name, Says::Entry(Box::new(entry)))
        });
        Self {
            by_name: by_name(said),
            names,
        }
    }

    /// The file of this path, if the list has it.
    pub(super) fn find(&mut self, path: &Path) -> Option<KnownFile<'_>> {
        let name = self.names.of(path);
        let (name, known) = self.by_name.get_key_value(name)?;
        Some(KnownFile {
            name,
            known,
            names: &self.names,
        })
    }

    /// Those that were not found, by path.
    pub(super) fn into_unseen(self) -> Vec<Entry> {
        let unseen = self.by_name.iter().filter(|(_, it)| !it.is_found.get());
        let mut entries: Vec<_> = unseen
            .map(|(name, known)| known.says.entry(name, &self.names))
            .collect();
        entries.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        entries
    }
}

fn by_name<'a>(
    said: impl Iterator<Item = (Cow<'a, [u8]>, Says<'a>)>,
) -> HashMap<Cow<'a, [u8]>, Known<'a>> {
    let known = |says| Known {
        says,
        is_found: Cell::new(false),
    };
    said.map(|(name, says)| (name, known(says))).collect()
}

/// A file that the list has.
pub(super) struct KnownFile<'a> {
    name: &'a [u8],
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
        self.known.says.entry(self.name, self.names)
    }
}

impl Says<'_> {
    fn entry(&self, name: &[u8], names: &Names) -> Entry {
        match self {
            Self::Line { digest, stamp } => entry_of(name, digest, stamp, &names.list_folder),
            Self::Entry(entry) => (**entry).clone(),
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
