//! The captured output of a process: the last bytes of each stream.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::super::parking::pause;
use super::super::sync::{current_thread, lock};
use super::super::token::CancelToken;
use super::super::waiters::Waiter;

/// One of the two output streams of a process. There is no third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The captured output of a process so far.
///
/// ```
/// use meanwhile_join::process::Builder;
///
/// let shell = Builder::new("sh").args(["-c", "echo done; echo 'no colour' >&2"]).spawn()?;
/// shell.join()?;
/// let output = shell.output();
/// assert_eq!(output.stdout.text(), "done\n");
/// assert_eq!(output.stderr.last_lines(1), "no colour");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Output {
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
}

/// The last bytes of one stream, and the number of all its bytes.
///
/// ```
/// use meanwhile_join::process::Builder;
///
/// let numbers = Builder::new("seq").arg("1000").output_limit(9).spawn()?;
/// numbers.join()?;
/// let stdout = numbers.output().stdout;
/// assert_eq!(stdout.text(), "999\n1000\n");
/// assert_eq!(stdout.last_lines(1), "1000");
/// assert_eq!((stdout.total, stdout.dropped), (3893, 3884));
/// assert!(!stdout.is_open);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Captured {
    /// The requested bytes, as far as they were kept.
    pub bytes: Vec<u8>,
    /// The number of bytes of the stream before [`bytes`](Self::bytes).
    pub offset: u64,
    /// The number of bytes that were asked for and not kept, because they exceeded the limit.
    pub dropped: u64,
    /// The number of bytes that the stream carried in total.
    /// [`Process::written`](super::Process::written) returns it without the bytes.
    pub total: u64,
    /// Whether a process can still write to the stream. After the end of the process this means
    /// that a descendant holds the stream.
    pub is_open: bool,
}

impl Captured {
    /// Returns the bytes as text. Invalid UTF-8 becomes U+FFFD. If bytes before them were dropped,
    /// the text begins with the first whole character.
    pub fn text(&self) -> Cow<'_, str> {
        let cut = if self.dropped > 0 {
            rest_of_character(&self.bytes)
        } else {
            0
        };
        String::from_utf8_lossy(&self.bytes[cut..])
    }

    /// Returns the last `count` lines as text, without trailing newlines.
    pub fn last_lines(&self, count: usize) -> String {
        let text = self.text();
        let text = text.trim_end_matches(['\n', '\r']);
        let mut lines: Vec<&str> = text.rsplit('\n').take(count).collect();
        lines.reverse();
        lines.join("\n")
    }
}

/// Returns the number of bytes at the beginning that belong to a character before them.
fn rest_of_character(bytes: &[u8]) -> usize {
    const MAX_REST: usize = 3;
    let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    bytes.iter().take(MAX_REST).take_while(continues).count()
}

/// A stream that is being read into a ring buffer.
pub(super) struct StreamCapture {
    limit: usize,
    ring: Mutex<RingBuffer>,
}

#[derive(Default)]
struct RingBuffer {
    tail: VecDeque<u8>,
    total: u64,
    /// The bytes before those that a reader has not taken yet, which are kept until it takes them;
    /// `None` if there is no reader.
    taken: Option<u64>,
    /// The source; `None` when no process can write to it any more.
    pipe: Option<Arc<OwnedFd>>,
    /// Those that wait for a byte that has not come yet, or for the end of the stream. They are taken
    /// under the lock under which it comes, so none is woken for bytes that it has seen.
    waiters: BTreeMap<u64, Waiter>,
    next_ticket: u64,
}

impl StreamCapture {
    /// Keeps the last `limit` bytes of `pipe`, which must be non-blocking, and with a reader all that
    /// it has not taken. Without a pipe it captures no bytes.
    pub(super) fn new(limit: usize, pipe: Option<Arc<OwnedFd>>, has_reader: bool) -> Self {
        Self {
            limit,
            ring: Mutex::new(RingBuffer {
                pipe,
                taken: has_reader.then_some(0),
                ..RingBuffer::default()
            }),
        }
    }

    /// Returns the number of bytes that should be read at most before a reader takes some.
    pub(super) fn room(&self) -> usize {
        lock(&self.ring).room(self.limit)
    }

    /// Reads once, at most as much as `buffer` holds. Returns the number of bytes, which is 0 at
    /// the end of the stream. The lock is held meanwhile, so that other threads find each byte
    /// either in the pipe or in the ring buffer.
    pub(super) fn read(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        let mut ring = lock(&self.ring);
        let Some(pipe) = &ring.pipe else {
            return Ok(0);
        };
        let count = rustix::io::read(pipe, &mut *buffer)?;
        if count > 0 {
            ring.push(&buffer[..count], self.limit);
            wake_all(ring);
        }
        Ok(count)
    }

    pub(super) fn close(&self) {
        let mut ring = lock(&self.ring);
        ring.pipe = None;
        wake_all(ring);
    }

    /// Returns the number of bytes written in total, including those still in the pipe.
    pub(super) fn written(&self) -> u64 {
        let ring = lock(&self.ring);
        let pipe = ring.pipe.as_ref();
        let unread = pipe.and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok());
        ring.total + unread.unwrap_or(0)
    }

    /// Returns the pipe; `None` at the end of the stream.
    pub(super) fn pipe(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.ring).pipe.clone()
    }

    /// From now on no reader takes bytes. Returns whether the stream was full and is not any more.
    pub(super) fn release(&self) -> bool {
        let mut ring = lock(&self.ring);
        let was_full = ring.room(self.limit) == 0;
        ring.taken = None;
        ring.drop_all_but(self.limit);
        was_full
    }

    /// Returns the kept bytes after the first `offset` bytes of the stream.
    pub(super) fn since(&self, offset: u64) -> Captured {
        lock(&self.ring).since(offset, usize::MAX)
    }

    /// Returns like [`since`](Self::since), but at most `limit` bytes; `None` if there are none and the
    /// stream has not ended.
    pub(super) fn new_since(&self, offset: u64, limit: usize) -> Option<Captured> {
        let ring = lock(&self.ring);
        ring.has_news(offset).then(|| ring.since(offset, limit))
    }

    /// Blocks until there is a byte after the first `offset` bytes of the stream, the stream has ended
    /// or the token is cancelled. Returns false if the deadline has passed first.
    pub(super) fn wait_since(
        &self,
        offset: u64,
        deadline: Option<Instant>,
        token: &CancelToken,
    ) -> bool {
        let Some(ticket) = self.add_waiter(offset, Waiter::Thread(current_thread())) else {
            return true;
        };
        let paused = pause(token.target().node(), deadline, || self.has_news(offset));
        self.remove_waiter(ticket);
        paused.is_err() || self.has_news(offset)
    }

    /// Whether there is a byte after the first `offset` bytes of the stream, or its end.
    pub(super) fn has_news(&self, offset: u64) -> bool {
        lock(&self.ring).has_news(offset)
    }

    /// Has the next byte or the end of the stream wake a waiter. Returns the ticket for
    /// [`remove_waiter`](Self::remove_waiter), or `None` if there is a byte after the first `offset`
    /// bytes, or the end.
    pub(super) fn add_waiter(&self, offset: u64, waiter: Waiter) -> Option<u64> {
        let mut ring = lock(&self.ring);
        if ring.has_news(offset) {
            return None;
        }
        let ticket = ring.next_ticket;
        ring.next_ticket += 1;
        ring.waiters.insert(ticket, waiter);
        Some(ticket)
    }

    pub(super) fn remove_waiter(&self, ticket: u64) {
        let removed = lock(&self.ring).waiters.remove(&ticket);
        // Dropped after the lock is released.
        drop(removed);
    }

    /// Takes the bytes after those that were taken before, at most `limit`, for the one reader. Returns
    /// whether the stream was full before and is not any more.
    pub(super) fn take(&self, limit: usize) -> (Vec<u8>, bool) {
        let mut ring = lock(&self.ring);
        let was_full = ring.room(self.limit) == 0;
        let taken = ring.taken.unwrap_or(0);
        let bytes = ring.since(taken, limit).bytes;
        ring.taken = Some(taken + bytes.len() as u64);
        let kept = self.limit.max(ring.untaken());
        ring.drop_all_but(kept);
        (bytes, was_full && ring.room(self.limit) > 0)
    }
}

/// Releases the lock, and then wakes all that wait.
fn wake_all(mut ring: MutexGuard<'_, RingBuffer>) {
    let waiters = std::mem::take(&mut ring.waiters);
    drop(ring);
    waiters.into_values().for_each(Waiter::wake);
}

impl RingBuffer {
    fn has_news(&self, offset: u64) -> bool {
        self.total > offset || self.pipe.is_none()
    }

    fn push(&mut self, bytes: &[u8], limit: usize) {
        self.total += bytes.len() as u64;
        let kept = limit.max(self.untaken());
        let new = &bytes[bytes.len().saturating_sub(kept)..];
        self.drop_all_but(kept - new.len());
        self.tail.extend(new);
    }

    /// Drops all but the last `kept` bytes.
    fn drop_all_but(&mut self, kept: usize) {
        let excess = self.tail.len().saturating_sub(kept);
        self.tail.drain(..excess);
    }

    /// The number of bytes that the reader has not taken.
    fn untaken(&self) -> usize {
        let untaken = self.taken.map_or(0, |taken| self.total - taken);
        // They are in memory.
        usize::try_from(untaken).unwrap_or(usize::MAX)
    }

    fn room(&self, limit: usize) -> usize {
        if self.taken.is_none() {
            return usize::MAX;
        }
        limit.max(1).saturating_sub(self.untaken())
    }

    fn since(&self, offset: u64, limit: usize) -> Captured {
        let offset = offset.min(self.total);
        let first_kept = self.total - self.tail.len() as u64;
        // At most as many as are kept.
        let skip = usize::try_from(offset.saturating_sub(first_kept)).unwrap_or(usize::MAX);
        let count = limit.min(self.tail.len() - skip);
        let mut bytes = Vec::with_capacity(count);
        let (front, back) = self.tail.as_slices();
        let from_front = front.get(skip..).unwrap_or_default();
        let from_back = &back[skip.saturating_sub(front.len())..];
        bytes.extend(from_front.iter().take(count));
        bytes.extend(from_back.iter().take(count - bytes.len()));
        Captured {
            bytes,
            offset: offset.max(first_kept),
            dropped: first_kept.saturating_sub(offset),
            total: self.total,
            is_open: self.pipe.is_some(),
        }
    }
}
