use std::fmt;
use std::str::FromStr;

use digest::DynDigest;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::choice::choices;

#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Algorithm {
    /// BLAKE3 with 256 bits: cryptographic, by far the fastest of those, and uses several cores.
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
}

choices!(pub Algorithm {
    Blake3 => "BLAKE3",
    Sha256 => "SHA-256",
    Sha512 => "SHA-512",
    Sha1 => "SHA-1",
    Md5 => "MD5",
    Crc32 => "CRC-32",
    Xxh3 => "XXH3",
});

impl Algorithm {
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
        }
    }

    /// The number of hexadecimal digits of a digest.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Blake3 | Self::Sha256 => 64,
            Self::Sha512 => 128,
            Self::Sha1 => 40,
            Self::Md5 => 32,
            Self::Crc32 => 8,
            Self::Xxh3 => 16,
        }
    }

    /// The algorithm that BSD-style lists call `tag`, as in `SHA256 (name) = …`.
    ///
    /// Ignores case and punctuation, and also accepts the names that OpenSSL writes (`SHA2-256`).
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.replace(['-', '_'], "").to_ascii_lowercase();
        match tag.as_str() {
            "sha2256" => Some(Self::Sha256),
            "sha2512" => Some(Self::Sha512),
            tag => Self::ALL
                .into_iter()
                .find(|algorithm| algorithm.id() == tag),
        }
    }
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

    /// Accepts an [`Algorithm::id`] or an [`Algorithm::title`], in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_tag(name).ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

/// Computes a digest from chunks of bytes.
pub(in crate::jobs) enum Hasher {
    Blake3(Box<blake3::Hasher>),
    RustCrypto(Box<dyn DynDigest>),
    Crc32(crc32fast::Hasher),
    Xxh3(Box<Xxh3>),
}

impl Hasher {
    pub(in crate::jobs) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Blake3 => Self::Blake3(Box::default()),
            Algorithm::Sha256 => Self::RustCrypto(Box::<sha2::Sha256>::default()),
            Algorithm::Sha512 => Self::RustCrypto(Box::<sha2::Sha512>::default()),
            Algorithm::Sha1 => Self::RustCrypto(Box::<sha1::Sha1>::default()),
            Algorithm::Md5 => Self::RustCrypto(Box::<md5::Md5>::default()),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Xxh3 => Self::Xxh3(Box::default()),
        }
    }

    pub(in crate::jobs) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
            Self::RustCrypto(hasher) => hasher.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Xxh3(hasher) => hasher.update(bytes),
        }
    }

    /// The digest in lower-case hexadecimal digits.
    pub(in crate::jobs) fn finish(self) -> String {
        match self {
            Self::Blake3(hasher) => hasher.finalize().to_hex().to_string(),
            Self::RustCrypto(hasher) => hex::encode(hasher.finalize()),
            Self::Crc32(hasher) => hex::encode(hasher.finalize().to_be_bytes()),
            Self::Xxh3(hasher) => hex::encode(hasher.digest().to_be_bytes()),
        }
    }
}
