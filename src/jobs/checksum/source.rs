use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::{Change, ChecksumError};

/// The coarsest step of the clock that stamps files (`CONFIG_HZ=100`), with room.
const CLOCK_STEP: Duration = Duration::from_millis(20);

/// A regular file that is open for reading, and how it looked when it was opened.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    path: PathBuf,
    stamp: Stamp,
}

impl Source {
    /// Opens a regular file without ever waiting for another process.
    pub(super) fn open(path: &Path) -> Result<Self, ChecksumError> {
        let (file, _) = open_regular(path)?;
        let stamp = settled_stamp(&file, path)?;
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

    /// Fails unless the file, and the file that now has its name, is what was opened.
    pub(super) fn check_unchanged(&self) -> Result<(), ChecksumError> {
        match fs::metadata(&self.path) {
            Ok(named) if identity(&named) == self.stamp.identity => {}
            Ok(_) => return Err(self.changed(Change::Replaced)),
            Err(_) => return Err(self.changed(Change::Vanished)),
        }
        let now = Stamp::of(&self.file.metadata().map_err(|error| self.error(error))?);
        if now != self.stamp {
            return Err(self.changed(self.stamp.change_to(&now)));
        }
        Ok(())
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

/// Opens a regular file without ever waiting for another process, and says what was opened.
pub(in crate::jobs) fn open_regular(path: &Path) -> Result<(File, Metadata), ChecksumError> {
    // Even a pipe that is opened without waiting lets its writer go on, and opening a device can do
    // things; so look first. What is looked at may be replaced before it is opened, hence
    // `open_without_waiting`, and the second look at what really was opened.
    let failed = |error| ChecksumError::from_io(path, error);
    let seen = fs::metadata(path).map_err(failed)?;
    reject_special(path, seen.file_type())?;
    let file = open_without_waiting(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    reject_special(path, opened.file_type())?;
    Ok((file, opened))
}

/// What changes whenever a file does.
///
/// Two gaps are known. A program that writes through a memory map may leave no stamp until the
/// system writes the page back; and a file system with coarse stamps (FAT: 2 s) hides two writes
/// within one step.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    identity: Identity,
    modified: Option<SystemTime>,
    /// The inode's own stamp, which no program can set back.
    inode_changed: Option<SystemTime>,
}

impl Stamp {
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

    /// How long until a write to the file is sure to get another stamp than this one.
    fn unsettled_for(&self) -> Option<Duration> {
        let age = SystemTime::now()
            .duration_since(self.inode_changed.or(self.modified)?)
            .ok()?;
        CLOCK_STEP.checked_sub(age).filter(|left| !left.is_zero())
    }
}

/// Stamps an open file, such that every later write changes the stamp.
///
/// The clock that stamps files ticks only every few milliseconds: a file that was written in the
/// current tick can be written again without a trace. So wait out the tick first.
fn settled_stamp(file: &File, path: &Path) -> Result<Stamp, ChecksumError> {
    let stamp = || -> Result<Stamp, ChecksumError> {
        let metadata = file
            .metadata()
            .map_err(|error| ChecksumError::from_io(path, error))?;
        reject_special(path, metadata.file_type())?;
        Ok(Stamp::of(&metadata))
    };
    let first = stamp()?;
    let Some(left) = first.unsettled_for() else {
        return Ok(first);
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "at most 20 ms on a worker, and no event tells that a clock has ticked"
    )]
    std::thread::sleep(left);
    let second = stamp()?;
    if first == second {
        return Ok(second);
    }
    Err(ChecksumError::Changed {
        path: path.to_owned(),
        change: first.change_to(&second),
    })
}

/// Refuses everything that is neither a regular file nor a link to one.
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
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
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

/// What tells a file or folder from every other.
#[cfg(unix)]
pub(in crate::jobs) type Identity = (u64, u64);

#[cfg(unix)]
pub(in crate::jobs) fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.dev(), metadata.ino())
}

/// Elsewhere the moment of creation has to do.
#[cfg(not(unix))]
pub(in crate::jobs) type Identity = Option<SystemTime>;

#[cfg(not(unix))]
pub(in crate::jobs) fn identity(metadata: &Metadata) -> Identity {
    metadata.created().ok()
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

/// Fills `buffer` from the byte `offset` on, whatever other threads read at the same time.
#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills `buffer` from the byte `offset` on, whatever other threads read at the same time.
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
