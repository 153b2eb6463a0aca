use std::fmt::{self, Write as _};
use std::str::FromStr;

use digest::DynDigest;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// A checksum algorithm.
///
/// ```
/// use meanwhile::jobs::checksum::Algorithm;
///
/// let algorithm: Algorithm = "SHA-256".parse()?;
/// assert_eq!(algorithm, Algorithm::Sha256);
/// assert_eq!((algorithm.id(), algorithm.title()), ("sha256", "SHA-256"));
/// assert_eq!(algorithm.hex_len(), 64);
/// assert_eq!(Algorithm::ALL.len(), 7);
/// # Ok::<(), meanwhile::jobs::checksum::UnknownAlgorithm>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Algorithm {
    /// BLAKE3 with 256 bits: cryptographic, and by far the fastest of those, on several cores too.
    #[default]
    Blake3,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1: finds accidents, no longer stops an attacker.
    Sha1,
    /// MD5: finds accidents, no longer stops an attacker.
    Md5,
    /// CRC-32 as in zip and gzip: finds accidents only.
    Crc32,
    /// XXH3 with 64 bits: finds accidents only, as fast as memory.
    Xxh3,
}

impl Algorithm {
    /// Every algorithm, in the order in which a person is offered them.
    pub const ALL: [Self; 7] = [
        Self::Blake3,
        Self::Sha256,
        Self::Sha512,
        Self::Sha1,
        Self::Md5,
        Self::Crc32,
        Self::Xxh3,
    ];

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

    /// The name on screen, such as `SHA-256`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Blake3 => "BLAKE3",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
            Self::Crc32 => "CRC-32",
            Self::Xxh3 => "XXH3",
        }
    }

    /// How many hexadecimal digits a digest has.
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
    /// Case and punctuation don't count, and the names that OpenSSL writes (`SHA2-256`) are known.
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

/// A name that is no algorithm's.
///
/// ```
/// use meanwhile::jobs::checksum::{Algorithm, UnknownAlgorithm};
///
/// let Err(error) = "sha9".parse::<Algorithm>() else { unreachable!("there is none") };
/// assert_eq!(error, UnknownAlgorithm("sha9".to_owned()));
/// assert!(error.to_string().starts_with("\"sha9\" is not a checksum algorithm; choose one of blake3"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a checksum algorithm; choose one of {names}", names = ids())]
pub struct UnknownAlgorithm(pub String);

fn ids() -> String {
    Algorithm::ALL.map(Algorithm::id).join(", ")
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Accepts what [`Algorithm::id`] and [`Algorithm::title`] give, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_tag(name).ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

/// A digest in the making.
pub(super) enum Hasher {
    Blake3(Box<blake3::Hasher>),
    RustCrypto(Box<dyn DynDigest>),
    Crc32(crc32fast::Hasher),
    Xxh3(Box<Xxh3>),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
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

    pub(super) fn update(&mut self, bytes: &[u8]) {
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
    pub(super) fn finish(self) -> String {
        match self {
            Self::Blake3(hasher) => hasher.finalize().to_hex().to_string(),
            Self::RustCrypto(hasher) => hex(&hasher.finalize()),
            Self::Crc32(hasher) => hex(&hasher.finalize().to_be_bytes()),
            Self::Xxh3(hasher) => hex(&hasher.digest().to_be_bytes()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes what is written to it");
    }
    text
}
