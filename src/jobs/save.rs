//! Atomic saving: a file is replaced as a whole or stays as it was.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{NamedTempFile, PersistError, TempPath};

use super::ItemError;
use super::item::is_file_limit;

/// No save takes this long, so an older temporary file belongs to a program that was killed.
const MAX_SAVE_TIME: Duration = Duration::from_mins(10);

/// The number of random letters and digits at the end of the name of a temporary file.
const RANDOM_LEN: usize = 6;

/// The number of links that are followed to a file, as on Linux.
const MAX_LINKS: usize = 40;

/// A file could not be saved. Its old contents are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The name belongs to something that must not be replaced, such as a folder or a device.
    #[error("{} is not a regular file, so it was not replaced; choose another name.", path.display())]
    NotAFile { path: PathBuf },
    /// The folder does not exist.
    #[error("{} can't be saved because its folder does not exist; create the folder or choose another.", path.display())]
    NoFolder { path: PathBuf },
    /// The system refused: no permission, no space, an I/O error.
    #[error("{} can't be saved: {source}.", path.display())]
    Refused { path: PathBuf, source: io::Error },
}

impl SaveError {
    /// Explains an I/O error of saving the file at `path`.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoFolder { path },
            _ => Self::Refused { path, source },
        }
    }

    /// The stable word for programs, as in [`ItemError::kind`](super::ItemError::kind).
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Refused { source, .. } if is_file_limit(source) => "too_many_open_files",
            _ => "not_saved",
        }
    }
}

/// Makes `bytes` the contents of the file at `path`, which need not exist yet.
///
/// The bytes are written to a temporary file in the same folder and synced to the disk before that
/// file is renamed: a reader, even after a crash or a power cut, finds all of the old contents or all
/// of the new. A replaced file keeps its permissions and, where the system allows it, its owner. A link
/// stays a link: the file that it leads to is replaced or created.
///
/// Blocks until the disk has the bytes, so do not call it on the UI thread.
///
/// # Errors
/// The name belongs to a folder or a special file, the folder does not exist, or the system refuses.
/// The file is then unchanged.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    save_with(path, |out| out.write_all(bytes))
}

/// The same for what `write` writes, piece by piece.
///
/// # Errors
/// Those of [`save`], and those of `write`. The file is then unchanged.
pub fn save_with(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), SaveError> {
    let old = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let path = path.to_owned();
            return Err(SaveError::NotAFile { path });
        }
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(SaveError::from_io(path, error)),
    };
    let target = follow_links(path).map_err(|error| SaveError::from_io(path, error))?;
    replace(&target, write, old.as_ref()).map_err(|error| SaveError::from_io(&target, error))
}

/// The path at the end of the links at `path`, whether or not there is a file.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_no_link) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links lead to it"))
}

fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    old: Option<&Metadata>,
) -> io::Result<()> {
    let folder = folder_of(path);
    let prefix = temporary_prefix(path.file_name().unwrap_or_default());
    let mut file = PendingFile::with_prefix(folder, &prefix)?;
    if let Some(old) = old {
        keep_owner(file.file.as_file(), old);
        file.file.as_file().set_permissions(old.permissions())?;
    }
    let mut out = BufWriter::new(file.file.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.persist_over(path)?;
    sync_folder(folder);
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    // Only root may give a file to another user. The file then belongs to the user who saved it.
    fchown(file, Some(old.uid()), Some(old.gid())).ok();
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _old: &Metadata) {}

/// Makes a rename in the folder survive a power cut. Where that is impossible, the old contents may
/// come back, which are whole as well.
#[cfg(unix)]
fn sync_folder(folder: &Path) {
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) {}

/// A new file with a hidden name in its folder, which is deleted on drop unless it is persisted.
///
/// Unlike [`save`] it never follows a link: a link that has its name is kept or replaced itself.
#[derive(Debug)]
pub(super) struct PendingFile {
    file: NamedTempFile,
}

impl PendingFile {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        Self::with_prefix(folder, OsStr::new(".meanwhile-"))
    }

    /// Its permissions are those of any new file.
    fn with_prefix(folder: &Path, prefix: &OsStr) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).rand_bytes(RANDOM_LEN);
        let file = builder.make_in(folder, |path| File::create_new(path))?;
        Ok(Self { file })
    }

    /// Takes over the file of this name, which is not deleted on drop.
    pub(super) fn adopt(file: File, path: &Path) -> io::Result<Self> {
        let mut path = TempPath::try_from_path(path)?;
        path.disable_cleanup(true);
        let file = NamedTempFile::from_parts(file, path);
        Ok(Self { file })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_file_mut().write_all(bytes)
    }

    pub(super) fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Gives the file this date, where the system allows it.
    pub(super) fn set_modified(&self, time: SystemTime) {
        // The contents are whole with any date.
        self.file.as_file().set_modified(time).ok();
    }

    /// Gives the file its name. Fails with [`io::ErrorKind::AlreadyExists`] if the name exists.
    pub(super) fn persist_new(self, path: &Path) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        Ok(claim(self.file, path)?)
    }

    /// Gives the file its name in the folder, or that name with a [free](first_free) number, from `from` on.
    pub(super) fn persist_numbered(
        self,
        folder: &Path,
        name: &OsStr,
        from: u32,
    ) -> io::Result<PathBuf> {
        self.file.as_file().sync_all()?;
        let path = |number| folder.join(numbered(name, number));
        let is_taken = |number| path(number).symlink_metadata().is_ok();
        let (mut file, mut from) = (self.file, from);
        while let Some(number) = first_free(from, is_taken) {
            match claim(file, &path(number)) {
                Ok(()) => return Ok(path(number)),
                // Another thread or program was quicker.
                Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = refused.file;
                    from = number.saturating_add(1);
                }
                Err(refused) => return Err(refused.error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives the file its name, and replaces a file that has it.
    pub(super) fn persist_over(self, path: &Path) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(path)?;
        Ok(())
    }
}

/// Renames the file unless the name exists.
fn claim(file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    match file.persist_noclobber(path) {
        Err(PersistError { error, file }) if error.kind() != io::ErrorKind::AlreadyExists => {
            // This file system has neither such a rename nor hard links. An empty file claims the
            // name; only a crash before the rename would leave it behind.
            if let Err(error) = File::create_new(path) {
                return Err(PersistError { error, file });
            }
            file.persist(path)
                .inspect_err(|_| drop(fs::remove_file(path)))?;
            Ok(())
        }
        claimed => claimed.map(drop),
    }
}

/// The number, from `from` on, after the taken ones; if these have gaps, possibly one in a gap. `None`
/// where all are taken.
///
/// It asks about two numbers each time that the taken ones double, so that thousands of files of one
/// name don't take millions of questions.
pub(super) fn first_free(from: u32, is_taken: impl Fn(u32) -> bool) -> Option<u32> {
    if !is_taken(from) {
        return Some(from);
    }
    let (mut taken, mut step) = (from, 1);
    let mut free = loop {
        let next = taken.checked_add(step)?;
        if !is_taken(next) {
            break next;
        }
        (taken, step) = (next, step.saturating_mul(2));
    };
    while free - taken > 1 {
        let middle = taken + (free - taken) / 2;
        if is_taken(middle) {
            taken = middle;
        } else {
            free = middle;
        }
    }
    Some(free)
}

/// The name itself for 1, `name-2.ext` for 2 and so on.
pub(super) fn numbered(name: &OsStr, number: u32) -> OsString {
    if number == 1 {
        return name.to_owned();
    }
    let path = Path::new(name);
    let mut numbered = path.file_stem().unwrap_or(name).to_owned();
    numbered.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        numbered.push(".");
        numbered.push(extension);
    }
    numbered
}

/// Creates the folder for results unless it exists. Returns its metadata.
pub(super) fn create_folder(path: &Path) -> Result<fs::Metadata, ItemError> {
    let created = fs::create_dir_all(path).and_then(|()| fs::metadata(path));
    created.map_err(|error| {
        let message = format!("Nothing can be saved in {}: {error}.", path.display());
        ItemError::new("no_folder", message)
    })
}

/// Removes temporary files that killed saves of the file at `path` left in its folder, if they are
/// ten minutes old: another program may be writing a younger one.
///
/// Only for folders of this program. In others, such a name could belong to a file of the user.
pub(crate) fn remove_abandoned(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let prefix = temporary_prefix(name);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name(), &prefix) && is_old(&entry) {
            // The next save tries again.
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// The name of a temporary file of [`save`], without its random end.
fn temporary_prefix(name: &OsStr) -> OsString {
    [OsStr::new("."), name, OsStr::new(".")]
        .into_iter()
        .collect()
}

fn is_temporary(name: &OsStr, prefix: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.strip_prefix(prefix.as_encoded_bytes())
        .is_some_and(|random| {
            random.len() == RANDOM_LEN && random.iter().all(u8::is_ascii_alphanumeric)
        })
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified());
    let age = written.ok().and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age >= MAX_SAVE_TIME)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Counts the questions about names that are asked until a file of every number is saved.
    fn questions(files: u32) -> u32 {
        let asked = Cell::new(0);
        for taken in 0..files {
            let is_taken = |number| {
                asked.set(asked.get() + 1);
                number <= taken
            };
            assert_eq!(first_free(1, is_taken), Some(taken + 1));
        }
        asked.get()
    }

    #[test]
    fn files_of_one_name_take_few_questions_each() {
        let (few, many) = (questions(1_000) / 1_000, questions(16_000) / 16_000);
        assert!(few <= 24 && many <= few + 8, "{few}, {many}");
    }

    #[test]
    fn free_number_is_free_whatever_is_taken() {
        for taken in 0_u32..1 << 10 {
            let is_taken = |number: u32| number < 10 && taken & (1 << number) != 0;
            let free = first_free(1, is_taken).unwrap();
            assert!(!is_taken(free), "{free} of {taken:b}");
        }
        assert_eq!(first_free(1, |_| true), None);
        assert_eq!(first_free(u32::MAX, |_| true), None);
    }
}
