//! The form in which this job writes its list, and a reader of that form alone, which copies nothing: a
//! hundred thousand lines take it some milliseconds. Where the reader of all forms could find anything else,
//! this one finds nothing.

use std::borrow::Cow;
use std::path::PathBuf;

use memchr::memchr3;

use super::list::Entry;
use crate::jobs::checksum::list::{self, ListForm};
use crate::jobs::checksum::read::{Claim, unescape};
use crate::jobs::checksum::{Algorithm, Checksum, MAX_LINE_LEN, side_by_side};

/// The first line.
pub(super) const HEADER: &[u8] = b"# Meanwhile audit 1\n";

/// The shortest digest, in bytes, that stands in a line without a tag.
const MIN_UNTAGGED_LEN: usize = 16;

/// The text of a list, with a name for each entry.
pub(super) fn write<'a>(entries: impl Iterator<Item = (PathBuf, &'a Entry)>) -> Vec<u8> {
    let mut text = HEADER.to_vec();
    for (name, entry) in entries {
        let mut form = ListForm::default();
        if let (Some(bytes), Some(modified)) = (entry.bytes, entry.modified) {
            let algorithm = entry.algorithm.id();
            let stamp = format!("# {algorithm} bytes={bytes} modified={modified}\n");
            text.extend(stamp.into_bytes());
        } else {
            // Nothing else says the algorithm, where it is known.
            form.tag = !entry.is_undecided();
        }
        let checksum = Checksum {
            algorithm: entry.algorithm,
            digest: entry.digest.clone(),
            bytes: entry.bytes.unwrap_or(0),
            verified: false,
            also: Vec::new(),
        };
        text.extend(list::line(&checksum, &name, form));
    }
    text
}

/// The comment above a line.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub(super) algorithm: Algorithm,
    pub(super) bytes: u64,
    pub(super) modified: i64,
}

impl Stamp {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = str::from_utf8(line.strip_prefix(b"# ")?).ok()?;
        let mut words = line.trim_end().split(' ');
        let algorithm = words.next()?;
        let bytes = words.next()?.strip_prefix("bytes=")?;
        let modified = words.next()?.strip_prefix("modified=")?;
        let stamp = Self {
            algorithm: algorithm_of_id(algorithm)?,
            bytes: bytes.parse().ok()?,
            modified: modified.parse().ok()?,
        };
        words.next().is_none().then_some(stamp)
    }

    pub(super) fn fits(&self, claim: &Claim) -> bool {
        let is_algorithm = claim.tag.is_none_or(|tag| tag == self.algorithm);
        is_algorithm && self.algorithm.fits(claim.digest.len())
    }
}

fn algorithm_of_id(id: &str) -> Option<Algorithm> {
    let mut all = Algorithm::ALL.into_iter();
    all.find(|algorithm| algorithm.id() == id)
        .or_else(|| id.parse().ok())
}

/// A file of a list, and the comment above its line.
pub(super) struct OwnLine<'a> {
    /// Without a part that is empty or a dot, so that a file has no second name beside an absolute one.
    pub(super) name: Cow<'a, [u8]>,
    /// In hexadecimal digits of either case.
    pub(super) digest: &'a str,
    pub(super) stamp: Stamp,
}

/// The lines of a list that has this form from its beginning to its end. After a cancel there
/// are none.
pub(super) fn lines<'a>(
    text: &'a [u8],
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<OwnLine<'a>>> {
    if !cfg!(unix) {
        // There, a name has more than one form.
        return None;
    }
    let text = text.strip_prefix(HEADER)?;
    // Only the comment of a file begins like this, so the second half begins with a whole file.
    let half = text.len() / 2;
    let end = memchr::memmem::find(&text[half..], b"\n# ").map_or(text.len(), |at| half + at + 1);
    let (first, second) = text.split_at(end);
    let (first, second) = side_by_side(
        || lines_of(first, is_cancelled),
        || lines_of(second, is_cancelled),
    );
    let mut lines = first?;
    lines.append(&mut second?);
    Some(lines)
}

fn lines_of<'a>(
    mut text: &'a [u8],
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<OwnLine<'a>>> {
    let mut lines = Vec::new();
    while !text.is_empty() {
        if is_cancelled() {
            return None;
        }
        let (comment, rest) = split_line(text)?;
        let (line, rest) = split_line(rest)?;
        lines.push(OwnLine::parse(Stamp::parse(comment)?, line)?);
        text = rest;
    }
    Some(lines)
}

/// The first line, without its end, and the rest.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr3(b'\n', b'\r', 0, text)?;
    let is_line = text[end] == b'\n' && end <= MAX_LINE_LEN;
    is_line.then(|| (&text[..end], &text[end + 1..]))
}

impl<'a> OwnLine<'a> {
    fn parse(stamp: Stamp, line: &'a [u8]) -> Option<Self> {
        let (line, is_escaped) = match line.strip_prefix(b"\\") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (digest, name) = untagged(stamp, line).or_else(|| tagged(stamp, line))?;
        let inner = name.strip_prefix(b"./");
        // Behind a slash, it would become one seen from the root.
        let inner = inner.filter(|inner| !inner.starts_with(b"/"));
        let name = inner.unwrap_or(name);
        let name = if is_escaped {
            Cow::Owned(unescape(name)?)
        } else {
            Cow::Borrowed(name)
        };
        let digest = str::from_utf8(digest).ok()?;
        is_plain(&name).then_some(Self {
            name,
            digest,
            stamp,
        })
    }
}

/// The digest and the name of `digest  name`.
fn untagged(stamp: Stamp, line: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = stamp.algorithm.usual_len();
    let (digest, rest) = line.split_at_checked(2 * len)?;
    let name = rest.strip_prefix(b"  ")?;
    (len >= MIN_UNTAGGED_LEN && is_hex(digest)).then_some((digest, name))
}

/// The digest and the name of `ALGORITHM (name) = digest`.
fn tagged(stamp: Stamp, line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_prefix(stamp.algorithm.tag().as_bytes())?;
    let line = line.strip_prefix(b" (")?;
    let digest_len = 2 * stamp.algorithm.usual_len();
    let (rest, digest) = line.split_at_checked(line.len().checked_sub(digest_len)?)?;
    let name = rest.strip_suffix(b") = ")?;
    is_hex(digest).then_some((digest, name))
}

fn is_hex(digest: &[u8]) -> bool {
    digest.iter().all(u8::is_ascii_hexdigit)
}

fn is_plain(name: &[u8]) -> bool {
    let relative = name.strip_prefix(b"/").unwrap_or(name);
    let mut parts = relative.split(|&byte| byte == b'/');
    parts.all(|part| !part.is_empty() && part != b".")
}
