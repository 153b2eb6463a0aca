//! Digests as lists write them.

use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER_PERMISSIVE};

use super::Claim;
use crate::jobs::checksum::Algorithm;

/// A digest of any length has at least this many bytes where nothing names its algorithm.
pub(in crate::jobs::checksum) const MIN_ANY_LEN: usize = 16;

/// The bytes of a digest that a user typed or pasted, with its algorithm if a word before it says so.
pub(in crate::jobs) fn from_text(text: &str) -> Option<Claim> {
    let text: String = text.split_whitespace().collect();
    let (tag, digest) = match text.rsplit_once([':', '=']) {
        Some((tag, digest)) if Algorithm::from_tag(tag).is_some() => (Some(tag), digest),
        _ => (None, text.as_str()),
    };
    if let Some(tag) = tag {
        return tagged(tag, digest.as_bytes());
    }
    let digest = without_colons(digest.as_bytes());
    untagged(&digest).or_else(|| sri(&digest)).or_else(|| {
        let digest = base64(&digest)?;
        is_usual(digest.len()).then_some(Claim { digest, tag: None })
    })
}

/// Hexadecimal digits of a length that digests have.
pub(super) fn untagged(text: &[u8]) -> Option<Claim> {
    let digest = hex(text)?;
    let is_possible = is_usual(digest.len()) || digest.len() >= MIN_ANY_LEN;
    is_possible.then_some(Claim { digest, tag: None })
}

/// `sha256:HEX` or `sha256-BASE64`.
pub(super) fn prefixed(text: &[u8]) -> Option<Claim> {
    let colon = text.iter().position(|&byte| byte == b':');
    colon
        .and_then(|colon| tagged(str::from_utf8(&text[..colon]).ok()?, &text[colon + 1..]))
        .or_else(|| sri(text))
}

fn sri(text: &[u8]) -> Option<Claim> {
    let dash = text.iter().position(|&byte| byte == b'-')?;
    let (algorithm, None) = Algorithm::from_tag(str::from_utf8(&text[..dash]).ok()?)? else {
        return None;
    };
    let digest = base64(&text[dash + 1..])?;
    algorithm.fits(digest.len()).then_some(Claim {
        digest,
        tag: Some(algorithm),
    })
}

/// Base64 or base32 of a length that digests have.
pub(super) fn compact(text: &[u8]) -> Option<Claim> {
    let is_padded = text.ends_with(b"=") || matches!(text.len(), 64);
    let digest = if is_padded {
        base64(text)
    } else {
        base32(text)
    };
    digest
        .filter(|digest| digest.len() >= MIN_ANY_LEN && is_usual(digest.len()))
        .map(|digest| Claim { digest, tag: None })
}

/// The digest of a line that names its algorithm, in hexadecimal digits or base64.
pub(super) fn tagged(tag: &str, digest: &[u8]) -> Option<Claim> {
    let (name, is_reversed) = match tag.strip_suffix("_LE") {
        Some(name) if name.starts_with("XXH") => (name, true),
        _ => (tag, false),
    };
    let (algorithm, len) = Algorithm::from_tag(name)?;
    let fits = |digest: &Vec<u8>| {
        let len = len.unwrap_or(digest.len());
        digest.len() == len && algorithm.fits(len)
    };
    let digits = without_colons(digest);
    let found = hex(&digits).filter(fits);
    let mut digest = found.or_else(|| base64(digest).filter(fits))?;
    if is_reversed {
        digest.reverse();
    }
    Some(Claim {
        digest,
        tag: Some(algorithm),
    })
}

/// Whether a text could be a digest of some algorithm.
pub(super) fn is_likely(text: &[u8]) -> bool {
    hex(&without_colons(text)).is_some_and(|digest| digest.len() >= 4)
        || compact(text).is_some()
        || text.len() >= 32 && base64(text).is_some()
}

fn is_usual(len: usize) -> bool {
    Algorithm::ALL.iter().any(|one| one.usual_len() == len)
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digest = HEXLOWER_PERMISSIVE.decode(text).ok()?;
    (!digest.is_empty()).then_some(digest)
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digest = BASE64.decode(text).ok()?;
    (!digest.is_empty()).then_some(digest)
}

fn base32(text: &[u8]) -> Option<Vec<u8>> {
    BASE32_NOPAD.decode(&text.to_ascii_uppercase()).ok()
}

fn without_colons(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|&byte| byte != b':').collect()
}
