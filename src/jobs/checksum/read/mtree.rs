//! The digests in specifications of mtree, as bsdtar and BSD write them.

use super::plain::size;
use super::{Claim, Entry, Line, digest};
use crate::jobs::checksum::MAX_LINE_LEN;

/// The most folders that contain each other.
const MAX_DEPTH: usize = 1024;

/// The folders around the line, once a line has shown that the list is one of mtree.
#[derive(Debug, Default)]
pub(super) struct Mtree {
    has_begun: bool,
    folders: Vec<Vec<u8>>,
    /// The beginning of a line that goes on.
    begun: Vec<u8>,
    /// Whether files without a type of their own are folders.
    are_folders: bool,
}

impl Mtree {
    /// Understands a line if the list is one of mtree.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Line> {
        let trimmed = line.trim_ascii();
        self.has_begun |= trimmed.starts_with(b"#mtree") || trimmed.starts_with(b"/set ");
        if !self.has_begun {
            return None;
        }
        if let Some(part) = trimmed.strip_suffix(b"\\") {
            if self.begun.len() < MAX_LINE_LEN {
                self.begun.extend(part);
            }
            return Some(Line::Nothing);
        }
        let mut whole = std::mem::take(&mut self.begun);
        whole.extend(trimmed);
        Some(self.whole(&whole))
    }

    fn whole(&mut self, line: &[u8]) -> Line {
        if line.is_empty() || line.starts_with(b"#") {
            return Line::Nothing;
        }
        let mut words = line
            .split(|byte| b" \t".contains(byte))
            .filter(|word| !word.is_empty());
        let Some(name) = words.next() else {
            return Line::Nothing;
        };
        if name == b".." {
            self.folders.pop();
            return Line::Nothing;
        }
        let keywords: Vec<_> = words.filter_map(keyword).collect();
        let kind = keywords.iter().find(|(key, _)| *key == b"type");
        if name == b"/set" {
            self.are_folders = kind.map_or(self.are_folders, |(_, kind)| *kind == b"dir");
            return Line::Nothing;
        }
        if name.starts_with(b"/") {
            return Line::Nothing;
        }
        let name = decoded(name);
        if kind.map_or(self.are_folders, |(_, kind)| *kind == b"dir") {
            if !name.contains(&b'/') && self.folders.len() < MAX_DEPTH {
                self.folders.push(name);
            }
            return Line::Nothing;
        }
        let name = self.path(name);
        let mut entry = Entry::of(&name, Vec::new());
        for (key, value) in keywords {
            if key == b"size" {
                entry.bytes = size(value);
            }
            entry.claims.extend(claim(key, value));
        }
        if entry.claims.is_empty() {
            return Line::Nothing;
        }
        Line::Entry(entry)
    }

    fn path(&self, name: Vec<u8>) -> Vec<u8> {
        if name.contains(&b'/') {
            return name;
        }
        let mut path = self.folders.join(&b'/');
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(name);
        path
    }
}

fn keyword(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = word.iter().position(|&byte| byte == b'=')?;
    Some((&word[..equals], &word[equals + 1..]))
}

/// The digest of a keyword such as `sha256` or `sha256digest`.
fn claim(key: &[u8], value: &[u8]) -> Option<Claim> {
    let key = str::from_utf8(key).ok()?;
    digest::tagged(key.strip_suffix("digest").unwrap_or(key), value)
}

/// The name without its escapes: `\040` and `\s` for a space, `\n`, `\r`, `\t`, `\#`, `\\`.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        let (byte, after) = match escape(after) {
            Some((byte, len)) if *first == b'\\' => (byte, &after[len..]),
            _ => (*first, after),
        };
        plain.push(byte);
        rest = after;
    }
    plain
}

/// The byte that an escape stands for, and its length without the backslash.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let octal = |digits: &[u8; 3]| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok();
    if let Some(byte) = text.first_chunk().and_then(octal) {
        return Some((byte, 3));
    }
    let byte = match text.first()? {
        b's' => b' ',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        &byte @ (b'#' | b'\\') => byte,
        _ => return None,
    };
    Some((byte, 1))
}
