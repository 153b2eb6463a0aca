//! The lines of an output stream.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::super::token::CancelToken;
use super::output::StreamCapture;

/// The length of the longest line that is not cut, without its newline.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// The bytes that are copied at once.
const MAX_CHUNK_BYTES: usize = 64 * 1024;

/// A line of an output stream, or a gap between lines. Its text is written by `Display`; for a gap
/// it writes, for example, `(120 bytes were dropped)`.
///
/// The bytes are those that the process wrote; they need not be UTF-8. There are no other kinds, so
/// that a `match` does not forget the gaps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// A line without its newline, or the rest of one whose beginning was a [`Part`](Self::Part). The
    /// last line of a stream may have had no newline.
    Whole(Vec<u8>),
    /// A part of a line that is longer than 64 KiB, or whose rest was dropped.
    Part(Vec<u8>),
    /// So many bytes were dropped, because they exceeded the
    /// [limit](super::Builder::output_limit) before they were read. The next line may lack its
    /// beginning.
    Dropped(u64),
}

impl Line {
    /// Returns the bytes of the line. A gap has none.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::Part(bytes) => bytes,
            Self::Dropped(_) => &[],
        }
    }

    /// Returns the line as text. Invalid UTF-8 becomes U+FFFD. A gap has none.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(_) | Self::Part(_) => self.text().fmt(f),
            Self::Dropped(count) => write!(f, "({count} bytes were dropped)"),
        }
    }
}

/// Reads the lines of a captured stream, from its beginning, as far as it was captured.
pub(super) struct LineReader {
    capture: Arc<StreamCapture>,
    /// The number of bytes that were read or dropped.
    offset: u64,
    lines: Splitter,
    has_ended: bool,
}

impl LineReader {
    pub(super) fn new(capture: Arc<StreamCapture>) -> Self {
        Self {
            capture,
            offset: 0,
            lines: Splitter::default(),
            has_ended: false,
        }
    }

    /// Returns the next line without waiting.
    pub(super) fn next(&mut self) -> NextLine {
        loop {
            if let Some(line) = self.lines.ready.pop_front() {
                return NextLine::Line(line);
            }
            if self.has_ended {
                return NextLine::End;
            }
            let Some(chunk) = self.capture.new_since(self.offset, MAX_CHUNK_BYTES) else {
                return NextLine::NotYet;
            };
            if chunk.dropped > 0 {
                self.lines.skip(chunk.dropped);
            }
            self.lines.push(&chunk.bytes);
            self.offset = chunk.offset + chunk.bytes.len() as u64;
            if !chunk.is_open && self.offset == chunk.total {
                self.lines.end();
                self.has_ended = true;
            }
        }
    }

    /// Blocks until more was captured than has been read, or the token is cancelled. Returns false if
    /// the deadline has passed first.
    pub(super) fn wait(&self, deadline: Option<Instant>, token: &CancelToken) -> bool {
        self.capture.wait_since(self.offset, deadline, token)
    }
}

/// What a [`LineReader`] has to return.
pub(super) enum NextLine {
    Line(Line),
    /// No whole line was captured after the last one.
    NotYet,
    /// There are no more lines.
    End,
}

/// Splits bytes into lines.
#[derive(Default)]
struct Splitter {
    /// The beginning of the next line.
    partial: Vec<u8>,
    ready: VecDeque<Line>,
}

impl Splitter {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(rest) => {
                    self.extend(rest);
                    self.end_line();
                }
                None => self.extend(piece),
            }
        }
    }

    /// Extends the line, and cuts it where it is too long.
    fn extend(&mut self, mut bytes: &[u8]) {
        while self.partial.len() + bytes.len() > MAX_LINE_BYTES {
            let (fits, rest) = bytes.split_at(MAX_LINE_BYTES - self.partial.len());
            self.partial.extend(fits);
            self.end_part();
            bytes = rest;
        }
        self.partial.extend(bytes);
    }

    fn end_line(&mut self) {
        if self.partial.last() == Some(&b'\r') {
            self.partial.pop();
        }
        let line = std::mem::take(&mut self.partial);
        self.ready.push_back(Line::Whole(line));
    }

    fn end_part(&mut self) {
        let part = std::mem::take(&mut self.partial);
        self.ready.push_back(Line::Part(part));
    }

    /// Notes a gap in the stream.
    fn skip(&mut self, dropped: u64) {
        if !self.partial.is_empty() {
            self.end_part();
        }
        self.ready.push_back(Line::Dropped(dropped));
    }

    fn end(&mut self) {
        if !self.partial.is_empty() {
            self.end_line();
        }
    }
}
