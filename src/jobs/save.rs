//! Saving: a file is replaced as a whole or left as it was.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use atomic_write_file::AtomicWriteFile;

/// No save takes this long: a temporary file that is older belongs to a program that was killed.
const ABANDONED_AFTER: Duration = Duration::from_mins(10);

/// How many random letters and digits end the name of a temporary file.
const RANDOM_LEN: usize = 6;

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
    fn from_io(path: &Path, source: io::Error) -> Self {
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
