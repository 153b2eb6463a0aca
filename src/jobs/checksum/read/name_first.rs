//! Lines that begin with the name: SFV, several digests of rhash, `gpg --print-md`.

use percent_encoding::percent_decode;

use super::plain::size;
use super::{Claim, Entry, Line, digest};
use crate::jobs::checksum::Algorithm;

/// Understands `name digest`, `name: digest`, several digests behind a name, and the columns of
/// `gpg --with-colons`. Eight digits are a CRC-32 in an SFV file, and a word elsewhere.
pub(super) fn line(line: &[u8], is_sfv: bool) -> Option<Line> {
    if let Some(entry) = colons(line) {
        return Some(Line::Entry(entry));
    }
    let mut name = line.trim_ascii_end();
    let mut claims = Vec::new();
    while let Some(blank) = name
        .trim_ascii_end()
        .iter()
        .rposition(|byte| b" \t".contains(byte))
    {
        let Some(claim) = claim(&name.trim_ascii_end()[blank + 1..], is_sfv) else {
            break;
        };
        claims.insert(0, claim);
        name = &name[..blank];
    }
    let trimmed = name.trim_ascii();
    if claims.is_empty() || trimmed.is_empty() {
        return None;
    }
    // rhash writes two blanks before each of several digests. Others may belong to the name.
    let without_gap = name.strip_suffix(b" ").unwrap_or(name);
    let whole = if claims.len() > 1 { without_gap } else { name };
    let short = trimmed.strip_suffix(b":").filter(|short| !short.is_empty());
    let mut names: Vec<Vec<u8>> = Vec::new();
    for name in short.into_iter().chain([whole, without_gap, trimmed]) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_vec());
        }
    }
    Some(Line::Entry(Entry {
        names,
        claims,
        ..Entry::default()
    }))
}

fn claim(token: &[u8], is_sfv: bool) -> Option<Claim> {
    let claim = digest::untagged(token)?;
    match claim.digest.len() {
        4 if is_sfv => Some(Claim {
            tag: Some(Algorithm::Crc32),
            ..claim
        }),
        ..16 => None,
        _ => Some(claim),
    }
}

/// `name:8:DIGEST:`, where 8 is the number of the algorithm in `OpenPGP`.
fn colons(line: &[u8]) -> Option<Entry> {
    let mut fields = line.strip_suffix(b":")?.rsplitn(3, |&byte| byte == b':');
    let (digest, number, name) = (fields.next()?, fields.next()?, fields.next()?);
    let algorithm = match size(number)? {
        1 => Algorithm::Md5,
        2 => Algorithm::Sha1,
        3 => Algorithm::Ripemd160,
        8 => Algorithm::Sha256,
        9 => Algorithm::Sha384,
        10 => Algorithm::Sha512,
        11 => Algorithm::Sha224,
        _ => return None,
    };
    let claim = digest::tagged(algorithm.tag(), digest)?;
    let name: Vec<u8> = percent_decode(name).collect();
    (!name.is_empty()).then(|| Entry::of(&name, vec![claim]))
}

/// The groups of digits of `gpg --print-md`, which go on in the next lines.
#[derive(Debug, Default)]
pub(super) struct Gpg {
    name: Vec<u8>,
    digits: Vec<u8>,
}

impl Gpg {
    /// Whether the line begins an entry: `name: F9B37B03 B6EFDC46 …`.
    pub(super) fn begins(&mut self, line: &[u8]) -> bool {
        let Some(colon) = line.windows(2).rposition(|pair| pair == b": ") else {
            return false;
        };
        let Some(digits) = groups(&line[colon + 1..], 2) else {
            return false;
        };
        if colon == 0 {
            return false;
        }
        self.name = line[..colon].to_vec();
        self.digits = digits;
        true
    }

    /// Whether the line continues the entry that has begun.
    pub(super) fn goes_on(&mut self, line: &[u8]) -> bool {
        if self.name.is_empty() || !line.starts_with(b" ") || self.digits.len() > 128 {
            return false;
        }
        let more = groups(line, 1);
        self.digits.extend(more.iter().flatten());
        more.is_some()
    }

    /// The entry that has begun, if it is one.
    pub(super) fn finish(&mut self) -> Option<Entry> {
        let name = std::mem::take(&mut self.name);
        let digits = std::mem::take(&mut self.digits);
        let claim = digest::untagged(&digits).filter(|_| !name.is_empty())?;
        Some(Entry::of(&name, vec![claim]))
    }
}

/// The digits of groups in capitals: of two, four or eight digits, at least so many groups.
fn groups(text: &[u8], at_least: usize) -> Option<Vec<u8>> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    let mut count = 0;
    let mut digits = Vec::new();
    for group in text.split(|&byte| byte == b' ') {
        if group.is_empty() {
            continue;
        }
        if !matches!(group.len(), 2 | 4 | 8) || !group.iter().all(is_digit) {
            return None;
        }
        count += 1;
        digits.extend(group);
    }
    (count >= at_least).then_some(digits)
}
