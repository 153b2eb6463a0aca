//! Saving: a file is replaced as a whole or left as it was.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

/// Why a file could not be saved. What it held before is still there.
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
