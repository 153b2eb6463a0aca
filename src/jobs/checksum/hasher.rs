//! The implementations of the algorithms behind one type.

use digest::DynDigest;
use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh32::Xxh32;
use xxhash_rust::xxh64::Xxh64;

use super::{Algorithm, DigestKind};

/// Computes a digest from chunks of bytes.
pub(in crate::jobs) struct Hasher {
    state: State,
    len: usize,
}

enum State {
    Blake2b(Box<blake2b_simd::State>),
    Blake2s(Box<blake2s_simd::State>),
    Blake3(Box<blake3::Hasher>),
    Crc32(crc32fast::Hasher),
    Md5(Box<fast_md5::Md5>),
    RustCrypto(Box<dyn DynDigest + Send>),
    Xxh3(Box<Xxh3>),
    Xxh32(Box<Xxh32>),
    Xxh64(Box<Xxh64>),
}

impl Hasher {
    pub(in crate::jobs) fn new(kind: DigestKind) -> Self {
        Self {
            state: State::new(kind),
            len: kind.len(),
        }
    }

    pub(in crate::jobs) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Blake2b(hasher) => {
                hasher.update(bytes);
            }
            State::Blake2s(hasher) => {
                hasher.update(bytes);
            }
            State::Blake3(hasher) => {
                hasher.update(bytes);
            }
            State::Crc32(hasher) => hasher.update(bytes),
            State::Md5(hasher) => hasher.update(bytes),
            State::RustCrypto(hasher) => hasher.update(bytes),
            State::Xxh3(hasher) => hasher.update(bytes),
            State::Xxh32(hasher) => hasher.update(bytes),
            State::Xxh64(hasher) => hasher.update(bytes),
        }
    }

    /// As [`update`](Self::update) with much at once, on all threads of the pool if the algorithm can.
    pub(super) fn update_on_threads(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Blake3(hasher) => {
                hasher.update_rayon(bytes);
            }
            _ => self.update(bytes),
        }
    }

    /// The digest in lower-case hexadecimal digits.
    pub(in crate::jobs) fn finish(self) -> String {
        let mut digest = vec![0; self.len];
        match self.state {
            State::Blake2b(hasher) => digest.copy_from_slice(hasher.finalize().as_bytes()),
            State::Blake2s(hasher) => digest.copy_from_slice(hasher.finalize().as_bytes()),
            State::Blake3(hasher) => hasher.finalize_xof().fill(&mut digest),
            State::Crc32(hasher) => digest.copy_from_slice(&hasher.finalize().to_be_bytes()),
            State::Md5(hasher) => digest.copy_from_slice(&hasher.finalize()),
            State::RustCrypto(mut hasher) => hasher
                .finalize_into_reset(&mut digest)
                .expect("a digest kind has a possible length"),
            State::Xxh3(hasher) if self.len == 16 => {
                digest.copy_from_slice(&hasher.digest128().to_be_bytes());
            }
            State::Xxh3(hasher) => digest.copy_from_slice(&hasher.digest().to_be_bytes()),
            State::Xxh32(hasher) => digest.copy_from_slice(&hasher.digest().to_be_bytes()),
            State::Xxh64(hasher) => digest.copy_from_slice(&hasher.digest().to_be_bytes()),
        }
        // `hex::encode` goes through the digits one by one.
        let mut digits = vec![0; 2 * digest.len()];
        hex::encode_to_slice(&digest, &mut digits).expect("two digits a byte");
        String::from_utf8(digits).expect("digits are ASCII")
    }
}

impl State {
    fn new(kind: DigestKind) -> Self {
        match kind.algorithm() {
            Algorithm::Blake2b => Self::Blake2b(Box::new(
                blake2b_simd::Params::new()
                    .hash_length(kind.len())
                    .to_state(),
            )),
            Algorithm::Blake2s => Self::Blake2s(Box::new(
                blake2s_simd::Params::new()
                    .hash_length(kind.len())
                    .to_state(),
            )),
            Algorithm::Blake3 => Self::Blake3(Box::default()),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Md5 => Self::Md5(Box::new(fast_md5::Md5::new())),
            Algorithm::Ripemd160 => Self::rust_crypto::<ripemd::Ripemd160>(),
            Algorithm::Sha1 => Self::rust_crypto::<sha1::Sha1>(),
            Algorithm::Sha224 => Self::rust_crypto::<sha2::Sha224>(),
            Algorithm::Sha256 => Self::rust_crypto::<sha2::Sha256>(),
            Algorithm::Sha384 => Self::rust_crypto::<sha2::Sha384>(),
            Algorithm::Sha512 => Self::rust_crypto::<sha2::Sha512>(),
            Algorithm::Sha512_224 => Self::rust_crypto::<sha2::Sha512_224>(),
            Algorithm::Sha512_256 => Self::rust_crypto::<sha2::Sha512_256>(),
            Algorithm::Sha3_224 => Self::rust_crypto::<sha3::Sha3_224>(),
            Algorithm::Sha3_256 => Self::rust_crypto::<sha3::Sha3_256>(),
            Algorithm::Sha3_384 => Self::rust_crypto::<sha3::Sha3_384>(),
            Algorithm::Sha3_512 => Self::rust_crypto::<sha3::Sha3_512>(),
            Algorithm::Sm3 => Self::rust_crypto::<sm3::Sm3>(),
            Algorithm::Xxh3 | Algorithm::Xxh128 => Self::Xxh3(Box::default()),
            Algorithm::Xxh32 => Self::Xxh32(Box::new(Xxh32::new(0))),
            Algorithm::Xxh64 => Self::Xxh64(Box::new(Xxh64::new(0))),
        }
    }

    fn rust_crypto<D: DynDigest + Default + Send + 'static>() -> Self {
        Self::RustCrypto(Box::<D>::default())
    }
}
