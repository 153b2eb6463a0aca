//! The digest of one file: read in chunks, watched, and only given out if the file stood still.
//!
//! A file is read into memory and never mapped: a mapped file that shrinks ends the program with
//! `SIGBUS`, a file that is read just comes up short, which is an error of that file.

use std::cell::RefCell;
use std::io::{self, Read as _};
use std::path::Path;

use super::algorithm::{Algorithm, Hasher};
use super::error::{Change, ChecksumError};
use super::source::Source;
use super::{Checksum, tree};
use crate::join::Context;

/// How much is read at once. It stays in the core's own cache between reading and hashing: twice as
/// much makes reading four times as dear.
pub(super) const CHUNK_LEN: usize = 64 * 1024;

/// Who wants to know how far a digest is, and may want it to stop.
///
/// Both are asked for every chunk, from several threads at once where the algorithm uses several.
///
/// ```
/// use meanwhile::jobs::checksum::{Algorithm, Watch, digest_file};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[derive(Default)]
/// struct Percent(AtomicU64);
///
/// impl Watch for Percent {
///     fn did_read(&self, done: u64, total: u64) {
///         self.0.store(100 * done / total.max(1), Ordering::Relaxed);
///     }
///
///     fn is_cancelled(&self) -> bool {
///         false
///     }
/// }
///
/// let file = tempfile::NamedTempFile::new()?;
/// std::fs::write(file.path(), "abc")?;
/// let percent = Percent::default();
/// digest_file(file.path(), Algorithm::Md5, &percent)?;
/// assert_eq!(percent.0.into_inner(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Watch: Sync {
    /// `done` of `total` bytes are hashed.
    fn did_read(&self, done: u64, total: u64);

    /// Whether to stop.
    fn is_cancelled(&self) -> bool;
}

impl Watch for Context {
    fn did_read(&self, done: u64, total: u64) {
        self.set_progress(done, total);
    }

    fn is_cancelled(&self) -> bool {
        Self::is_cancelled(self)
    }
}

/// Computes the checksum of the regular file at `path`, following links.
///
/// A big file takes every core where the algorithm can ([`Algorithm::Blake3`]).
///
/// A task's [`Context`] watches for a task:
///
/// ```
/// use meanwhile::jobs::checksum::{Algorithm, digest_file};
/// use meanwhile::join;
///
/// let file = tempfile::NamedTempFile::new()?;
/// std::fs::write(file.path(), "abc")?;
/// let path = file.path().to_owned();
/// let task = join::spawn("md5", move |context| digest_file(&path, Algorithm::Md5, context))?;
/// let checksum = task.join()?.as_ref().map_err(|error| error.to_string())?;
/// assert_eq!(checksum.digest, "900150983cd24fb0d6963f7d28e17f72");
/// assert_eq!((checksum.bytes, task.progress().done), (3, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fails if the file is not there, is not a regular file (found out without waiting for it), can't
/// be read, or did not stay the same until the end: what comes back is the digest of one state of
/// the file, never of a mixture. Fails with [`ChecksumError::Cancelled`] if `watch` says so.
pub fn digest_file(
    path: &Path,
    algorithm: Algorithm,
    watch: &dyn Watch,
) -> Result<Checksum, ChecksumError> {
    let source = Source::open(path)?;
    let (digest, bytes) = if algorithm == Algorithm::Blake3 && source.len() >= tree::MIN_LEN {
        (tree::digest(&source, watch)?, source.len())
    } else {
        stream(&source, algorithm, watch)?
    };
    source.check_unchanged()?;
    watch.did_read(bytes, bytes);
    Ok(Checksum {
        algorithm,
        digest,
        bytes,
        verified: false,
    })
}

fn stream(
    source: &Source,
    algorithm: Algorithm,
    watch: &dyn Watch,
) -> Result<(String, u64), ChecksumError> {
    let mut hasher = Hasher::new(algorithm);
    let mut done = 0;
    with_buffer(|buffer| {
        loop {
            check_cancel(source, watch)?;
            match source.file().read(buffer) {
                Ok(0) => break,
                Ok(n) => {
                    done += n as u64;
                    check_length(source, done)?;
                    hasher.update(&buffer[..n]);
                    watch.did_read(done, source.len());
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
    Ok((hasher.finish(), done))
}

pub(super) fn check_cancel(source: &Source, watch: &dyn Watch) -> Result<(), ChecksumError> {
    if watch.is_cancelled() {
        let path = source.path().to_owned();
        return Err(ChecksumError::Cancelled { path });
    }
    Ok(())
}

/// A file that is written faster than it is read must not be read for ever.
fn check_length(source: &Source, done: u64) -> Result<(), ChecksumError> {
    if done <= source.len() {
        return Ok(());
    }
    let len = source
        .file()
        .metadata()
        .map_err(|error| source.error(error))?
        .len();
    // The files of /proc have contents, and say that their length is 0.
    if source.len() == 0 && len == 0 {
        return Ok(());
    }
    Err(source.changed(Change::Grew))
}

/// Lends this thread's buffer of [`CHUNK_LEN`] bytes, so that a hundred thousand small files don't
/// ask for as many.
pub(super) fn with_buffer<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(CHUNK_LEN, 0);
        work(buffer)
    })
}
