//! Where a list comes from: a file, a pipe or standard input.

use std::fs::{self, File, FileType};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use super::{ChecksumError, open_regular};
use crate::jobs::stdin::{self, is_stdin};
use crate::join::Context;

/// Fits the longest path, escaped, and the longest digest; no list has a longer line.
pub(in crate::jobs) const MAX_LINE_LEN: usize = 16 * 1024;

/// Opens a list: a regular file, a pipe that somebody writes, or standard input if it is called `-`.
///
/// While nothing arrives on a pipe, a cancel of the task ends the reading.
///
/// # Errors
/// It can't be read, or is a folder or a device.
pub(in crate::jobs) fn open_list<'a>(
    list: &Path,
    context: &'a Context,
) -> Result<Box<dyn Read + 'a>, ChecksumError> {
    let failed = |error| ChecksumError::from_io(list, error);
    if is_stdin(list) {
        return Ok(Box::new(open_stdin(context)?));
    }
    let named = fs::metadata(list).map_err(failed)?;
    if is_pipe(named.file_type()) {
        let pipe = open_pipe(list).map_err(failed)?;
        return Ok(Box::new(Cancellable {
            file: pipe,
            context,
        }));
    }
    Ok(Box::new(open_regular(list)?.0))
}

/// Reads a line with its line end into `line`, up to one byte more than a list may have. Returns
/// false at the end of the file.
pub(in crate::jobs) fn read_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    line.clear();
    // One more byte, and one for the line end.
    let limit = MAX_LINE_LEN as u64 + 2;
    Ok(reader.take(limit).read_until(b'\n', line)? > 0)
}

/// A file that may have nothing to read for long.
struct Cancellable<'a> {
    file: File,
    context: &'a Context,
}

#[cfg(unix)]
impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.wait()?;
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}

#[cfg(unix)]
impl Cancellable<'_> {
    /// Waits until there is something to read or will never be. A cancel is an error.
    ///
    /// A pipe that nobody has opened for writing yet is not at its end.
    fn wait(&self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use rustix::io::Errno;

        /// A cancel takes effect after at most this long.
        const STEP: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };

        loop {
            self.context.check()?;
            let mut ready = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut ready, Some(&STEP)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(not(unix))]
impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.check()?;
        self.file.read(buffer)
    }
}

/// Standard input, whose reading a cancel ends.
pub(super) fn open_stdin(context: &Context) -> Result<impl Read, ChecksumError> {
    let file = stdin::open().map_err(|error| ChecksumError::from_io(Path::new("-"), error))?;
    Ok(Cancellable { file, context })
}

/// The folder in which the names of a list begin; `None` if that is the current one, because the list is standard
/// input or an open file of this process, such as `/dev/stdin` or what `<(…)` of a shell becomes.
pub(in crate::jobs) fn folder_of(list: &Path) -> Option<PathBuf> {
    let is_of_process = list.starts_with("/dev") || list.starts_with("/proc");
    (!is_stdin(list) && !is_of_process).then(|| list.with_file_name(""))
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    kind.is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_kind: FileType) -> bool {
    false
}

/// Opens a pipe without waiting for somebody who writes it.
#[cfg(unix)]
fn open_pipe(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

#[cfg(not(unix))]
fn open_pipe(path: &Path) -> io::Result<File> {
    File::open(path)
}
