//! The lines of coreutils, b3sum, BSD and OpenSSL: `digest  name` and `ALGORITHM (name) = digest`.

use super::{Claim, Entry, Line, MIN_ANY_LEN, Mode, digest};
use crate::jobs::checksum::Algorithm;

/// Understands `digest  name`, `digest *name`, `digest name`, a tab in the place of the blanks, a size
/// before the digest or the name, and a digest alone. `None` if the line is nothing of these.
///
/// `has_one_space` is decided by the first line, as `sha256sum -c` does: in a list of `digest name`, a
/// second space belongs to the name.
pub(super) fn plain(line: &[u8], has_one_space: &mut Option<bool>) -> Option<Line> {
    let (line, is_escaped) = without_mark(line);
    let (token, rest) = split_token(line);
    if let Some(bytes) = size(token)
        && let Some(entry) = sized(bytes, rest)
    {
        return Some(Line::Entry(entry));
    }
    let has_mark = rest.starts_with(b"  ") || rest.starts_with(b" *");
    let claim = digest::untagged(token)
        .or_else(|| digest::prefixed(token))
        .or_else(|| has_mark.then(|| digest::compact(token)).flatten())?;
    let is_name = has_mark && rest.len() > 2;
    if rest.trim_ascii().is_empty() && !is_name {
        return alone(claim, rest);
    }
    let names = names(rest, has_one_space);
    Some(match entry(names, claim, is_escaped) {
        Line::Entry(entry) => Line::Entry(Entry {
            mode: Mode::of(rest),
            ..entry
        }),
        other => other,
    })
}

/// A digest without a name is a list if it is long enough to be no word.
fn alone(claim: Claim, rest: &[u8]) -> Option<Line> {
    let is_long = claim.digest.len() >= MIN_ANY_LEN || claim.tag.is_some();
    (is_long && rest.len() < 2).then(|| Line::Entry(claim.into()))
}

fn entry(names: Vec<&[u8]>, claim: Claim, is_escaped: bool) -> Line {
    let unescaped = |name: &[u8]| {
        if is_escaped {
            unescape(name)
        } else {
            Some(name.to_vec())
        }
    };
    let names: Option<Vec<_>> = names.into_iter().map(unescaped).collect();
    match names {
        Some(names) => Line::Entry(Entry {
            names,
            claims: vec![claim],
            is_escaped,
            ..Entry::default()
        }),
        None => Line::NoChecksum,
    }
}

/// `size  digest  name`, as `md5deep -z` writes.
fn sized(bytes: u64, rest: &[u8]) -> Option<Entry> {
    let rest = rest.trim_ascii_start();
    let (token, rest) = split_token(rest);
    let claim = digest::untagged(token).filter(|claim| claim.digest.len() >= MIN_ANY_LEN)?;
    let name = rest.strip_prefix(b"  ").filter(|name| !name.is_empty())?;
    Some(Entry {
        bytes: Some(bytes),
        ..Entry::of(name, vec![claim])
    })
}

/// The names that the part behind a digest can mean.
fn names<'a>(rest: &'a [u8], has_one_space: &mut Option<bool>) -> Vec<&'a [u8]> {
    let (blank, whole) = (rest[0], &rest[1..]);
    let has_mark = matches!(whole.first(), Some(b' ' | b'*')) && whole.len() > 1;
    let one_space = *has_one_space.get_or_insert(blank == b'\t' || !has_mark);
    let first = if has_mark && !one_space {
        &whole[1..]
    } else {
        whole
    };
    let mut names = vec![first];
    let mut add = |name: &'a [u8]| {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    if has_mark {
        add(&whole[1..]);
    }
    add(whole);
    let trimmed = whole.trim_ascii();
    add(trimmed);
    add(trimmed.strip_prefix(b"*").unwrap_or(trimmed));
    // The tables of `7z h` and the lists of Debian have the size between digest and name.
    let (token, name) = split_token(trimmed);
    if size(token).is_some() {
        add(name.trim_ascii());
    }
    names
}

/// Understands `ALGORITHM (name) = digest`, also without the spaces before `(` and `=`, and with base64.
/// `None` if the line has another form.
pub(super) fn tagged(line: &[u8]) -> Option<Line> {
    let (line, is_escaped) = without_mark(line);
    let open = line.iter().position(|&byte| byte == b'(')?;
    let tag = line[..open].trim_ascii_end();
    let rest = &line[open + 1..];
    let close = rest.iter().rposition(|&byte| byte == b')')?;
    let name = &rest[..close];
    let digest = rest[close + 1..].trim_ascii().strip_prefix(b"=")?;
    let digest = digest.trim_ascii_start();
    let is_tag = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_/".contains(byte);
    if tag.is_empty() || !tag.iter().all(is_tag) {
        return None;
    }
    if name.is_empty() {
        return Some(Line::NoChecksum);
    }
    let tag = str::from_utf8(tag).ok()?;
    Some(match digest::tagged(tag, digest) {
        Some(claim) => entry(vec![name], claim, is_escaped),
        None if is_unknown(tag) && digest::is_likely(digest) => Line::Unknown(tag.to_owned()),
        None => Line::NoChecksum,
    })
}

/// Whether a tag may be an algorithm that is not known here.
fn is_unknown(tag: &str) -> bool {
    Algorithm::from_tag(tag).is_none() && !tag.eq_ignore_ascii_case("size")
}

/// The line without the backslash that marks escapes in its name.
fn without_mark(line: &[u8]) -> (&[u8], bool) {
    match line.strip_prefix(b"\\") {
        Some(line) => (line, true),
        None => (line, false),
    }
}

/// A name without its escape sequences; `None` if it has an unknown one.
pub(in crate::jobs) fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'\\') => b'\\',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(plain)
}

/// Splits before the first space or tab.
pub(super) fn split_token(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| b" \t".contains(byte));
    line.split_at(end.unwrap_or(line.len()))
}

pub(super) fn size(token: &[u8]) -> Option<u64> {
    let is_number = token.iter().all(u8::is_ascii_digit);
    str::from_utf8(token)
        .ok()
        .filter(|_| is_number)?
        .parse()
        .ok()
}
