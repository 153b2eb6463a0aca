//! The locks of files: `flock`, and the two kinds of `fcntl`.

use std::fs;

use super::files::{OpenFile, fdinfo};
use super::finding::Who;
use super::system::System;

/// The lines of `/proc/locks`. The crate procfs reads them without the sign that tells who waits from who
/// holds.
#[derive(Debug)]
pub(super) struct FileLocks {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    /// Who holds a lock and who waits for it have the same.
    number: String,
    waits: bool,
    /// `FLOCK`, `POSIX` or `OFDLCK`.
    kind: String,
    /// Not of `OFDLCK`, which no single process holds.
    pid: Option<u32>,
}

impl FileLocks {
    pub(super) fn read() -> Self {
        let text = fs::read_to_string("/proc/locks").unwrap_or_default();
        Self {
            lines: text.lines().filter_map(line).collect(),
        }
    }

    /// Returns who holds the lock that a process waits for on `file`.
    pub(super) fn holders(&self, system: &System, pid: u32, file: &OpenFile) -> Vec<Who> {
        let posix = self.lines.iter().filter(|line| line.kind == "POSIX");
        let own: Vec<&str> = posix
            .clone()
            .filter(|line| line.waits && line.pid == Some(pid))
            .map(|line| line.number.as_str())
            .collect();
        let mut holders: Vec<Who> = posix
            .filter(|line| !line.waits && own.contains(&line.number.as_str()))
            .filter_map(|line| line.pid.map(Who::Process))
            .collect();
        if holders.is_empty() {
            // The pid of a `flock` is that of who called it, who may have ended while others still
            // have the file open.
            holders = system
                .holders_of_path(file.path())
                .into_iter()
                .filter(|(pid, fd)| {
                    fdinfo(*pid, *fd)
                        .lines()
                        .any(|line| line.starts_with("lock:"))
                })
                .map(|(pid, _)| Who::Process(pid))
                .collect();
        }
        holders
    }
}

/// Reads a line such as `3: -> FLOCK  ADVISORY  WRITE 1594 fd:00:396528 0 EOF`.
fn line(text: &str) -> Option<Line> {
    let mut words = text.split_whitespace();
    let number = words.next()?.to_owned();
    let first = words.next()?;
    let waits = first == "->";
    let kind = if waits { words.next()? } else { first };
    let pid = words.nth(2)?.parse().ok();
    Some(Line {
        number,
        waits,
        kind: kind.to_owned(),
        pid,
    })
}
