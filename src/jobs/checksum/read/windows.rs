//! What `Get-FileHash` and `certutil` print.

use super::{Claim, Entry, Line, digest};
use crate::jobs::checksum::Algorithm;

/// The lines so far of an entry that has several.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// The algorithm and the name of `certutil`, whose digest follows.
    heading: Option<(String, Vec<u8>)>,
    /// The fields of `Get-FileHash | Format-List`.
    algorithm: String,
    claim: Option<Claim>,
}

impl Windows {
    /// Understands a line of these programs, without blanks at its beginning.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Line> {
        let line = line.trim_ascii();
        if let Some((tag, name)) = self.heading.take()
            && let Some(claim) = spaced_digest(&tag, line)
        {
            return Some(Line::Entry(Entry::of(&name, vec![claim])));
        }
        if line.starts_with(b"CertUtil: ") || is_table_heading(line) {
            return Some(Line::Nothing);
        }
        if let Some(heading) = heading(line) {
            self.heading = Some(heading);
            return Some(Line::Nothing);
        }
        row(line)
            .or_else(|| csv_row(line))
            .or_else(|| self.field(line))
    }

    /// `Algorithm : SHA256`, `Hash : …`, `Path : …`.
    fn field(&mut self, line: &[u8]) -> Option<Line> {
        let colon = line.windows(2).position(|pair| pair == b": ")?;
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 2..].trim_ascii());
        match name {
            b"Algorithm" => self.algorithm = String::from_utf8_lossy(value).into_owned(),
            b"Hash" => self.claim = Some(digest::tagged(&self.algorithm, value)?),
            b"Path" => {
                let claim = self.claim.take()?;
                return Some(Line::Entry(entry(value, claim)));
            }
            _ => return None,
        }
        Some(Line::Nothing)
    }
}

/// The heading of a table, and the line below it.
fn is_table_heading(line: &[u8]) -> bool {
    let words: Vec<_> = line
        .split(|byte| b" ,\"".contains(byte))
        .filter(|word| !word.is_empty())
        .collect();
    let is_rule = |word: &&[u8]| word.iter().all(|&byte| byte == b'-');
    words == [&b"Algorithm"[..], b"Hash", b"Path"] || words.len() == 3 && words.iter().all(is_rule)
}

/// `SHA256          F9B3…          C:\folder\name`.
fn row(line: &[u8]) -> Option<Line> {
    let (tag, rest) = super::plain::split_token(line);
    let (digits, path) = super::plain::split_token(rest.trim_ascii_start());
    let claim = digest::tagged(str::from_utf8(tag).ok()?, digits)?;
    let path = path.trim_ascii();
    (!path.is_empty()).then(|| Line::Entry(entry(path, claim)))
}

/// `"SHA256","F9B3…","C:\folder\name"`.
fn csv_row(line: &[u8]) -> Option<Line> {
    let mut fields = line.splitn(3, |&byte| byte == b',');
    let unquoted = |field: &[u8]| {
        let inner = field.strip_prefix(b"\"")?.strip_suffix(b"\"");
        inner.map(<[u8]>::to_vec)
    };
    let mut next = || {
        let field = fields.next()?;
        unquoted(field).or_else(|| Some(field.to_vec()))
    };
    let (tag, digits, path) = (next()?, next()?, next()?);
    let claim = digest::tagged(str::from_utf8(&tag).ok()?, &digits)?;
    (!path.is_empty()).then(|| Line::Entry(entry(&path, claim)))
}

/// `SHA256 hash of name:`, also in German and with `file` before the name.
fn heading(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let line = line.strip_suffix(b":")?;
    let text = str::from_utf8(line).ok()?;
    let marks = [
        " hash of file ",
        " hash of ",
        "-Hash von Datei ",
        "-Hash von ",
    ];
    let (tag, name) = marks.iter().find_map(|mark| text.split_once(mark))?;
    Algorithm::from_tag(tag)?;
    (!name.is_empty()).then(|| (tag.to_owned(), name.as_bytes().to_vec()))
}

/// A digest whose bytes may be separated by spaces.
fn spaced_digest(tag: &str, line: &[u8]) -> Option<Claim> {
    let digits: Vec<u8> = line.iter().copied().filter(|&byte| byte != b' ').collect();
    digest::tagged(tag, &digits)
}

fn entry(path: &[u8], claim: Claim) -> Entry {
    Entry {
        names: names(path),
        ..Entry::of(path, vec![claim])
    }
}

/// What a path of Windows can mean: the list may have been moved with some of the folders of its files.
pub(super) fn names(path: &[u8]) -> Vec<Vec<u8>> {
    let from_root = match path {
        _ if cfg!(windows) => None,
        [_, b':', b'\\', rest @ ..] | [b'\\', rest @ ..] => Some(rest),
        _ => None,
    };
    let Some(mut rest) = from_root else {
        return vec![path.to_vec()];
    };
    let mut names = vec![rest.to_vec()];
    while let Some(end) = rest.iter().position(|&byte| byte == b'\\') {
        rest = &rest[end + 1..];
        names.push(rest.to_vec());
    }
    names.retain(|name| !name.is_empty());
    names
}
