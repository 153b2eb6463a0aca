//! Writes checksum lists: the lines that `sha256sum`, `b3sum`, `md5sum`, and the tools of BSD and OpenSSL
//! read. [`read`](super::read) reads them and those of other tools.
//!
//! Names are bytes and always unambiguous: a line break or a backslash is escaped and the line
//! begins with a backslash, as in coreutils; bytes that are not UTF-8 are written unchanged.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Algorithm, Checksum, DigestKind};

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
