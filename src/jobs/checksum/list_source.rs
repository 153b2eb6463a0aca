//! Where a list comes from: a file, a pipe or standard input.

use std::fs::{self, File, FileType};
use std::io::{self, BufRead, Read};
use std::path::Path;

use super::{ChecksumError, open_regular};
use crate::join::Context;

/// Fits the longest path, escaped, and the longest digest; no list has a longer line.
pub(in crate::jobs) const MAX_LINE_LEN: usize = 16 * 1024;

/// The name of standard input where a list is read.
pub(in crate::jobs) const STDIN: &str = "-";

/// Whether this is standard input and no file.
pub(in crate::jobs) fn is_stdin(list: &Path) -> bool {
    list.as_os_str() == STDIN
}

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
        return Ok(Box::new(stdin(context).map_err(failed)?));
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

/// Another handle of standard input.
#[cfg(unix)]
fn stdin(context: &Context) -> io::Result<Cancellable<'_>> {
    use std::os::fd::AsFd as _;

    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    Ok(Cancellable { file, context })
}

#[cfg(windows)]
fn stdin(context: &Context) -> io::Result<Cancellable<'_>> {
    use std::os::windows::io::AsHandle as _;

    let file = File::from(io::stdin().as_handle().try_clone_to_owned()?);
    Ok(Cancellable { file, context })
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
