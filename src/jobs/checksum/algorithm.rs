use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::choice::choices;

/// A checksum algorithm. The order of [`Algorithm::ALL`] is that of use, the commonest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// BLAKE3: cryptographic, by far the fastest of those, and uses several cores. Of any length.
    #[default]
    Blake3,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1: detects accidents, no longer stops an attacker.
    Sha1,
    /// MD5: detects accidents, no longer stops an attacker.
    Md5,
    /// CRC-32 as in zip and gzip: detects accidents only.
    Crc32,
    /// XXH3 with 64 bits: detects accidents only, as fast as memory.
    Xxh3,
    /// XXH3 with 128 bits: detects accidents only, as fast as memory.
    Xxh128,
    /// `BLAKE2b`, as `b2sum` computes it. Of any length up to 512 bits.
    Blake2b,
    /// SHA-384.
    Sha384,
    /// SHA3-256.
    #[serde(rename = "sha3-256")]
    Sha3_256,
    /// SHA3-512.
    #[serde(rename = "sha3-512")]
    Sha3_512,
    /// SHA-224.
    Sha224,
    /// SHA-512/256: the half of a SHA-512 with other initial values.
    #[serde(rename = "sha512-256")]
    Sha512_256,
    /// BLAKE2s, for small processors. Of any length up to 256 bits.
    Blake2s,
    /// SHA3-384.
    #[serde(rename = "sha3-384")]
    Sha3_384,
    /// SHA3-224.
    #[serde(rename = "sha3-224")]
    Sha3_224,
    /// SHA-512/224.
    #[serde(rename = "sha512-224")]
    Sha512_224,
    /// RIPEMD-160.
    Ripemd160,
    /// SM3, the Chinese standard.
    Sm3,
    /// XXH64: detects accidents only.
    Xxh64,
    /// XXH32: detects accidents only.
    Xxh32,
}

choices!(pub Algorithm {
    Blake3 => "BLAKE3",
    Sha256 => "SHA-256",
    Sha512 => "SHA-512",
    Sha1 => "SHA-1",
    Md5 => "MD5",
    Crc32 => "CRC-32",
    Xxh3 => "XXH3",
    Xxh128 => "XXH128",
    Blake2b => "BLAKE2b",
    Sha384 => "SHA-384",
    Sha3_256 => "SHA3-256",
    Sha3_512 => "SHA3-512",
    Sha224 => "SHA-224",
    Sha512_256 => "SHA-512/256",
    Blake2s => "BLAKE2s",
    Sha3_384 => "SHA3-384",
    Sha3_224 => "SHA3-224",
    Sha512_224 => "SHA-512/224",
    Ripemd160 => "RIPEMD-160",
    Sm3 => "SM3",
    Xxh64 => "XXH64",
    Xxh32 => "XXH32",
});

impl Algorithm {
    /// The most bytes of a BLAKE3 digest, which has no length of its own: twice as many digits still
    /// fit a line of a list, beside the longest name.
    const MAX_BLAKE3_LEN: usize = 4096;

    /// The name on the command line and in files, such as `sha256`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::Crc32 => "crc32",
            Self::Xxh3 => "xxh3",
            Self::Xxh128 => "xxh128",
            Self::Blake2b => "blake2b",
            Self::Sha384 => "sha384",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_512 => "sha3-512",
            Self::Sha224 => "sha224",
            Self::Sha512_256 => "sha512-256",
            Self::Blake2s => "blake2s",
            Self::Sha3_384 => "sha3-384",
            Self::Sha3_224 => "sha3-224",
            Self::Sha512_224 => "sha512-224",
            Self::Ripemd160 => "ripemd160",
            Self::Sm3 => "sm3",
            Self::Xxh64 => "xxh64",
            Self::Xxh32 => "xxh32",
        }
    }

    /// The name by which lists of the BSD style call it: `SHA256 (name) = …`. Such a list gives the
    /// length of a BLAKE2 or BLAKE3 digest behind it, if it is not the usual one.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Sha1 => "SHA1",
            Self::Crc32 => "CRC32",
            Self::Sha384 => "SHA384",
            Self::Sha224 => "SHA224",
            Self::Sha512_256 => "SHA512/256",
            Self::Sha512_224 => "SHA512/224",
            Self::Ripemd160 => "RIPEMD160",
            _ => self.title(),
        }
    }

    /// The usual number of bytes of a digest.
    pub fn usual_len(self) -> usize {
        match self {
            Self::Sha512 | Self::Blake2b | Self::Sha3_512 => 64,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Blake3
            | Self::Sha256
            | Self::Sha3_256
            | Self::Sha512_256
            | Self::Blake2s
            | Self::Sm3 => 32,
            Self::Sha224 | Self::Sha3_224 | Self::Sha512_224 => 28,
            Self::Sha1 | Self::Ripemd160 => 20,
            Self::Md5 | Self::Xxh128 => 16,
            Self::Xxh3 | Self::Xxh64 => 8,
            Self::Crc32 | Self::Xxh32 => 4,
        }
    }

    /// The most bytes of a digest.
    pub fn longest(self) -> usize {
        match self {
            Self::Blake3 => Self::MAX_BLAKE3_LEN,
            _ => self.usual_len(),
        }
    }

    /// Whether a digest may have this number of bytes.
    pub fn fits(self, len: usize) -> bool {
        if self.has_any_length() {
            (1..=self.longest()).contains(&len)
        } else {
            len == self.usual_len()
        }
    }

    /// Whether digests of several lengths exist.
    pub fn has_any_length(self) -> bool {
        matches!(self, Self::Blake3 | Self::Blake2b | Self::Blake2s)
    }

    /// The algorithms whose digests may have this number of bytes: first those whose usual length it
    /// is, the commonest first, then the others.
    pub fn of_len(len: usize) -> impl Iterator<Item = Self> {
        let usual = move |algorithm: &Self| algorithm.usual_len() == len;
        let all = || Self::ALL.into_iter().filter(move |one| one.fits(len));
        all()
            .filter(usual)
            .chain(all().filter(move |one| !usual(one)))
    }

    /// The algorithm that a list or a tool calls `tag`, as in `SHA256 (name) = …`, and the number of
    /// bytes of its digests if the tag says it, as in `BLAKE2b-256`.
    ///
    /// Ignores case and punctuation, and also accepts the names that OpenSSL (`SHA2-256`), BSD
    /// (`RMD160`) and `xxhsum` write.
    pub fn from_tag(tag: &str) -> Option<(Self, Option<usize>)> {
        let plain = without_punctuation(tag);
        let name = match plain.as_str() {
            "b3" => "blake3",
            "rmd160" => "ripemd160",
            "sha2224" => "sha224",
            "sha2256" => "sha256",
            "sha2384" => "sha384",
            "sha2512" => "sha512",
            "sha2512224" => "sha512224",
            "sha2512256" => "sha512256",
            "xxh364" => "xxh3",
            "xxh3128" => "xxh128",
            name => name,
        };
        let named = |name: &str| {
            let mut all = Self::ALL.into_iter();
            all.find(|algorithm| without_punctuation(algorithm.id()) == name)
        };
        if let Some(algorithm) = named(name) {
            return Some((algorithm, None));
        }
        let mut of_any_length = Self::ALL.into_iter().filter(|one| one.has_any_length());
        of_any_length.find_map(|algorithm| {
            let bits = name.strip_prefix(algorithm.id())?;
            let kind = DigestKind::with_bits(algorithm, bits.parse().ok()?).ok()?;
            Some((algorithm, Some(kind.len())))
        })
    }
}

fn without_punctuation(name: &str) -> String {
    name.replace(['-', '_', '/'], "").to_ascii_lowercase()
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// The name of an algorithm that this program does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a checksum algorithm; choose one of {names}", names = ids())]
pub struct UnknownAlgorithm(pub String);

fn ids() -> String {
    Algorithm::ALL.map(Algorithm::id).join(", ")
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Accepts an [`Algorithm::id`], an [`Algorithm::title`] or a tag without a length, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match Self::from_tag(name) {
            Some((algorithm, None)) => Ok(algorithm),
            _ => Err(UnknownAlgorithm(name.to_owned())),
        }
    }
}

/// An algorithm and the length of its digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DigestKind {
    algorithm: Algorithm,
    len: usize,
}

impl DigestKind {
    /// Digests of `len` bytes.
    ///
    /// # Errors
    /// The algorithm has no such digests.
    pub fn new(algorithm: Algorithm, len: usize) -> Result<Self, UnknownDigest> {
        if algorithm.fits(len) {
            Ok(Self { algorithm, len })
        } else {
            let bits = len.saturating_mul(8);
            Err(UnknownDigest::Length { algorithm, bits })
        }
    }

    /// Digests of `bits` bits.
    ///
    /// # Errors
    /// The algorithm has no such digests.
    pub fn with_bits(algorithm: Algorithm, bits: usize) -> Result<Self, UnknownDigest> {
        if bits.is_multiple_of(8) {
            Self::new(algorithm, bits / 8)
        } else {
            Err(UnknownDigest::Length { algorithm, bits })
        }
    }

    pub fn algorithm(self) -> Algorithm {
        self.algorithm
    }

    /// The number of bytes of a digest, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "no digest is empty")]
    pub fn len(self) -> usize {
        self.len
    }

    /// The tag of a list: that of the algorithm, with the bits if they are not the usual ones.
    pub fn tag(self) -> String {
        self.with_unusual_bits(self.algorithm.tag())
    }

    fn with_unusual_bits(self, name: &str) -> String {
        if self.len == self.algorithm.usual_len() {
            name.to_owned()
        } else {
            format!("{name}-{}", self.len * 8)
        }
    }
}

impl From<Algorithm> for DigestKind {
    /// Digests of the usual length.
    fn from(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            len: algorithm.usual_len(),
        }
    }
}

impl fmt::Display for DigestKind {
    /// The id of the algorithm, with the bits if they are not the usual ones: `blake2b-256`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_unusual_bits(self.algorithm.id()))
    }
}

impl FromStr for DigestKind {
    type Err = UnknownDigest;

    /// Accepts a tag, as [`Algorithm::from_tag`] does.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match Algorithm::from_tag(name) {
            Some((algorithm, Some(len))) => Self::new(algorithm, len),
            Some((algorithm, None)) => Ok(algorithm.into()),
            None => Err(UnknownAlgorithm(name.to_owned()).into()),
        }
    }
}

impl From<DigestKind> for String {
    fn from(kind: DigestKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for DigestKind {
    type Error = UnknownDigest;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

/// A digest that this program can't compute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownDigest {
    #[error(transparent)]
    Algorithm(#[from] UnknownAlgorithm),
    #[error("{algorithm} has no digests of {bits} bits")]
    Length {
        algorithm: Algorithm,
        /// The bits that were asked for.
        bits: usize,
    },
}
