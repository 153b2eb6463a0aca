//! What a process prints: the last bytes of each stream, in bounded memory.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Mutex;

use crate::join::sync::lock;

/// One of the two streams of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a process has printed so far.
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
    is_open: bool,
}

impl Capture {
    /// One that keeps `limit` bytes. `is_open` false where the stream is not captured at all.
    pub(super) fn new(limit: usize, is_open: bool) -> Self {
        Self {
            limit,
            ring: Mutex::new(Ring {
                is_open,
                ..Ring::default()
            }),
        }
    }

    pub(super) fn push(&self, bytes: &[u8]) {
        let mut ring = lock(&self.ring);
        ring.total += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(self.limit)..];
        let excess = (ring.tail.len() + kept.len()).saturating_sub(self.limit);
        ring.tail.drain(..excess);
        ring.tail.extend(kept);
    }

    pub(super) fn close(&self) {
        lock(&self.ring).is_open = false;
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
            is_open: ring.is_open,
        }
    }
}
