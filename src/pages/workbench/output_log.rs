//! The end of a stream as lines, in bounded memory. Draws nothing.
//!
//! Bytes are kept unchanged. A line becomes text only when it is drawn or copied, so a flood costs
//! only the search for line ends.

use std::borrow::Cow;
use std::collections::VecDeque;

use memchr::memchr2_iter;

/// The bytes that are kept, and how many more may pile up before the oldest are dropped.
const MAX_BYTES: usize = 1 << 20;
const MAX_EXCESS_BYTES: usize = MAX_BYTES / 4;

/// The lines that are kept. Scroll offsets are `f32`, which can't address single rows beyond this.
const MAX_LINES: usize = 500_000;

/// The characters of a line that are drawn, and the bytes that they are taken from: escape
/// sequences take bytes and are not drawn.
const MAX_DRAWN_CHARS: usize = 4_000;
const MAX_DRAWN_BYTES: usize = 8 * MAX_DRAWN_CHARS;

/// The last lines of a stream.
///
/// As on a terminal, a carriage return restarts the line: of a progress bar the last state is kept.
#[derive(Debug, Default)]
pub(crate) struct Log {
    bytes: Vec<u8>,
    /// The offset of [`Log::bytes`] in the stream. All offsets below are in the stream too.
    first: u64,
    lines: VecDeque<Line>,
    /// The number of the first of them, counted from the start of the stream.
    first_line: u64,
    /// The offset of the incomplete line.
    open: u64,
    /// The offset after the last carriage return, until other text follows.
    returned_to: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    start: u64,
    /// In bytes, without the line end.
    len: u32,
}

impl Log {
    /// Adds the last bytes of a stream of `total` bytes so far. Bytes that the log has are skipped;
    /// after a gap the log begins again.
    pub(crate) fn push(&mut self, bytes: &[u8], total: u64) {
        let offset = total.saturating_sub(bytes.len() as u64);
        let known = self.end().checked_sub(offset);
        if let Some(known) = known.and_then(|known| usize::try_from(known).ok()) {
            return self.append(bytes.get(known..).unwrap_or_default());
        }
        self.clear();
        self.first = offset;
        self.open = offset;
        self.append(bytes);
    }

    /// Removes all lines, to read a stream from its start. Line numbers are not used again.
    pub(crate) fn clear(&mut self) {
        self.first_line += self.len() as u64;
        self.lines.clear();
        self.bytes.clear();
        (self.first, self.open, self.returned_to) = (0, 0, None);
    }

    /// The offset of the next byte of the stream.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.bytes.len() as u64
    }

    /// The number of bytes before those that are kept.
    pub(crate) fn dropped(&self) -> u64 {
        self.first
    }

    /// Whether a stream of `total` bytes fits without dropping a line.
    pub(crate) fn has_room(&self, total: u64) -> bool {
        let kept = total.saturating_sub(self.first);
        // Each new byte may end a line.
        let lines = self.lines.len() as u64 + total.saturating_sub(self.end());
        kept <= (MAX_BYTES + MAX_EXCESS_BYTES) as u64 && lines <= (MAX_LINES + MAX_LINES / 4) as u64
    }

    /// The number of lines that are kept, including an incomplete one.
    pub(crate) fn len(&self) -> usize {
        self.lines.len() + usize::from(self.open < self.end())
    }

    /// The number of complete lines that are kept.
    pub(super) fn complete_lines(&self) -> usize {
        self.lines.len()
    }

    /// The number of the first line that is kept. A line keeps its number.
    pub(crate) fn first_line(&self) -> u64 {
        self.first_line
    }

    /// The text to draw for a kept line: without escape sequences, and of bounded length.
    pub(crate) fn drawn(&self, index: usize) -> String {
        let line = self.raw(index);
        let head = &line[..line.len().min(MAX_DRAWN_BYTES)];
        let text = plain(head);
        let cut = text.char_indices().nth(MAX_DRAWN_CHARS).map(|(at, _)| at);
        if cut.is_none() && head.len() == line.len() {
            return text.into_owned();
        }
        let drawn = &text[..cut.unwrap_or(text.len())];
        format!("{drawn} … ({} bytes in all)", line.len())
    }

    /// All lines in full, as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.bytes.len());
        for index in 0..self.len() {
            text.push_str(&plain(self.raw(index)));
            text.push('\n');
        }
        text
    }

    fn append(&mut self, bytes: &[u8]) {
        let offset = self.end();
        self.bytes.extend_from_slice(bytes);
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            let end = offset + at as u64;
            self.restart_line(end);
            if bytes[at] == b'\r' {
                self.returned_to = Some(end + 1);
            } else {
                self.end_line(end);
            }
        }
        self.restart_line(self.end());
        self.trim();
    }

    /// Drops the text before a carriage return once text before `next` follows it.
    fn restart_line(&mut self, next: u64) {
        if let Some(to) = self.returned_to.take_if(|to| *to < next) {
            self.open = to;
        }
    }

    fn end_line(&mut self, end: u64) {
        self.lines.push_back(Line {
            start: self.open,
            len: u32::try_from(end - self.open).unwrap_or(u32::MAX),
        });
        self.open = end + 1;
        self.returned_to = None;
    }

    /// Drops the oldest lines beyond the limits, many at a time, so that each byte costs little.
    fn trim(&mut self) {
        let too_long = self.bytes.len() > MAX_BYTES + MAX_EXCESS_BYTES;
        let too_many = self.lines.len() > MAX_LINES + MAX_LINES / 4;
        if !too_long && !too_many {
            return;
        }
        let over = self.bytes.len().saturating_sub(MAX_BYTES) as u64;
        let mut first = self.first + over;
        while let Some(line) = self.lines.front_mut() {
            let end = line.start + u64::from(line.len);
            if end >= first && self.lines.len() <= MAX_LINES {
                break;
            }
            first = first.max(end + 1);
            self.lines.pop_front();
            self.first_line += 1;
        }
        if let Some(line) = self.lines.front_mut()
            && line.start < first
        {
            let end = line.start + u64::from(line.len);
            line.start = first;
            line.len = u32::try_from(end - first).unwrap_or(u32::MAX);
        }
        self.open = self.open.max(first);
        self.bytes.drain(..self.place(first));
        self.first = first;
    }

    /// The bytes of a kept line, without the line end.
    pub(super) fn raw(&self, index: usize) -> &[u8] {
        let range = match self.lines.get(index) {
            Some(line) => line.start..line.start + u64::from(line.len),
            None => self.open..self.end(),
        };
        let line = &self.bytes[self.place(range.start)..self.place(range.end)];
        let returns = line.iter().rev().take_while(|&&byte| byte == b'\r');
        &line[..line.len() - returns.count()]
    }

    /// The index in [`Log::bytes`] of an offset in the stream.
    fn place(&self, offset: u64) -> usize {
        let place = usize::try_from(offset.saturating_sub(self.first)).unwrap_or(usize::MAX);
        place.min(self.bytes.len())
    }
}

/// Bytes as text, without escape sequences.
pub(super) fn plain(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
    if text.bytes().any(is_control) {
        Cow::Owned(anstream::adapter::strip_str(&text).to_string())
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(bytes: &[u8]) -> Log {
        let mut log = Log::default();
        log.push(bytes, bytes.len() as u64);
        log
    }

    fn lines(log: &Log) -> Vec<String> {
        (0..log.len()).map(|index| log.drawn(index)).collect()
    }

    #[test]
    fn lines_are_whole_however_the_bytes_were_cut() {
        let text = "one\n\nthree é\nbar 10%\rbar 20%\rdone\r\nhalf\r";
        let whole = lines(&log(text.as_bytes()));
        assert_eq!(whole, ["one", "", "three é", "done", "half"]);
        for size in 1..text.len() {
            let mut log = Log::default();
            let mut total = 0;
            for part in text.as_bytes().chunks(size) {
                total += part.len() as u64;
                log.push(part, total);
            }
            assert_eq!(lines(&log), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn escape_sequences_are_not_drawn() {
        let log = log(
            b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07and\ttab\nbad \xff byte\n\x1b[2K\x1b[1Gline",
        );
        assert_eq!(lines(&log), ["red and\ttab", "bad \u{fffd} byte", "line"]);
        assert_eq!(log.text(), "red and\ttab\nbad \u{fffd} byte\nline\n");
    }

    #[test]
    fn bytes_read_twice_count_once_and_a_gap_restarts() {
        let mut log = log(b"one\ntwo\n");
        log.push(b"two\nthree\n", 14);
        assert_eq!(lines(&log), ["one", "two", "three"]);
        log.push(b"two\nthree\n", 14);
        assert_eq!((log.len(), log.first_line()), (3, 0));
        log.push(b"later\n", 1_006);
        assert_eq!(lines(&log), ["later"]);
        assert_eq!((log.dropped(), log.first_line()), (1_000, 3));
    }

    #[test]
    fn flood_of_short_lines_stays_within_the_limits() {
        let mut log = Log::default();
        let part = b"\n".repeat(300_000);
        for round in 1..=40 {
            log.push(&part, round * part.len() as u64);
            assert!(log.len() <= MAX_LINES + MAX_LINES / 4);
            assert!(log.bytes.len() <= MAX_BYTES + MAX_EXCESS_BYTES);
        }
        assert_eq!(log.first_line() + log.len() as u64, 12_000_000);
        assert_eq!(log.end(), 12_000_000);
    }

    #[test]
    fn endless_line_stays_within_the_limit() {
        let mut log = Log::default();
        let part = b"x".repeat(300_000);
        for round in 1..=20 {
            log.push(&part, round * part.len() as u64);
            assert!(log.bytes.len() <= MAX_BYTES + MAX_EXCESS_BYTES);
        }
        assert_eq!((log.len(), log.end()), (1, 6_000_000));
        assert!(log.drawn(0).chars().count() < MAX_DRAWN_CHARS + 40);
        assert!(log.dropped() > 4_000_000);
    }

    #[test]
    fn first_kept_line_is_cut_and_line_numbers_go_on() {
        let mut log = Log::default();
        let line = format!("{}\n", "y".repeat(MAX_BYTES - 1));
        log.push(line.as_bytes(), MAX_BYTES as u64);
        let total = (MAX_BYTES + line.len()) as u64;
        log.push(line.as_bytes(), total);
        log.push(b"z\n", total + 2);
        assert_eq!((log.first_line(), log.len()), (1, 2));
        assert_eq!(log.drawn(1), "z");
        assert_eq!(log.text().len() as u64, log.end() - log.dropped());
    }
}
