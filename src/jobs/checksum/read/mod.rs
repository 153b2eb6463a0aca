//! Reads a checksum list of any form that tools write.
//!
//! A list is read as a stream, so its length does not matter. The conventions of a list, such as its
//! line ends or one space before the names, hold for all of its lines: they are decided from its
//! beginning.

mod digest;
mod encoding;
mod fciv;
mod hashdeep;
mod mode;
mod mtree;
mod name_first;
mod plain;
mod signed;
mod windows;

use std::io::{self, BufRead as _, BufReader, Cursor, Read};
use std::path::Path;

pub(in crate::jobs::checksum) use self::digest::MIN_ANY_LEN;
pub(in crate::jobs) use self::digest::from_text as digest_from_text;
use self::fciv::Fciv;
use self::hashdeep::Hashdeep;
pub use self::mode::Mode;
use self::mtree::Mtree;
use self::name_first::Gpg;
pub(in crate::jobs) use self::plain::unescape;
use self::signed::Signed;
use self::windows::Windows;
use crate::jobs::checksum::{Algorithm, MAX_LINE_LEN};
use crate::jobs::text::shown;

/// The beginning of a list, from which its line ends are decided.
const SAMPLE_LEN: u64 = 64 * 1024;

/// A digest and what the line itself says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub digest: Vec<u8>,
    /// The algorithm, if the line or a heading names it.
    pub tag: Option<Algorithm>,
}

/// One file of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The names that the line can mean, likeliest first. None if it is a digest alone.
    pub names: Vec<Vec<u8>>,
    /// At least one; all of them hold.
    pub claims: Vec<Claim>,
    /// The length of the file in bytes.
    pub bytes: Option<u64>,
    /// Whether a backslash in a name can only be itself.
    pub is_escaped: bool,
    /// The mode of `shasum`, if the first letter of the name is one and no part of it.
    pub mode: Option<Mode>,
}

impl Entry {
    fn of(name: &[u8], claims: Vec<Claim>) -> Self {
        Self {
            names: vec![name.to_vec()],
            claims,
            ..Self::default()
        }
    }
}

impl From<Claim> for Entry {
    fn from(claim: Claim) -> Self {
        Self {
            claims: vec![claim],
            ..Self::default()
        }
    }
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A file with its digests.
    Entry(Entry),
    /// A comment, with the mark that it begins with.
    Comment(Vec<u8>),
    /// A heading, a blank line, or what is around a list.
    Nothing,
    /// The digest of an algorithm that can't be computed here.
    Unknown(String),
    /// Anything else.
    NoChecksum,
}

/// What is known of a list before it is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints {
    /// Whether digits at the end of a line are a CRC-32: the list is an SFV file.
    pub is_sfv: bool,
    /// Whether lines count only in the forms that are usual, and that lists are written in here: what other
    /// forms allow may be prose.
    pub only_usual: bool,
}

/// What is known of a list when it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether it is a clear-signed message.
    pub is_signed: bool,
    /// Whether bytes that no list has ended the reading.
    pub is_binary: bool,
}

/// The note for a list that is a clear-signed message.
pub(in crate::jobs) fn signed_note(list: &Path) -> String {
    format!(
        "{} is signed; the signature is not checked here.",
        shown(list)
    )
}

/// Reads a list and passes each line to `take`, with its number from 1. Ends early when that returns false.
///
/// # Errors
/// Those of `source`.
pub fn read<'a>(
    source: impl Read + 'a,
    hints: Hints,
    mut take: impl FnMut(u64, Line) -> bool,
) -> io::Result<Reading> {
    let mut text = encoding::decoded(source)?;
    let mut sample = Vec::new();
    text.by_ref().take(SAMPLE_LEN).read_to_end(&mut sample)?;
    let is_fciv = fciv::is_fciv(&sample) && !hints.only_usual;
    let line_end = if is_fciv { b'>' } else { line_end(&sample) };
    let mut reader = BufReader::new(Cursor::new(sample).chain(text));
    let mut parser = Parser::new(hints);
    let mut line = Vec::new();
    let mut number = 1;
    loop {
        line.clear();
        // One more byte, and one for the line end.
        let limit = MAX_LINE_LEN as u64 + 2;
        if reader
            .by_ref()
            .take(limit)
            .read_until(line_end, &mut line)?
            == 0
        {
            break;
        }
        let text = line.strip_suffix(&[line_end]).unwrap_or(&line);
        if text.len() > MAX_LINE_LEN || text.contains(&0) {
            return Ok(parser.reading(true));
        }
        let lines = if is_fciv {
            vec![parser.fciv.piece(text)]
        } else {
            parser.line(text, line_end)
        };
        for line in lines {
            if !take(number, line) {
                return Ok(parser.reading(false));
            }
        }
        number += match line_end {
            b'>' => line.split(|&byte| byte == b'\n').skip(1).count() as u64,
            _ => 1,
        };
    }
    if let Some(line) = parser.finish() {
        take(number, line);
    }
    Ok(parser.reading(false))
}

/// The byte that ends a line: NUL after `sha256sum -z`, a carriage return on old systems.
fn line_end(sample: &[u8]) -> u8 {
    let begins_with_entry = |line: &[u8]| {
        let line = Parser::new(Hints::default()).one(line, 0);
        matches!(line, Line::Entry(_))
    };
    if let Some(end) = sample.iter().position(|&byte| byte == 0)
        && begins_with_entry(&sample[..end])
    {
        return 0;
    }
    let is_old = sample.contains(&b'\r') && !sample.contains(&b'\n');
    if is_old { b'\r' } else { b'\n' }
}

/// Understands one line after the other.
struct Parser {
    hints: Hints,
    /// Whether one space comes before the names, as `md5 -r` of BSD writes; `None` before the first line.
    has_one_space: Option<bool>,
    fciv: Fciv,
    gpg: Gpg,
    hashdeep: Hashdeep,
    mtree: Mtree,
    signed: Signed,
    windows: Windows,
}

impl Parser {
    fn new(hints: Hints) -> Self {
        Self {
            hints,
            has_one_space: None,
            fciv: Fciv::default(),
            gpg: Gpg::default(),
            hashdeep: Hashdeep::default(),
            mtree: Mtree::default(),
            signed: Signed::default(),
            windows: Windows::default(),
        }
    }

    fn reading(&self, is_binary: bool) -> Reading {
        Reading {
            is_signed: self.signed.was_seen(),
            is_binary,
        }
    }

    /// What has begun and ends with the list.
    fn finish(&mut self) -> Option<Line> {
        let cut = self.fciv.is_cut().then_some(Line::NoChecksum);
        self.gpg.finish().map(Line::Entry).or(cut)
    }

    /// What a line is, and before that an entry that ends only here.
    fn line(&mut self, line: &[u8], line_end: u8) -> Vec<Line> {
        let (held, line) = if self.gpg.goes_on(line) {
            (None, Line::Nothing)
        } else {
            let held = self.gpg.finish().map(Line::Entry);
            (held, self.one(line, line_end))
        };
        held.into_iter().chain([line]).collect()
    }

    fn one(&mut self, line: &[u8], line_end: u8) -> Line {
        let line = if line_end == 0 {
            line
        } else {
            line.strip_suffix(b"\r").unwrap_or(line)
        };
        if self.hints.only_usual {
            return self.usual(line);
        }
        let Some(line) = self.signed.inner(line) else {
            return Line::Nothing;
        };
        if let Some(line) = self.hashdeep.line(line).or_else(|| self.mtree.line(line)) {
            return line;
        }
        let whole = line;
        let line = line.trim_ascii_start();
        if line.is_empty() {
            return Line::Nothing;
        }
        if self.is_comment(line) {
            return Line::Comment(line.to_vec());
        }
        if let Some(line) = self.windows.line(line) {
            return line;
        }
        if let Some(line) = plain::plain(line, &mut self.has_one_space) {
            return line;
        }
        if let Some(line) = plain::tagged(line) {
            return line;
        }
        if self.gpg.begins(line) {
            return Line::Nothing;
        }
        name_first::line(whole, self.hints.is_sfv).unwrap_or(Line::NoChecksum)
    }

    /// What a line is in the forms `digest  name` and `ALGORITHM (name) = digest`, or in an SFV file.
    fn usual(&mut self, line: &[u8]) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Nothing;
        }
        let is_comment = line.starts_with(if self.hints.is_sfv { b";" } else { b"#" });
        if is_comment {
            return Line::Comment(line.to_vec());
        }
        let as_sfv = || name_first::line(line, true).filter(|_| self.hints.is_sfv);
        as_sfv()
            .or_else(|| plain::plain(line, &mut self.has_one_space))
            .or_else(|| plain::tagged(line))
            .unwrap_or(Line::NoChecksum)
    }

    fn is_comment(&mut self, line: &[u8]) -> bool {
        let is_sfv_comment = line.starts_with(b";");
        self.hints.is_sfv |= is_sfv_comment;
        let is_hash_comment = line.starts_with(b"#") || line.starts_with(b"//");
        let is_entry = self.hints.is_sfv && name_first::line(line, true).is_some();
        is_sfv_comment || is_hash_comment && !is_entry
    }
}
