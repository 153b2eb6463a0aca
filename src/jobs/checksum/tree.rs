//! BLAKE3 of a large file on every core.
//!
//! BLAKE3 is a tree: the two halves of a file are hashed separately, then merged. Each thread reads
//! *and* hashes its own pieces, which stay in its cache in between; no data moves from one thread to
//! another.

use parking_lot::Mutex;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use blake3::Hasher;
use blake3::hazmat::{
    ChainingValue, HasherExt as _, Mode, left_subtree_len, merge_subtrees_non_root,
    merge_subtrees_root,
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::digest::{DigestMonitor, READ_BYTES, check_cancel, with_buffer};
use super::error::{Change, ChecksumError};
use super::source::{OpenFile, read_exact_at};
use crate::join::Priority;

/// The bytes that one thread reads and hashes before it takes other work.
const PIECE_LEN: u64 = 256 * 1024;

/// The bytes of a file that the threads work on at a time. Windows follow each other in file order, so
/// that a disk reads in one direction.
const WINDOW_LEN: u64 = 32 * 1024 * 1024;

/// The shortest file for which several threads are worth waking.
pub(super) const MIN_LEN: u64 = 4 * PIECE_LEN;

/// The digest of the whole source, at least [`MIN_LEN`] long, in hexadecimal digits.
pub(super) fn digest(
    source: &OpenFile,
    monitor: &dyn DigestMonitor,
) -> Result<String, ChecksumError> {
    let tree = Tree {
        source,
        monitor,
        done: AtomicU64::new(0),
        error: OnceLock::new(),
    };
    match (tree.children(0, source.len()), tree.error.into_inner()) {
        (Some((left, right)), None) => {
            let root = merge_subtrees_root(&left, &right, Mode::Hash);
            Ok(root.to_hex().to_string())
        }
        (_, Some(error)) => Err(error),
        (None, None) => unreachable!("a piece is skipped only after an error"),
    }
}

struct Tree<'a> {
    source: &'a OpenFile,
    monitor: &'a dyn DigestMonitor,
    done: AtomicU64,
    /// The first error; later pieces are skipped.
    error: OnceLock<ChecksumError>,
}

impl Tree<'_> {
    fn subtree(&self, start: u64, len: u64) -> Option<ChainingValue> {
        if len <= PIECE_LEN {
            return self.piece(start, len);
        }
        let (left, right) = self.children(start, len)?;
        Some(merge_subtrees_non_root(&left, &right, Mode::Hash))
    }

    fn children(&self, start: u64, len: u64) -> Option<(ChainingValue, ChainingValue)> {
        let left_len = left_subtree_len(len);
        let left = || self.subtree(start, left_len);
        let right = || self.subtree(start + left_len, len - left_len);
        if len > WINDOW_LEN {
            return Some((left()?, right()?));
        }
        let (left, right) = in_parallel(left, right);
        Some((left?, right?))
    }

    fn piece(&self, start: u64, len: u64) -> Option<ChainingValue> {
        if self.error.get().is_some() {
            return None;
        }
        match self.read_piece(start, len) {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.get_or_init(|| error);
                None
            }
        }
    }

    fn read_piece(&self, start: u64, len: u64) -> Result<ChainingValue, ChecksumError> {
        let mut hasher = Hasher::new();
        hasher.set_input_offset(start);
        let end = start + len;
        with_buffer(|buffer| {
            for at in (start..end).step_by(READ_BYTES) {
                check_cancel(self.source, self.monitor)?;
                let chunk_len = READ_BYTES.min(usize::try_from(end - at).unwrap_or(READ_BYTES));
                let chunk = &mut buffer[..chunk_len];
                self.read_chunk(chunk, at)?;
                hasher.update(chunk);
            }
            Ok(())
        })?;
        let done = self.done.fetch_add(len, Ordering::Relaxed) + len;
        self.monitor.did_read(done, self.source.len());
        Ok(hasher.finalize_non_root())
    }

    fn read_chunk(&self, chunk: &mut [u8], at: u64) -> Result<(), ChecksumError> {
        read_exact_at(self.source.file(), chunk, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.source.changed(Change::Shrank),
            _ => self.source.error(error),
        })
    }
}

/// Runs both, in parallel on the shared threads if no other file uses them now, else one after the
/// other here.
///
/// The threads serve one file at a time, because a rayon thread that waits for one half takes any
/// other work: with two files in one pool, the end of one could wait for the whole of the other.
fn in_parallel<A: Send, B: Send>(
    left: impl FnOnce() -> A + Send,
    right: impl FnOnce() -> B + Send,
) -> (A, B) {
    if rayon::current_thread_index().is_some() {
        return rayon::join(left, right);
    }
    let mut both = Some((left, right));
    let mut take = || both.take().expect("it runs once");
    let done = on_threads(|| {
        let (left, right) = take();
        rayon::join(left, right)
    });
    done.unwrap_or_else(|| {
        let (left, right) = take();
        (left(), right())
    })
}

/// Runs `work` on the shared threads. `None` if another file uses them now, or there are none.
pub(super) fn on_threads<R: Send>(work: impl FnOnce() -> R + Send) -> Option<R> {
    let priority = Priority::current();
    let mut threads = threads_of(priority).try_lock()?;
    if threads.is_none() {
        *threads = start_threads(priority);
    }
    Some(threads.as_ref()?.install(work))
}

/// Runs both, the second one on a shared thread beside this one, unless another file uses those now.
pub(in crate::jobs) fn side_by_side<A, B: Send>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> (A, B) {
    let priority = Priority::current();
    let threads = threads_of(priority).try_lock();
    let mut there = Some(there);
    let mut take = || there.take().expect("it runs once");
    if let Some(mut threads) = threads {
        if threads.is_none() {
            *threads = start_threads(priority);
        }
        if let Some(threads) = threads.as_ref() {
            let (mut result, there) = (None, take());
            let here = threads.in_place_scope(|scope| {
                scope.spawn(|_| result = Some(there()));
                here()
            });
            return (here, result.expect("the scope has ended"));
        }
    }
    (here(), take()())
}

/// The threads that hash for callers of this priority, once they are started.
fn threads_of(priority: Priority) -> &'static Mutex<Option<ThreadPool>> {
    static BACKGROUND: Mutex<Option<ThreadPool>> = Mutex::new(None);
    static NORMAL: Mutex<Option<ThreadPool>> = Mutex::new(None);
    if priority == Priority::Background {
        &BACKGROUND
    } else {
        &NORMAL
    }
}

/// Starts a thread for each core, at the priority of the caller. They live as long as the program and
/// sleep while there is nothing to hash. `None` with one core, or if the system refuses.
fn start_threads(priority: Priority) -> Option<ThreadPool> {
    let cores = crate::jobs::cores();
    if cores == 1 {
        return None;
    }
    ThreadPoolBuilder::new()
        .num_threads(cores)
        .thread_name(|index| format!("blake3-{index}"))
        .start_handler(move |_| priority.set_for_current_thread())
        .build()
        .ok()
}
