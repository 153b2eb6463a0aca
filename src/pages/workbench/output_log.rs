//! The end of a stream as lines of text, in bounded memory, and the search in it. Draws nothing.
//!
//! The bytes are kept as they came. A line becomes text only when it is drawn or copied, so what a
//! flood costs is the search for its line ends.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr2_iter};

/// How many bytes are kept, and how many more may pile up before the oldest go.
const LIMIT: usize = 1 << 20;
const SLACK: usize = LIMIT / 4;

/// How many lines are kept: scroll offsets are `f32`, and past this many rows single ones could no
/// longer be reached.
const MAX_LINES: usize = 500_000;

/// How much of a line is drawn, in characters; and from how many of its bytes these are taken, for
/// colours and the like take room and are not drawn.
const DRAWN_CHARS: usize = 4_000;
const DRAWN_BYTES: usize = 8 * DRAWN_CHARS;

/// The last lines of a stream.
///
/// A carriage return begins the line anew, as on a terminal: of a progress bar the last state is
/// left.
#[derive(Debug, Default)]
pub(crate) struct Log {
    bytes: Vec<u8>,
    /// The offset of the first of [`Log::bytes`] in the stream. So are all offsets below.
    first: u64,
    /// The lines that have ended.
    lines: VecDeque<Line>,
    /// The number of the first of them, counted from the beginning of the stream.
    first_line: u64,
    /// Where the line begins that has not ended.
    open: u64,
    /// Behind the last carriage return, while nothing but such has followed it.
    returned_to: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    start: u64,
    /// In bytes, without its end.
    len: u32,
}

impl Log {
    /// Takes in the last bytes of a stream that has carried `total` bytes so far. What is there
    /// already is left out; where something is missing in between, the log begins anew.
    pub(crate) fn push(&mut self, bytes: &[u8], total: u64) {
        let offset = total.saturating_sub(bytes.len() as u64);
        let known = self.end().checked_sub(offset);
        if let Some(known) = known.and_then(|known| usize::try_from(known).ok()) {
            return self.append(bytes.get(known..).unwrap_or_default());
        }
        self.begin_again();
        self.first = offset;
        self.open = offset;
        self.append(bytes);
    }

    /// Forgets every line, to take in the whole of what is kept of a stream. Their numbers are not
    /// used again. The room that they had is.
    pub(crate) fn begin_again(&mut self) {
        self.first_line += self.len() as u64;
        self.lines.clear();
        self.bytes.clear();
        (self.first, self.open, self.returned_to) = (0, 0, None);
    }

    /// How many bytes of the stream it has seen or passed over.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.bytes.len() as u64
    }

    /// How many bytes came before those that are kept.
    pub(crate) fn dropped(&self) -> u64 {
        self.first
    }

    /// Whether a stream of `total` bytes can be taken in up to there, and every line stays.
    pub(crate) fn has_room(&self, total: u64) -> bool {
        let kept = total.saturating_sub(self.first);
        // Each new byte may be a line.
        let lines = self.lines.len() as u64 + total.saturating_sub(self.end());
        kept <= (LIMIT + SLACK) as u64 && lines <= (MAX_LINES + MAX_LINES / 4) as u64
    }

    /// How many lines are kept, one that has not ended included.
    pub(crate) fn len(&self) -> usize {
        self.lines.len() + usize::from(self.open < self.end())
    }

    /// The number of the first line that is kept. A line keeps its number.
    pub(crate) fn first_line(&self) -> u64 {
        self.first_line
    }

    /// What is drawn of a line, by its place among those that are kept: without colours and other
    /// sequences for terminals, and not more than fits a screen many times over.
    pub(crate) fn drawn(&self, index: usize) -> String {
        let line = self.raw(index);
        let part = &line[..line.len().min(DRAWN_BYTES)];
        let text = plain(part);
        let cut = text.char_indices().nth(DRAWN_CHARS).map(|(at, _)| at);
        if cut.is_none() && part.len() == line.len() {
            return text.into_owned();
        }
        let drawn = &text[..cut.unwrap_or(text.len())];
        format!("{drawn} … ({} bytes in all)", line.len())
    }

    /// Every line in full, as text.
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
            self.begin_anew(end);
            if bytes[at] == b'\r' {
                self.returned_to = Some(end + 1);
            } else {
                self.end_line(end);
            }
        }
        self.begin_anew(self.end());
        self.trim();
    }

    /// Forgets what stands before a carriage return, once text follows it. `next` is how far
    /// nothing else has come.
    fn begin_anew(&mut self, next: u64) {
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

    /// Drops what is over the limits, in steps, so that it costs little for each byte.
    fn trim(&mut self) {
        let too_long = self.bytes.len() > LIMIT + SLACK;
        let too_many = self.lines.len() > MAX_LINES + MAX_LINES / 4;
        if !too_long && !too_many {
            return;
        }
        let over = self.bytes.len().saturating_sub(LIMIT) as u64;
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

    fn raw(&self, index: usize) -> &[u8] {
        let range = match self.lines.get(index) {
            Some(line) => line.start..line.start + u64::from(line.len),
            None => self.open..self.end(),
        };
        let line = &self.bytes[self.place(range.start)..self.place(range.end)];
        let returns = line.iter().rev().take_while(|&&byte| byte == b'\r');
        &line[..line.len() - returns.count()]
    }

    /// Where in [`Log::bytes`] an offset of the stream is.
    fn place(&self, offset: u64) -> usize {
        let place = usize::try_from(offset.saturating_sub(self.first)).unwrap_or(usize::MAX);
        place.min(self.bytes.len())
    }
}

/// Bytes as text, without what is meant for a terminal.
fn plain(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
    if text.bytes().any(is_control) {
        Cow::Owned(anstream::adapter::strip_str(&text).to_string())
    } else {
        text
    }
}

/// The lines of a log that contain a text, whatever its case.
#[derive(Debug, Default)]
pub(crate) struct Find {
    /// In lower case.
    text: String,
    /// The numbers of those that have ended, in order.
    found: VecDeque<u64>,
    /// The first line that was not searched.
    next: u64,
    /// Whether the line that has not ended contains it, as of [`Find::seen`] bytes.
    in_open: bool,
    seen: u64,
    current: Option<u64>,
}

impl Find {
    /// Brings itself up to what the log now has, about `budget` bytes at most. Returns whether
    /// there is more to search.
    pub(crate) fn look(&mut self, text: &str, log: &Log, budget: usize) -> bool {
        let text = text.to_lowercase();
        if text != self.text {
            *self = Self {
                text,
                ..Self::default()
            };
        }
        if self.text.is_empty() {
            return false;
        }
        self.forget_before(log.first_line);
        let ended = log.first_line + log.lines.len() as u64;
        let mut budget = budget;
        while self.next < ended {
            if budget == 0 {
                return true;
            }
            let index = usize::try_from(self.next - log.first_line).unwrap_or(usize::MAX);
            let line = log.raw(index);
            if self.is_in(line) {
                self.found.push_back(self.next);
            }
            self.next += 1;
            budget = budget.saturating_sub(line.len() + 1);
        }
        if self.seen != log.end() {
            self.seen = log.end();
            self.in_open = self.is_in(log.raw(log.lines.len()));
        }
        false
    }

    /// How many lines contain the text.
    pub(crate) fn count(&self) -> usize {
        self.found.len() + usize::from(self.in_open)
    }

    /// Which of them is the current one, from 1.
    pub(crate) fn position(&self) -> Option<usize> {
        let current = self.current?;
        Some(self.found.partition_point(|&line| line < current) + 1)
    }

    /// The number of the current line.
    pub(crate) fn current(&self) -> Option<u64> {
        self.current
    }

    /// Makes the next line that contains the text the current one, or the one before; behind the
    /// last comes the first. Returns its number.
    pub(crate) fn step(&mut self, forward: bool) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let before = |line| {
            let ended = self.found.partition_point(|&found| found < line);
            ended + usize::from(self.in_open && self.next < line)
        };
        let at = match (self.current, forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(line), true) => before(line + 1) % count,
            (Some(line), false) => (before(line) + count - 1) % count,
        };
        self.current = Some(self.found.get(at).copied().unwrap_or(self.next));
        self.current
    }

    /// Where in a drawn line the text stands; the whole line where that can't be told.
    pub(crate) fn marks(&self, drawn: &str) -> Vec<Range<usize>> {
        let (line, text) = (drawn.as_bytes(), self.text.as_bytes());
        if text.is_empty() {
            return Vec::new();
        }
        if !self.text.is_ascii() {
            let is_there = drawn.to_lowercase().contains(&self.text);
            return is_there.then_some(0..drawn.len()).into_iter().collect();
        }
        let mut marks = Vec::new();
        let mut from = 0;
        while let Some(at) = find_ascii(&line[from..], text) {
            marks.push(from + at..from + at + text.len());
            from += at + text.len();
        }
        marks
    }

    fn forget_before(&mut self, line: u64) {
        while self.found.front().is_some_and(|&found| found < line) {
            self.found.pop_front();
        }
        self.next = self.next.max(line);
        self.current = self.current.filter(|&current| current >= line);
    }

    fn is_in(&self, line: &[u8]) -> bool {
        if self.text.is_ascii() && memchr(0x1b, line).is_none() {
            return find_ascii(line, self.text.as_bytes()).is_some();
        }
        plain(line).to_lowercase().contains(&self.text)
    }
}

/// Where `text`, in lower case, first stands in `line`, whatever its case there.
fn find_ascii(line: &[u8], text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let mut from = 0;
    loop {
        let at = from + memchr2(first, first.to_ascii_uppercase(), line.get(from..)?)?;
        let candidate = line.get(at..at + text.len())?;
        if candidate.eq_ignore_ascii_case(text) {
            return Some(at);
        }
        from = at + 1;
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
    fn lines_come_out_as_they_went_in_however_they_were_cut() {
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
    fn colours_and_what_is_no_text_are_not_drawn() {
        let log = log(
            b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07and\ttab\nbad \xff byte\n\x1b[2K\x1b[1Gline",
        );
        assert_eq!(lines(&log), ["red and\ttab", "bad \u{fffd} byte", "line"]);
        assert_eq!(log.text(), "red and\ttab\nbad \u{fffd} byte\nline\n");
    }

    #[test]
    fn what_was_read_twice_counts_once_and_a_gap_begins_anew() {
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
    fn a_flood_of_short_lines_stays_within_the_limits() {
        let mut log = Log::default();
        let part = b"\n".repeat(300_000);
        for round in 1..=40 {
            log.push(&part, round * part.len() as u64);
            assert!(log.len() <= MAX_LINES + MAX_LINES / 4);
            assert!(log.bytes.len() <= LIMIT + SLACK);
        }
        assert_eq!(log.first_line() + log.len() as u64, 12_000_000);
        assert_eq!(log.end(), 12_000_000);
    }

    #[test]
    fn one_line_without_end_stays_within_the_limit_and_is_drawn_in_part() {
        let mut log = Log::default();
        let part = b"x".repeat(300_000);
        for round in 1..=20 {
            log.push(&part, round * part.len() as u64);
            assert!(log.bytes.len() <= LIMIT + SLACK);
        }
        assert_eq!((log.len(), log.end()), (1, 6_000_000));
        assert!(log.drawn(0).chars().count() < DRAWN_CHARS + 40);
        assert!(log.dropped() > 4_000_000);
    }

    #[test]
    fn the_first_line_that_is_left_is_cut_and_the_numbers_go_on() {
        let mut log = Log::default();
        let line = format!("{}\n", "y".repeat(LIMIT - 1));
        log.push(line.as_bytes(), LIMIT as u64);
        let total = (LIMIT + line.len()) as u64;
        log.push(line.as_bytes(), total);
        log.push(b"z\n", total + 2);
        assert_eq!((log.first_line(), log.len()), (1, 2));
        assert_eq!(log.drawn(1), "z");
        assert_eq!(log.text().len() as u64, log.end() - log.dropped());
    }

    #[test]
    fn a_text_is_found_whatever_its_case_and_the_search_goes_round() {
        let log = log("Error one\nfine\n\x1b[31merr\x1b[0mOR two\nÉcole\nlast error".as_bytes());
        let mut find = Find::default();
        assert!(!find.look("eRRor", &log, usize::MAX));
        assert_eq!(find.count(), 3);
        let forward: Vec<_> = (0..4).map(|_| find.step(true)).collect();
        assert_eq!(forward, [Some(0), Some(2), Some(4), Some(0)]);
        assert_eq!(find.step(false), Some(4));
        assert_eq!(find.position(), Some(3));
        assert_eq!(find.marks("an Error, an error"), [3..8, 13..18]);
        find.look("école", &log, usize::MAX);
        assert_eq!((find.count(), find.step(true)), (1, Some(3)));
        find.look("nowhere", &log, usize::MAX);
        assert_eq!((find.count(), find.step(true)), (0, None));
    }

    #[test]
    fn a_search_goes_on_where_its_budget_ended_and_follows_what_comes_and_goes() {
        let mut log = Log::default();
        let mut find = Find::default();
        let part = b"yes\nno\n".repeat(10_000);
        log.push(&part, part.len() as u64);
        let mut looks = 1;
        while find.look("yes", &log, 1_000) {
            looks += 1;
        }
        assert!((60..90).contains(&looks), "{looks}");
        assert_eq!(find.count(), 10_000);
        find.step(true);
        for round in 2..=40 {
            log.push(&part, round * part.len() as u64);
            find.look("yes", &log, usize::MAX);
        }
        let kept = log.text().matches("yes").count();
        // The first line that is kept may have been cut since it was found.
        assert!((kept..=kept + 1).contains(&find.count()));
        assert_eq!(find.current(), None, "it was dropped with its line");
        assert_eq!(
            find.step(true).map(|line| line >= log.first_line()),
            Some(true)
        );
    }

    #[test]
    fn a_line_that_has_not_ended_is_found_once() {
        let mut log = log(b"a match");
        let mut find = Find::default();
        find.look("match", &log, usize::MAX);
        assert_eq!((find.count(), find.step(true)), (1, Some(0)));
        log.push(b" and more\n", 17);
        find.look("match", &log, usize::MAX);
        assert_eq!((find.count(), find.position()), (1, Some(1)));
    }
}
