//! The algorithms that may have computed a digest.

use serde::{Deserialize, Serialize};

use super::read::{Claim, MIN_ANY_LEN};
use super::{Algorithm, DigestKind};

/// The algorithms that may have computed a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// Likeliest first, at least one.
    pub kinds: Vec<DigestKind>,
    /// The number of those that are computed first; the others only if none of them matches.
    pub likely: usize,
}

impl Candidates {
    /// Those that are computed first.
    pub fn likely(&self) -> &[DigestKind] {
        &self.kinds[..self.likely.min(self.kinds.len())]
    }
}

/// The candidates for a digest of a list whose name names the algorithm `named`, where the user has chosen
/// `chosen`. None if no algorithm that is known here has digests of this length.
///
/// A tag decides alone. Otherwise the name of the list counts more than the choice of the user, and that
/// more than how common an algorithm is. One that does not stop an attacker is considered only where one
/// of these names it, or if there is no other of this length: else a file could be made to have the
/// SHA-256 of the list as its XXH3.
pub(in crate::jobs) fn candidates(
    claim: &Claim,
    named: Option<Algorithm>,
    chosen: Option<Algorithm>,
) -> Option<Candidates> {
    let len = claim.digest.len();
    if let Some(tag) = claim.tag {
        let kinds = vec![DigestKind::new(tag, len).ok()?];
        return Some(Candidates { kinds, likely: 1 });
    }
    let is_usual =
        |one: &Algorithm| one.usual_len() == len || one.has_any_length() && len >= MIN_ANY_LEN;
    let is_given = |one: Algorithm| Some(one) == named || Some(one) == chosen;
    let all: Vec<_> = Algorithm::of_len(len).filter(is_usual).collect();
    let has_strong = all.iter().any(|&one| !is_weak(one));
    let mut all: Vec<_> = all
        .into_iter()
        .filter(|&one| !has_strong || !is_weak(one) || is_given(one))
        .collect();
    let rank = |one: Algorithm| (Some(one) != named, Some(one) != chosen, !is_common(one));
    all.sort_by_key(|&one| rank(one));
    let first = *all.first()?;
    let likely = all.iter().filter(|&&one| rank(one) == rank(first)).count();
    let kinds = all.iter().map(|&one| DigestKind::new(one, len).ok());
    Some(Candidates {
        kinds: kinds.collect::<Option<_>>()?,
        likely,
    })
}

/// Whether a list that names no algorithm is likely to be of this one.
fn is_common(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Blake3
            | Algorithm::Crc32
            | Algorithm::Md5
            | Algorithm::Sha1
            | Algorithm::Sha224
            | Algorithm::Sha256
            | Algorithm::Sha384
            | Algorithm::Sha512
            | Algorithm::Xxh3
    )
}

/// Whether a file with a given digest can be made at will.
fn is_weak(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Crc32
            | Algorithm::Xxh3
            | Algorithm::Xxh128
            | Algorithm::Xxh32
            | Algorithm::Xxh64
    )
}
