//! What a process prints: the last bytes of each stream, in bounded memory.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use crate::join::sync::lock;

/// One of the two streams of a process.
///
/// ```
/// use meanwhile::join::process::{Builder, Stream};
///
/// let shell = Builder::new("sh").args(["-c", "echo out; echo err >&2"]).spawn()?;
/// shell.join()?;
/// let text = |stream| shell.output_since(stream, 0).text().into_owned();
/// assert_eq!(text(Stream::Stdout), "out\n");
/// assert_eq!(text(Stream::Stderr), "err\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a process has printed so far.
///
/// ```
/// use meanwhile::join::process::Builder;
///
/// let shell = Builder::new("sh").args(["-c", "echo done; echo 'no colour' >&2"]).spawn()?;
/// shell.join()?;
/// let output = shell.output();
/// assert_eq!(output.stdout.text(), "done\n");
/// assert_eq!(output.stderr.last_lines(1), "no colour");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
}

/// What one stream has carried so far: the last bytes, raw, and how many there were in all.
///
/// ```
/// use meanwhile::join::process::Builder;
///
/// let numbers = Builder::new("seq").arg("1000").output_limit(9).spawn()?;
/// numbers.join()?;
/// let stdout = numbers.output().stdout;
/// assert_eq!(stdout.text(), "999\n1000\n");
/// assert_eq!(stdout.last_lines(1), "1000");
/// assert_eq!((stdout.total, stdout.dropped()), (3893, 3884));
/// assert!(!stdout.is_open);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The bytes that were kept or asked for, as they came.
    pub bytes: Vec<u8>,
    /// How many bytes came in all.
    pub total: u64,
    /// Whether somebody can still write: the process, or one that has inherited the stream. After
    /// the end of the process it means that a descendant holds the stream.
    pub is_open: bool,
}

impl Captured {
    /// How many bytes came before [`bytes`](Self::bytes).
    pub fn dropped(&self) -> u64 {
        self.total - self.bytes.len() as u64
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// The last `count` lines as text, without an end of line at the end.
    pub fn last_lines(&self, count: usize) -> String {
        let text = self.text();
        let text = text.trim_end_matches(['\n', '\r']);
        let start = text
            .rmatch_indices('\n')
            .nth(count.saturating_sub(1))
            .map_or(0, |(at, _)| at + 1);
        if count == 0 {
            return String::new();
        }
        text[start..].to_owned()
    }
}

/// A stream that is being read: a ring of bytes.
pub(super) struct Capture {
    limit: usize,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    tail: VecDeque<u8>,
    total: u64,
    /// Where it comes from; `None` when nobody can write any more.
    pipe: Option<Arc<OwnedFd>>,
}

impl Capture {
    /// One that keeps `limit` bytes of what comes from `pipe`, which does not block; `None` where the
    /// stream is not captured at all.
    pub(super) fn new(limit: usize, pipe: Option<Arc<OwnedFd>>) -> Self {
        Self {
            limit,
            ring: Mutex::new(Ring {
                pipe,
                ..Ring::default()
            }),
        }
    }

    /// Reads once, as much as the buffer holds. Locked meanwhile: what was read is in the ring, or
    /// still in the pipe, for everybody else.
    pub(super) fn read(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        let mut ring = lock(&self.ring);
        let Some(pipe) = &ring.pipe else {
            return Ok(0);
        };
        let count = rustix::io::read(pipe, &mut *buffer)?;
        ring.push(&buffer[..count], self.limit);
        Ok(count)
    }

    pub(super) fn close(&self) {
        lock(&self.ring).pipe = None;
    }

    /// How many bytes were written in all, those included that nobody has read yet.
    pub(super) fn written(&self) -> u64 {
        let ring = lock(&self.ring);
        let pipe = ring.pipe.as_ref();
        let unread = pipe.and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok());
        ring.total + unread.unwrap_or(0)
    }

    pub(super) fn snapshot(&self) -> Captured {
        self.since(0)
    }

    /// What came after the first `offset` bytes, as far as it is kept.
    pub(super) fn since(&self, offset: u64) -> Captured {
        let ring = lock(&self.ring);
        let dropped = ring.total - ring.tail.len() as u64;
        let skip = usize::try_from(offset.saturating_sub(dropped)).unwrap_or(usize::MAX);
        let skip = skip.min(ring.tail.len());
        Captured {
            bytes: ring.tail.range(skip..).copied().collect(),
            total: ring.total,
            is_open: ring.pipe.is_some(),
        }
    }
}

impl Ring {
    fn push(&mut self, bytes: &[u8], limit: usize) {
        self.total += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(limit)..];
        let excess = (self.tail.len() + kept.len()).saturating_sub(limit);
        self.tail.drain(..excess);
        self.tail.extend(kept);
    }
}
