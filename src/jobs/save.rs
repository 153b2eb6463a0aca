//! Saving: a file is replaced as a whole or left as it was.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atomic_write_file::AtomicWriteFile;

use super::ItemError;

/// No save takes this long: a temporary file that is older belongs to a program that was killed.
const ABANDONED_AFTER: Duration = Duration::from_mins(10);

/// How many random letters and digits end the name of a temporary file.
const RANDOM_LEN: usize = 6;

/// How many names are tried for a file whose own is taken.
const MAX_NUMBER: u32 = 100_000;

/// Why a file could not be saved. What it held before is still there.
///
/// ```
/// use meanwhile::jobs::save::{SaveError, save};
///
/// let folder = tempfile::tempdir()?;
/// let refused = save(folder.path(), b"report");
/// assert!(matches!(refused, Err(SaveError::NotAFile { .. })));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The name is taken by something that must not be replaced, such as a folder or a device.
    #[error("{} is not a regular file, so it was left as it is; choose another name.", path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
    },
    /// There is no folder to save it in.
    #[error("{} can't be saved because its folder is not there; create the folder or choose another.", path.display())]
    NoFolder {
        /// The file that was to be saved.
        path: PathBuf,
    },
    /// The system refused: no permission, no space, an I/O error.
    #[error("{} can't be saved: {source}.", path.display())]
    Refused {
        /// The file that was to be saved.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl SaveError {
    /// What an I/O error of saving the file at `path` means to a person.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoFolder { path },
            _ => Self::Refused { path, source },
        }
    }
}

/// Makes `bytes` the contents of the file at `path`, which need not exist yet.
///
/// The bytes go into a temporary file beside it, down to the disk, and only then take the name:
/// whoever reads the file, also after a crash or a power cut, finds all of the old contents or all
/// of the new. Permissions of a file that is replaced are kept, and a link stays a link.
///
/// Blocks until the disk has the bytes, so call it off the UI thread.
///
/// ```
/// use meanwhile::jobs::save::save;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("report.txt");
/// save(&path, b"draft")?;
/// save(&path, b"final")?;
/// assert_eq!(std::fs::read(&path)?, b"final");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fails if the name is taken by a folder or a special file, if its folder is missing, or if the
/// system refuses. The file is then what it was.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        let path = path.to_owned();
        return Err(SaveError::NotAFile { path });
    }
    write(&target, bytes).map_err(|error| SaveError::from_io(path, error))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicWriteFile::open(path)?;
    file.write_all(bytes)?;
    // Some disks say only now that they are full, and only before `commit` is the temporary file
    // cleaned up.
    file.sync_all()?;
    file.commit()
}

/// A new file in the making: under a hidden name in its folder until it is kept, and gone if it
/// is not.
///
/// Other than [`save`] it never follows a link: what has its name is left alone, or goes away as a
/// name.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    temporary: PathBuf,
}

impl NewFile {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".meanwhile-{}-{number}", std::process::id());
            let temporary = folder.join(name);
            match File::create_new(&temporary) {
                Ok(file) => return Ok(Self { file, temporary }),
                // Left by a program that was killed and had our number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives the file its name, which nothing may have; otherwise the error is
    /// [`io::ErrorKind::AlreadyExists`].
    pub(super) fn keep(&self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        self.take(path)
    }

    /// Gives the file its name in the folder, or else one with the first number that is free.
    pub(super) fn keep_numbered(&self, folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        for number in 1..MAX_NUMBER {
            let path = folder.join(numbered(name, number));
            match self.take(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives the file its name, also where another file has it.
    pub(super) fn replace(&self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, path)
    }

    fn take(&self, path: &Path) -> io::Result<()> {
        match fs::hard_link(&self.temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // Some file systems have no links; there an empty file takes the name first, which
                // only a crash in between leaves behind.
                File::create_new(path)?;
                fs::rename(&self.temporary, path).inspect_err(|_| drop(fs::remove_file(path)))
            }
            taken => taken,
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Where it was renamed there is nothing any more.
        let _renamed = fs::remove_file(&self.temporary);
    }
}

/// The name itself for 1, then `name-2.ext` and so on.
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

/// Makes the folder that results are to be saved in, unless it is there.
pub(super) fn make_folder(path: &Path) -> Result<fs::Metadata, ItemError> {
    let made = fs::create_dir_all(path).and_then(|()| fs::metadata(path));
    made.map_err(|error| ItemError {
        kind: "no_folder".to_owned(),
        message: format!("Nothing can be saved in {}: {error}.", path.display()),
    })
}

/// Removes the temporary files that killed saves of the file at `path` left beside it, once they
/// are ten minutes old: a younger one may be another program's that saves right now.
///
/// For folders of our own only. Elsewhere a file of somebody else's could have such a name.
pub(crate) fn remove_abandoned(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let prefix = format!(".{}.", name.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name().to_string_lossy(), &prefix) && is_old(&entry) {
            // What can't be removed now is tried again with the next save.
            let _still_there = fs::remove_file(entry.path());
        }
    }
}

fn is_temporary(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|random| {
        random.len() == RANDOM_LEN && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified());
    let age = written.ok().and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age >= ABANDONED_AFTER)
}
