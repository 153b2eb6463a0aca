//! The captured output of a process: the last bytes of each stream.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::super::sync::{ignore_poison, lock};

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
    /// Notified when the ring has new bytes, and when its stream has ended.
    did_change: Condvar,
}

#[derive(Default)]
struct RingBuffer {
    tail: VecDeque<u8>,
    total: u64,
    /// The source; `None` when no process can write to it any more.
    pipe: Option<Arc<OwnedFd>>,
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
            did_change: Condvar::new(),
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
        self.did_change.notify_all();
        Ok(count)
    }

    pub(super) fn close(&self) {
        lock(&self.ring).pipe = None;
        self.did_change.notify_all();
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

    /// Waits for a byte after the first `offset` bytes of the stream, or for the end of the stream.
    /// Then it returns like [`since`](Self::since), but at most `limit` bytes. Returns `None` if the
    /// deadline passes first.
    pub(super) fn wait_since(
        &self,
        offset: u64,
        limit: usize,
        deadline: Option<Instant>,
    ) -> Option<Captured> {
        let mut ring = lock(&self.ring);
        while ring.total <= offset && ring.pipe.is_some() {
            ring = match deadline {
                None => ignore_poison(self.did_change.wait(ring)),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    ignore_poison(self.did_change.wait_timeout(ring, left)).0
                }
            };
        }
        Some(ring.since(offset, limit))
    }
}

impl RingBuffer {
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
