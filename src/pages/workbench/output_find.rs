//! The search in the lines of a stream. Draws nothing.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::{memchr, memchr2};

use super::output_log::{Log, plain};

/// The lines of a log that contain a text, whatever its case.
#[derive(Debug, Default)]
pub(crate) struct Find {
    /// In lower case.
    text: String,
    /// The numbers of complete lines that contain the text, in order.
    found: VecDeque<u64>,
    /// The first line that is not searched yet.
    next: u64,
    /// Whether the incomplete line contains the text, as of [`Find::seen`] bytes.
    in_open: bool,
    seen: u64,
    current: Option<u64>,
}

impl Find {
    /// Searches new lines, about `budget` bytes at most. Returns whether there is more to search.
    pub(crate) fn search(&mut self, text: &str, log: &Log, budget: usize) -> bool {
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
        self.forget_before(log.first_line());
        let ended = log.first_line() + log.complete_lines() as u64;
        let mut budget = budget;
        while self.next < ended {
            if budget == 0 {
                return true;
            }
            let index = usize::try_from(self.next - log.first_line()).unwrap_or(usize::MAX);
            let line = log.raw(index);
            if self.is_in(line) {
                self.found.push_back(self.next);
            }
            self.next += 1;
            budget = budget.saturating_sub(line.len() + 1);
        }
        if self.seen != log.end() {
            self.seen = log.end();
            self.in_open = self.is_in(log.raw(log.complete_lines()));
        }
        false
    }

    /// The number of lines that contain the text.
    pub(crate) fn count(&self) -> usize {
        self.found.len() + usize::from(self.in_open)
    }

    /// The position of the current line among them, from 1.
    pub(crate) fn position(&self) -> Option<usize> {
        let current = self.current?;
        Some(self.found.partition_point(|&line| line < current) + 1)
    }

    /// The number of the current line.
    pub(crate) fn current(&self) -> Option<u64> {
        self.current
    }

    /// Goes to the next or previous line that contains the text, and around at the end. Returns its
    /// number.
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

    /// The ranges of the text in a drawn line; the whole line if they are unknown.
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

/// The first position in `line` of `text`, which is in lower case, ignoring case.
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

    #[test]
    fn find_ignores_case_and_wraps_around() {
        let log = log("Error one\nfine\n\x1b[31merr\x1b[0mOR two\nÉcole\nlast error".as_bytes());
        let mut find = Find::default();
        assert!(!find.search("eRRor", &log, usize::MAX));
        assert_eq!(find.count(), 3);
        let forward: Vec<_> = (0..4).map(|_| find.step(true)).collect();
        assert_eq!(forward, [Some(0), Some(2), Some(4), Some(0)]);
        assert_eq!(find.step(false), Some(4));
        assert_eq!(find.position(), Some(3));
        assert_eq!(find.marks("an Error, an error"), [3..8, 13..18]);
        find.search("école", &log, usize::MAX);
        assert_eq!((find.count(), find.step(true)), (1, Some(3)));
        find.search("nowhere", &log, usize::MAX);
        assert_eq!((find.count(), find.step(true)), (0, None));
    }

    #[test]
    fn search_continues_where_its_budget_ended() {
        let mut log = Log::default();
        let mut find = Find::default();
        let part = b"yes\nno\n".repeat(10_000);
        log.push(&part, part.len() as u64);
        let mut searches = 1;
        while find.search("yes", &log, 1_000) {
            searches += 1;
        }
        assert!((60..90).contains(&searches), "{searches}");
        assert_eq!(find.count(), 10_000);
        find.step(true);
        for round in 2..=40 {
            log.push(&part, round * part.len() as u64);
            find.search("yes", &log, usize::MAX);
        }
        let kept = log.text().matches("yes").count();
        // The first kept line may have been cut after it was found.
        assert!((kept..=kept + 1).contains(&find.count()));
        assert_eq!(find.current(), None, "it was dropped with its line");
        assert_eq!(
            find.step(true).map(|line| line >= log.first_line()),
            Some(true)
        );
    }

    #[test]
    fn incomplete_line_is_found_once() {
        let mut log = log(b"a match");
        let mut find = Find::default();
        find.search("match", &log, usize::MAX);
        assert_eq!((find.count(), find.step(true)), (1, Some(0)));
        log.push(b" and more\n", 17);
        find.search("match", &log, usize::MAX);
        assert_eq!((find.count(), find.position()), (1, Some(1)));
    }
}
