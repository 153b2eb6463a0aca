use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::{Change, ChecksumError};
use crate::jobs::identity::{FileIdentity, identity};

/// More than the coarsest step of the clock that stamps files (10 ms with `CONFIG_HZ=100`).
const CLOCK_STEP: Duration = Duration::from_millis(20);

/// A regular file that is open for reading, with its state at that time.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    path: PathBuf,
    stamp: FileStamp,
}

impl OpenFile {
    /// Opens a regular file without ever blocking on another process.
    pub(super) fn open(path: &Path) -> Result<Self, ChecksumError> {
        let (file, metadata) = open_regular(path)?;
        let stamp = settled_stamp(&file, path, &metadata)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            stamp,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The length in bytes when the file was opened.
    pub(super) fn len(&self) -> u64 {
        self.stamp.len
    }

    /// The time of the last change of its content, when it was opened.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.stamp.modified
    }

    /// Fails if the file has changed since it was opened, or if its name belongs to another file now.
    pub(super) fn check_unchanged(&self) -> Result<(), ChecksumError> {
        let Ok(named) = fs::metadata(&self.path) else {
            return Err(self.changed(Change::Vanished));
        };
        // The name leads to the open file if the identity is the same, so one question answers both.
        let now = FileStamp::of(&named);
        if now.identity != self.stamp.identity {
            Err(self.changed(Change::Replaced))
        } else if now != self.stamp {
            Err(self.changed(self.stamp.change_to(&now)))
        } else {
            Ok(())
        }
    }

    /// As [`check_unchanged`](Self::check_unchanged), for a file that was read at once after it was opened.
    ///
    /// Its name led to it then, and a name that leads elsewhere by now might as well do so a moment later.
    /// So the name is asked only to say what has happened: whatever happens to a name of a file changes
    /// the stamp of that file, too, and the open file is asked at a third of the cost.
    #[cfg(unix)]
    pub(super) fn check_unchanged_at_once(&self) -> Result<(), ChecksumError> {
        let opened = self.file.metadata().map_err(|error| self.error(error))?;
        let now = FileStamp::of(&opened);
        if now == self.stamp {
            return Ok(());
        }
        self.check_unchanged()?;
        Err(self.changed(self.stamp.change_to(&now)))
    }

    /// A file that is open has no stamp there that its names change.
    #[cfg(not(unix))]
    pub(super) fn check_unchanged_at_once(&self) -> Result<(), ChecksumError> {
        self.check_unchanged()
    }

    pub(super) fn changed(&self, change: Change) -> ChecksumError {
        ChecksumError::Changed {
            path: self.path.clone(),
            change,
        }
    }

    pub(super) fn error(&self, source: io::Error) -> ChecksumError {
        ChecksumError::from_io(&self.path, source)
    }
}

/// Opens a regular file without ever blocking on another process. Returns the metadata of the opened
/// file.
pub(in crate::jobs) fn open_regular(path: &Path) -> Result<(File, Metadata), ChecksumError> {
    // Opening a pipe unblocks its writer, and opening a device can have effects, so check first. The
    // file may be replaced between the check and the opening, so open it without blocking and check
    // the opened file again.
    let failed = |error| ChecksumError::from_io(path, error);
    let named = fs::metadata(path).map_err(failed)?;
    reject_special(path, named.file_type())?;
    let file = open_nonblocking(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    reject_special(path, opened.file_type())?;
    Ok((file, opened))
}

/// Metadata that changes whenever a file does.
///
/// There are two known gaps. A write through a memory map may not change the stamp until the system
/// writes the page back. A file system with coarse stamps (FAT: 2 s) hides two writes within one
/// step.
#[derive(Debug, PartialEq, Eq)]
struct FileStamp {
    len: u64,
    identity: FileIdentity,
    modified: Option<SystemTime>,
    /// The inode's change time, which no program can set back.
    inode_changed: Option<SystemTime>,
}

impl FileStamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            identity: identity(metadata),
            modified: metadata.modified().ok(),
            inode_changed: inode_changed(metadata),
        }
    }

    fn change_to(&self, now: &Self) -> Change {
        match now.len.cmp(&self.len) {
            std::cmp::Ordering::Less => Change::Shrank,
            std::cmp::Ordering::Greater => Change::Grew,
            std::cmp::Ordering::Equal => Change::Written,
        }
    }

    /// The time until every write to the file gets another stamp than this one.
    fn unsettled_for(&self) -> Option<Duration> {
        let age = SystemTime::now()
            .duration_since(self.inode_changed.or(self.modified)?)
            .ok()?;
        CLOCK_STEP.checked_sub(age).filter(|left| !left.is_zero())
    }
}

/// Takes a stamp of an open file that every later write will change.
///
/// The clock that stamps files ticks only every few milliseconds: a file that was written during the
/// current tick can be written again without a trace. So this waits for the end of the tick.
fn settled_stamp(file: &File, path: &Path, opened: &Metadata) -> Result<FileStamp, ChecksumError> {
    let first = FileStamp::of(opened);
    let Some(left) = first.unsettled_for() else {
        return Ok(first);
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "at most 20 ms on a worker, and no event marks the tick of a clock"
    )]
    std::thread::sleep(left);
    let metadata = file
        .metadata()
        .map_err(|error| ChecksumError::from_io(path, error))?;
    let second = FileStamp::of(&metadata);
    if first == second {
        return Ok(second);
    }
    Err(ChecksumError::Changed {
        path: path.to_owned(),
        change: first.change_to(&second),
    })
}

/// Fails unless the file is regular.
pub(super) fn reject_special(path: &Path, kind: FileType) -> Result<(), ChecksumError> {
    let path = path.to_owned();
    if kind.is_file() {
        Ok(())
    } else if kind.is_dir() {
        Err(ChecksumError::Folder { path })
    } else {
        let what = special_kind(kind);
        Err(ChecksumError::SpecialFile { path, what })
    }
}

#[cfg(unix)]
fn open_nonblocking(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

#[cfg(not(unix))]
fn open_nonblocking(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn special_kind(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;

    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special_kind(_kind: FileType) -> &'static str {
    "a special file"
}

#[cfg(unix)]
fn inode_changed(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;

    let secs = u64::try_from(metadata.ctime()).ok()?;
    let nanos = u32::try_from(metadata.ctime_nsec()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(secs, nanos))
}

#[cfg(not(unix))]
fn inode_changed(_metadata: &Metadata) -> Option<SystemTime> {
    None
}

/// Fills `buffer` from the byte `offset` on. Other threads may read at the same time.
#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills `buffer` from the byte `offset` on. Other threads may read at the same time.
#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        let at = offset + filled as u64;
        match std::os::windows::fs::FileExt::seek_read(file, &mut buffer[filled..], at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    Ok(())
}
