//! Atomic saving: a file is replaced as a whole or stays as it was.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atomic_write_file::AtomicWriteFile;

use super::ItemError;

/// No save takes this long, so an older temporary file belongs to a program that was killed.
const MAX_SAVE_TIME: Duration = Duration::from_mins(10);

/// The number of random letters and digits at the end of the name of a temporary file.
const RANDOM_LEN: usize = 6;

/// The number of numbered names that are tried for a file whose name exists.
const MAX_NUMBER: u32 = 100_000;

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
}

/// Makes `bytes` the contents of the file at `path`, which need not exist yet.
///
/// The bytes are written to a temporary file in the same folder and synced to the disk before that
/// file is renamed: a reader, even after a crash or a power cut, finds all of the old contents or all
/// of the new. The permissions of a replaced file are kept, and a link stays a link.
///
/// Blocks until the disk has the bytes, so do not call it on the UI thread.
///
/// # Errors
/// The name belongs to a folder or a special file, the folder does not exist, or the system refuses.
/// The file is then unchanged.
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
    // Some disks report only now that they are full, and the temporary file is removed only before
    // `commit`.
    file.sync_all()?;
    file.commit()
}

/// A new file with a hidden name in its folder, which is deleted on drop unless it is persisted.
///
/// Unlike [`save`] it never follows a link: a link that has its name is kept or replaced itself.
#[derive(Debug)]
pub(super) struct PendingFile {
    file: File,
    temporary: PathBuf,
}

impl PendingFile {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".meanwhile-{}-{number}", std::process::id());
            let temporary = folder.join(name);
            match File::create_new(&temporary) {
                Ok(file) => return Ok(Self { file, temporary }),
                // A program with the same process id left it when it was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives the file its name. Fails with [`io::ErrorKind::AlreadyExists`] if the name exists.
    pub(super) fn persist_new(&self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        self.claim(path)
    }

    /// Gives the file its name in the folder, or that name with the first free number.
    pub(super) fn persist_numbered(&self, folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        for number in 1..MAX_NUMBER {
            let path = folder.join(numbered(name, number));
            match self.claim(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives the file its name, and replaces a file that has it.
    pub(super) fn persist_over(&self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, path)
    }

    fn claim(&self, path: &Path) -> io::Result<()> {
        match fs::hard_link(&self.temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // This file system has no hard links. An empty file claims the name; only a crash
                // before the rename would leave it behind.
                File::create_new(path)?;
                fs::rename(&self.temporary, path).inspect_err(|_| drop(fs::remove_file(path)))
            }
            linked => linked,
        }
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        // This fails after a rename.
        fs::remove_file(&self.temporary).ok();
    }
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
    let prefix = format!(".{}.", name.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name().to_string_lossy(), &prefix) && is_old(&entry) {
            // The next save tries again.
            fs::remove_file(entry.path()).ok();
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
    age.is_some_and(|age| age >= MAX_SAVE_TIME)
}
