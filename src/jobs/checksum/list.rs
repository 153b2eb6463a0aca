//! Checksum lists: the lines that `sha256sum`, `b3sum`, `md5sum`, and the tools of BSD and OpenSSL
//! write and read.
//!
//! Names are bytes and always unambiguous: a line break or a backslash is escaped and the line
//! begins with a backslash, as in coreutils; bytes that are not UTF-8 are written unchanged.

use std::borrow::Cow;
#[cfg(unix)]
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Algorithm, Checksum, DigestKind};

/// One line of a list that names a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The name in the list, unescaped.
    pub name: PathBuf,
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
    /// The algorithm, if the line names it.
    pub tag: Option<Algorithm>,
}

/// A fault of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is marked as escaped, but has an unknown escape sequence.
    #[error("its name has an unknown escape sequence")]
    Escape,
    /// The digest does not have the length of the algorithm that the line or the user names.
    #[error("no possible algorithm has digests of {digits} digits")]
    Length {
        /// The number of its digits.
        digits: usize,
    },
    /// There is no file name.
    #[error("it names no file")]
    NoName,
    /// It has neither of the two forms.
    #[error("it has neither the form `digest  name` nor `ALGORITHM (name) = digest`")]
    Shape,
    /// It names an algorithm that this program does not have.
    #[error("{0:?} is not a supported algorithm")]
    Tag(String),
    /// The name is not possible on this system.
    #[error("its name is not a valid file name on this system")]
    Unnameable,
}

/// The form of the lines of a list. Either field makes lines that fewer tools read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListForm {
    /// All lines name the algorithm: `SHA256 (name) = …`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tag: bool,
    /// Lines end with a zero byte, and no name is escaped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub zero: bool,
}

impl ListForm {
    /// Whether it is the form that most tools read.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The line that records `checksum` for the file `name`, with its line end; if it has digests of
/// several algorithms, a line for each.
///
/// BLAKE3, SHA-1, SHA-2 and MD5 lines have the form that `b3sum -c`, `sha256sum -c` and so on read:
/// `digest  name`. Other digests have the length of one of these, or are those of several tools, so
/// their lines name the algorithm: `XXH3 (name) = digest`, which `xxhsum -c`, `b2sum -c` and so on
/// read, too. So do the lines of several algorithms.
pub fn line(checksum: &Checksum, name: &Path, form: ListForm) -> Vec<u8> {
    let name = name.as_os_str().as_encoded_bytes();
    let kind = kind(checksum.algorithm, &checksum.digest);
    let is_alone = checksum.also.is_empty();
    let has_tag = form.tag || !is_alone || needs_tag(kind);
    let mut lines = line_of(kind, has_tag, &checksum.digest, name, form);
    for also in &checksum.also {
        let kind = self::kind(also.algorithm, &also.digest);
        lines.extend(line_of(kind, has_tag, &also.digest, name, form));
    }
    lines
}

fn line_of(kind: DigestKind, has_tag: bool, digest: &str, name: &[u8], form: ListForm) -> Vec<u8> {
    let is_escaped = !form.zero && needs_escape(kind.algorithm(), name);
    let mark: &[u8] = if is_escaped { b"\\" } else { b"" };
    let end: &[u8] = if form.zero { b"\0" } else { b"\n" };
    let escaped = if is_escaped {
        Cow::Owned(escape(name))
    } else {
        Cow::Borrowed(name)
    };
    if has_tag {
        let tag = kind.tag();
        let parts = [
            mark,
            tag.as_bytes(),
            b" (",
            &escaped,
            b") = ",
            digest.as_bytes(),
            end,
        ];
        parts.concat()
    } else {
        [mark, digest.as_bytes(), b"  ", &escaped, end].concat()
    }
}

/// Whether the name can't stand in a line as it is. `xxhsum` and `b3sum` know fewer escape sequences
/// than coreutils, so their names are escaped only where a line would be ambiguous.
fn needs_escape(algorithm: Algorithm, name: &[u8]) -> bool {
    use Algorithm::{Blake3, Xxh3, Xxh32, Xxh64, Xxh128};

    let is_xxh = matches!(algorithm, Xxh3 | Xxh32 | Xxh64 | Xxh128);
    name.contains(&b'\n')
        || name.ends_with(b"\r")
        || name.contains(&b'\\') && !is_xxh
        || name.contains(&b'\r') && !is_xxh && algorithm != Blake3
}

/// The line of an SFV list, which `cksfv` reads. `None` if the checksum is no CRC-32, or for a name that
/// would be broken or lost there: SFV knows no escapes.
pub(super) fn sfv_line(checksum: &Checksum, name: &Path) -> Option<Vec<u8>> {
    let name = name.as_os_str().as_encoded_bytes();
    let is_crc32 = checksum.algorithm == Algorithm::Crc32 && checksum.also.is_empty();
    let is_possible = is_crc32 && !name.starts_with(b";") && !name.contains(&b'\n');
    let digest = checksum.digest.to_ascii_uppercase();
    is_possible.then(|| [name, b" ", digest.as_bytes(), b"\n"].concat())
}

/// Whether a line, without its end, is one of an SFV list.
pub(super) fn is_sfv(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let (_, digest) = line.split_at(line.len().saturating_sub(8));
    line.starts_with(b";") || digest.len() == 8 && digest.iter().all(u8::is_ascii_hexdigit)
}

fn kind(algorithm: Algorithm, digest: &str) -> DigestKind {
    DigestKind::new(algorithm, digest.len() / 2).unwrap_or(algorithm.into())
}

/// Whether a line without a tag could be of another algorithm.
fn needs_tag(kind: DigestKind) -> bool {
    match kind.algorithm() {
        Algorithm::Blake3 => kind != Algorithm::Blake3.into(),
        Algorithm::Sha224
        | Algorithm::Sha256
        | Algorithm::Sha384
        | Algorithm::Sha512
        | Algorithm::Sha1
        | Algorithm::Md5 => false,
        _ => true,
    }
}

/// Parses one line, without its `\n`. Returns `None` for a blank line or a comment (`# …`).
///
/// A `\r` at the end belongs to the line end. The digest may be in capitals; a space follows it and
/// then the mark for text (another space), for binary (`*`), or none.
///
/// # Errors
/// The line is malformed. Never panics.
pub fn parse(line: &[u8]) -> Result<Option<ListEntry>, Malformed> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.trim_ascii_start();
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(None);
    }
    let (line, is_escaped) = match line.strip_prefix(b"\\") {
        Some(line) => (line, true),
        None => (line, false),
    };
    let parts = match plain(line) {
        Some(parts) => parts,
        None => tagged(line)?,
    };
    let name = if is_escaped {
        unescape(parts.name).ok_or(Malformed::Escape)?
    } else {
        parts.name.to_vec()
    };
    Ok(Some(ListEntry {
        name: path(name)?,
        digest: String::from_utf8_lossy(parts.digest).to_ascii_lowercase(),
        tag: parts.tag,
    }))
}

struct Parts<'a> {
    name: &'a [u8],
    digest: &'a [u8],
    tag: Option<Algorithm>,
}

/// Splits `digest  name`.
fn plain(line: &[u8]) -> Option<Parts<'_>> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (digest, rest) = line.split_at(digits);
    let name = rest.strip_prefix(b" ")?;
    let name = match name.split_first() {
        Some((b' ' | b'*', name)) => name,
        _ => name,
    };
    (digits >= 2 * Algorithm::Crc32.usual_len()).then_some(Parts {
        name,
        digest,
        tag: None,
    })
}

/// Splits `ALGORITHM (name) = digest`, also without the spaces before `(` and `=`.
fn tagged(line: &[u8]) -> Result<Parts<'_>, Malformed> {
    let open = line
        .iter()
        .position(|&byte| byte == b'(')
        .ok_or(Malformed::Shape)?;
    let tag = line[..open].trim_ascii_end();
    let rest = &line[open + 1..];
    let close = rest
        .iter()
        .rposition(|&byte| byte == b')')
        .ok_or(Malformed::Shape)?;
    let digest = rest[close + 1..]
        .trim_ascii()
        .strip_prefix(b"=")
        .ok_or(Malformed::Shape)?;
    let digest = digest.trim_ascii_start();
    let is_tag = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_/".contains(byte);
    if tag.is_empty() || !tag.iter().all(is_tag) || !digest.iter().all(u8::is_ascii_hexdigit) {
        return Err(Malformed::Shape);
    }
    let tag = String::from_utf8_lossy(tag);
    let (algorithm, len) =
        Algorithm::from_tag(&tag).ok_or_else(|| Malformed::Tag(tag.into_owned()))?;
    let digits = digest.len();
    let found = digits / 2;
    if !digits.is_multiple_of(2) || len.unwrap_or(found) != found || !algorithm.fits(found) {
        return Err(Malformed::Length { digits });
    }
    Ok(Parts {
        name: &rest[..close],
        digest,
        tag: Some(algorithm),
    })
}

fn escape(name: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len());
    for &byte in name {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            byte => escaped.push(byte),
        }
    }
    escaped
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

/// The path of a name in a list.
pub(in crate::jobs) fn path(name: Vec<u8>) -> Result<PathBuf, Malformed> {
    if name.is_empty() {
        return Err(Malformed::NoName);
    }
    if name.contains(&0) {
        return Err(Malformed::Unnameable);
    }
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(name);
    #[cfg(not(unix))]
    let name = String::from_utf8(name).or(Err(Malformed::Unnameable))?;
    Ok(PathBuf::from(name))
}
