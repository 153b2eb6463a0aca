//! The captured output of a process: the last bytes of each stream.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use slab::Slab;

use super::super::parking::pause;
use super::super::sync::{Thread, current_thread, lock};
use super::super::token::CancelToken;

/// One of the two output streams of a process.
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
    /// The source; `None` when no process can write to it any more.
    pipe: Option<Arc<OwnedFd>>,
    /// The threads that wait for new bytes or the end of the stream.
    waiting: Slab<Thread>,
}

impl StreamCapture {
    /// Keeps the last `limit` bytes of `pipe`, which must be non-blocking. Without a pipe it
    /// captures no bytes.
    pub(super) fn new(limit: usize, pipe: Option<Arc<OwnedFd>>) -> Self {
        Self {
            limit,
            ring: Mutex::new(RingBuffer {
                pipe,
                ..RingBuffer::default()
            }),
        }
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
        ring.push(&buffer[..count], self.limit);
        ring.wake_all();
        Ok(count)
    }

    pub(super) fn close(&self) {
        let mut ring = lock(&self.ring);
        ring.pipe = None;
        ring.wake_all();
    }

    /// Returns the number of bytes written in total, including those still in the pipe.
    pub(super) fn written(&self) -> u64 {
        let ring = lock(&self.ring);
        let pipe = ring.pipe.as_ref();
        let unread = pipe.and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok());
        ring.total + unread.unwrap_or(0)
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
        let has_news = || lock(&self.ring).has_news(offset);
        let key = lock(&self.ring).waiting.insert(current_thread());
        let paused = pause(token.target().node(), deadline, has_news);
        lock(&self.ring).waiting.remove(key);
        paused.is_err() || has_news()
    }
}

impl RingBuffer {
    /// Whether there is a byte after the first `offset` bytes of the stream, or its end.
    fn has_news(&self, offset: u64) -> bool {
        self.total > offset || self.pipe.is_none()
    }

    fn wake_all(&self) {
        for (_, thread) in &self.waiting {
            thread.unpark();
        }
    }

    fn push(&mut self, bytes: &[u8], limit: usize) {
        self.total += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(limit)..];
        let excess = (self.tail.len() + kept.len()).saturating_sub(limit);
        self.tail.drain(..excess);
        self.tail.extend(kept);
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
