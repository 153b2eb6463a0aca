//! What the name of a list says: that it is one, of which algorithm, and of which file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Algorithm;

/// The parts of names that name an algorithm, each before those that it contains.
const PARTS: [(&str, Algorithm); 34] = [
    ("sha512-256", Algorithm::Sha512_256),
    ("sha512_256", Algorithm::Sha512_256),
    ("sha512256", Algorithm::Sha512_256),
    ("sha512-224", Algorithm::Sha512_224),
    ("sha512_224", Algorithm::Sha512_224),
    ("sha512224", Algorithm::Sha512_224),
    ("sha3-224", Algorithm::Sha3_224),
    ("sha3_224", Algorithm::Sha3_224),
    ("sha3-256", Algorithm::Sha3_256),
    ("sha3_256", Algorithm::Sha3_256),
    ("sha3-384", Algorithm::Sha3_384),
    ("sha3_384", Algorithm::Sha3_384),
    ("sha3-512", Algorithm::Sha3_512),
    ("sha3_512", Algorithm::Sha3_512),
    ("sha224", Algorithm::Sha224),
    ("sha256", Algorithm::Sha256),
    ("shasums256", Algorithm::Sha256),
    ("sha384", Algorithm::Sha384),
    ("sha512", Algorithm::Sha512),
    ("shasums512", Algorithm::Sha512),
    ("sha1", Algorithm::Sha1),
    ("md5", Algorithm::Md5),
    ("blake2b", Algorithm::Blake2b),
    ("blake2s", Algorithm::Blake2s),
    ("blake3", Algorithm::Blake3),
    ("b2sum", Algorithm::Blake2b),
    ("b3sum", Algorithm::Blake3),
    ("ripemd160", Algorithm::Ripemd160),
    ("rmd160", Algorithm::Ripemd160),
    ("xxh128", Algorithm::Xxh128),
    ("xxh64", Algorithm::Xxh64),
    ("xxh32", Algorithm::Xxh32),
    ("xxh3", Algorithm::Xxh3),
    ("crc32", Algorithm::Crc32),
];

/// Extensions that name an algorithm and are too short to do so elsewhere.
const EXTENSIONS: [(&str, Algorithm); 5] = [
    ("sfv", Algorithm::Crc32),
    ("b3", Algorithm::Blake3),
    ("b2", Algorithm::Blake2b),
    ("sm3", Algorithm::Sm3),
    ("xxh", Algorithm::Xxh64),
];

/// Extensions behind the name of a list, which say nothing of it.
const COVERS: [&str; 6] = ["asc", "gpg", "sig", "sign", "text", "txt"];

/// Words before the name of an algorithm in the name of a list.
const LIST_WORDS: [&str; 6] = [
    "checksum",
    "checksums",
    "hashes",
    "manifest",
    "sums",
    "tagmanifest",
];

/// Whether a file of this name is likely to be a checksum list, such as `SHA256SUMS`, `md5sum.txt`,
/// `manifest-sha256.txt` or `disk.iso.md5`. Nothing is opened.
pub fn is_likely_list(path: &Path) -> bool {
    let name = lower_name(path);
    let stem = without_covers(&name);
    let has_tool_extension = stem.rsplit_once('.').is_some_and(|(before, extension)| {
        let tool = extension.strip_suffix("sum").unwrap_or(extension);
        !before.is_empty() && (is_algorithm(tool) || ["hash", "mtree", "sha"].contains(&tool))
    });
    let mut words = stem.split(|c: char| !c.is_ascii_alphanumeric());
    let (first, second) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let is_list_first = LIST_WORDS.contains(&first) && is_algorithm(second);
    let last = stem.rsplit(['-', '.', '_', ' ']).next().unwrap_or_default();
    has_tool_extension || is_list_first || is_list_word(last)
}

/// Whether a word is `checksum`, or the name of a tool such as `md5sums` or `shasums256`.
fn is_list_word(word: &str) -> bool {
    let word = match word.strip_prefix("shasums") {
        Some(_) => "shasums",
        None => word,
    };
    let before = word.strip_suffix('s').unwrap_or(word).strip_suffix("sum");
    let is_tool = |name: &str| is_algorithm(name) || ["check", "ck", "sha"].contains(&name);
    before.is_some_and(is_tool)
}

fn is_algorithm(word: &str) -> bool {
    let mut names = PARTS.iter().chain(&EXTENSIONS);
    names.any(|(name, _)| *name == word)
}

/// The algorithm that the name of a list names.
pub(in crate::jobs) fn algorithm_of(list: &Path) -> Option<Algorithm> {
    let name = lower_name(list);
    let stem = without_covers(&name);
    let extension = stem.rsplit_once('.').map_or("", |(_, extension)| extension);
    let by_extension = EXTENSIONS.iter().find(|(name, _)| *name == extension);
    let by_part = PARTS.iter().filter_map(|(part, algorithm)| {
        let at = name.find(part)?;
        let next = name[at + part.len()..].chars().next();
        let goes_on = next.is_some_and(|next| next.is_ascii_digit());
        (!goes_on).then_some(algorithm)
    });
    by_extension
        .map(|(_, algorithm)| algorithm)
        .or_else(|| by_part.clone().next())
        .copied()
}

/// The file that a list with a digest alone is about: `disk.iso` for `disk.iso.sha256`.
pub(in crate::jobs) fn file_of(list: &Path) -> Option<PathBuf> {
    let mut file = list.to_owned();
    if let Some(extension) = lower(file.extension())
        && COVERS.contains(&extension.as_str())
    {
        file.set_extension("");
    }
    let extension = lower(file.extension())?;
    let tool = extension.strip_suffix("sum").unwrap_or(&extension);
    let is_algorithm = Algorithm::from_tag(tool).is_some()
        || ["digest", "hash", "sha", "xxh"].contains(&tool)
        || EXTENSIONS.iter().any(|(name, _)| *name == tool);
    is_algorithm.then(|| file.with_extension(""))
}

fn without_covers(name: &str) -> &str {
    let mut stem = name;
    while let Some((before, extension)) = stem.rsplit_once('.')
        && COVERS.contains(&extension)
        && !before.is_empty()
    {
        stem = before;
    }
    stem
}

fn lower_name(path: &Path) -> String {
    lower(path.file_name()).unwrap_or_default()
}

fn lower(part: Option<&OsStr>) -> Option<String> {
    Some(part?.to_string_lossy().to_ascii_lowercase())
}
