//! The digest of one file, which is read in chunks. A file that changes meanwhile has none.
//!
//! Files are read and never mapped: a mapped file that shrinks kills the program with `SIGBUS`,
//! while reading it is an error of that file.

use std::cell::RefCell;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::SystemTime;

use super::error::{Change, ChecksumError};
use super::hasher::Hasher;
use super::list_source::open_stdin;
use super::source::OpenFile;
use super::{Algorithm, Checksum, DigestKind, side_by_side, tree};
use crate::join::Context;

/// The bytes of one read. They stay in the core's own cache between reading and hashing: doubling it
/// quadruples the cost of reading.
pub(super) const READ_BYTES: usize = 64 * 1024;

/// Whether a file of this length is read at once. The files of /proc have contents, but a length of 0.
pub(in crate::jobs) fn is_short_file(len: u64) -> bool {
    (1..=READ_BYTES as u64).contains(&len)
}

/// Follows the computation of a digest and may cancel it.
///
/// Both functions are called for every chunk, from several threads at once if the algorithm uses
/// several.
pub trait DigestMonitor: Sync {
    /// `done` of `total` bytes have been hashed.
    fn did_read(&self, done: u64, total: u64);

    /// Whether to stop with [`ChecksumError::Cancelled`].
    fn is_cancelled(&self) -> bool;
}

impl DigestMonitor for Context {
    fn did_read(&self, done: u64, total: u64) {
        self.set_progress(done, total);
    }

    fn is_cancelled(&self) -> bool {
        Self::is_cancelled(self)
    }
}

/// Computes the checksum of the regular file at `path`, following links.
///
/// [`Algorithm::Blake3`] uses every core for a large file.
///
/// # Errors
/// The file does not exist, is not a regular file (checked without blocking), can't be read, or
/// changed before the end: the digest is of one state of the file, never of a mixture. Fails with
/// [`ChecksumError::Cancelled`] if `monitor` cancels it.
pub fn digest_file(
    path: &Path,
    kind: impl Into<DigestKind>,
    monitor: &dyn DigestMonitor,
) -> Result<Checksum, ChecksumError> {
    Checksum::of_file(path, &[kind.into()], monitor)
}

/// The digests of one state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigests {
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The time of the last change of its content, where the system knows it.
    pub modified: Option<SystemTime>,
    /// The digests in lower-case hexadecimal digits, in the order in which they were asked for.
    pub digests: Vec<String>,
}

/// Computes several digests of the regular file at `path`, following links. The file is read once; if it is
/// large, the digests are computed side by side.
///
/// # Errors
/// As [`digest_file`].
pub fn digests_of_file(
    path: &Path,
    kinds: &[DigestKind],
    monitor: &dyn DigestMonitor,
) -> Result<FileDigests, ChecksumError> {
    let source = OpenFile::open(path)?;
    let is_large = source.len() >= tree::MIN_LEN;
    let digests = match kinds {
        [kind] if is_large && *kind == Algorithm::Blake3.into() => FileDigests {
            bytes: source.len(),
            modified: source.modified(),
            digests: vec![tree::digest(&source, monitor)?],
        },
        kinds if is_large && kinds.len() > 1 => {
            match side_by_side::digests(&source, kinds, monitor) {
                Some(digests) => digests?,
                None => stream(&source, kinds, monitor)?,
            }
        }
        kinds => stream(&source, kinds, monitor)?,
    };
    if is_short_file(source.len()) {
        source.check_unchanged_at_once()?;
    } else {
        source.check_unchanged()?;
    }
    monitor.did_read(digests.bytes, digests.bytes);
    Ok(digests)
}

/// The digests of what arrives on standard input, up to its end. A cancel is an error.
pub(in crate::jobs) fn digests_of_stdin(
    kinds: &[DigestKind],
    context: &Context,
) -> Result<FileDigests, ChecksumError> {
    let mut source = open_stdin(context)?;
    let mut hashers: Vec<_> = kinds.iter().copied().map(Hasher::new).collect();
    let mut bytes = 0;
    with_buffer(|buffer| {
        loop {
            match source.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => {
                    bytes += n as u64;
                    for hasher in &mut hashers {
                        hasher.update(&buffer[..n]);
                    }
                    context.set_progress(bytes, 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ChecksumError::from_io(Path::new("-"), error)),
            }
        }
    })?;
    Ok(FileDigests {
        bytes,
        modified: None,
        digests: hashers.into_iter().map(Hasher::finish).collect(),
    })
}

fn stream(
    source: &OpenFile,
    kinds: &[DigestKind],
    monitor: &dyn DigestMonitor,
) -> Result<FileDigests, ChecksumError> {
    let mut hashers: Vec<_> = kinds.iter().copied().map(Hasher::new).collect();
    let mut done = 0;
    with_buffer(|buffer| {
        // The end of a file of known length needs no read of its own: a later one would have another
        // stamp. The files of /proc have contents, but a length of 0.
        while source.len() == 0 || done < source.len() {
            check_cancel(source, monitor)?;
            match source.file().read(buffer) {
                Ok(0) => break,
                Ok(n) => {
                    done += n as u64;
                    check_length(source, done)?;
                    for hasher in &mut hashers {
                        hasher.update(&buffer[..n]);
                    }
                    monitor.did_read(done, source.len());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(source.error(error)),
            }
        }
        Ok(())
    })?;
    if done < source.len() {
        return Err(source.changed(Change::Shrank));
    }
    Ok(FileDigests {
        bytes: done,
        modified: source.modified(),
        digests: hashers.into_iter().map(Hasher::finish).collect(),
    })
}

pub(super) fn check_cancel(
    source: &OpenFile,
    monitor: &dyn DigestMonitor,
) -> Result<(), ChecksumError> {
    if monitor.is_cancelled() {
        let path = source.path().to_owned();
        return Err(ChecksumError::Cancelled { path });
    }
    Ok(())
}

/// Keeps a file that grows as fast as it is read from being read forever.
fn check_length(source: &OpenFile, done: u64) -> Result<(), ChecksumError> {
    if done <= source.len() {
        return Ok(());
    }
    let len = source
        .file()
        .metadata()
        .map_err(|error| source.error(error))?
        .len();
    // The files of /proc have contents, but a length of 0.
    if source.len() == 0 && len == 0 {
        return Ok(());
    }
    Err(source.changed(Change::Grew))
}

/// Runs `work` with this thread's buffer of [`READ_BYTES`] bytes, so that a hundred thousand small
/// files don't allocate as many.
pub(super) fn with_buffer<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(READ_BYTES, 0);
        work(buffer)
    })
}
