//! How times are distributed.

/// Times below which a share of all times lies, in nanoseconds.
///
/// They are by the nearest rank: the value at the place ⌈p·n⌉ of the n values in order. It is a time that one item
/// really took. That is type 1 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American
/// Statistician 50 (1996).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
}

impl Percentiles {
    /// Of these times, which it reorders; `None` without any. It selects and does not sort, in linear time.
    pub fn of(times: &mut [u64]) -> Option<Self> {
        let mut at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100);
            let place = rank.max(1) - 1;
            (place < times.len()).then(|| *times.select_nth_unstable(place).1)
        };
        Some(Self {
            p50: at(50)?,
            p90: at(90)?,
            p99: at(99)?,
            max: at(100)?,
        })
    }
}

/// How many times are from one bound up to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// In nanoseconds; the first one has all that is shorter, too.
    pub from: u64,
    /// That time is in the next bin.
    pub until: u64,
    pub count: usize,
}

/// The bins of times. Their bounds are 1, 2 and 5 times the powers of ten, from 1 µs on: the 1-2-5 series, in which each
/// is about twice as wide as the one before, so that 1 ms and 1 min are in one picture.
pub(super) fn histogram(times: &[u64]) -> Vec<Bin> {
    let mut bins: Vec<Bin> = Vec::new();
    let bounds = bounds();
    for pair in bounds.windows(2) {
        bins.push(Bin {
            from: pair[0],
            until: pair[1],
            count: 0,
        });
    }
    for time in times {
        let place = bounds.partition_point(|bound| bound <= time);
        let last = bins.len() - 1;
        bins[place.saturating_sub(1).min(last)].count += 1;
    }
    let has_any = |bin: &Bin| bin.count > 0;
    let first = bins.iter().position(has_any);
    let last = bins.iter().rposition(has_any);
    match (first, last) {
        (Some(first), Some(last)) => bins[first..=last].to_vec(),
        _ => Vec::new(),
    }
}

/// From 0 and 1 µs to the end of time.
fn bounds() -> Vec<u64> {
    let powers = std::iter::successors(Some(1_000_u64), |power| power.checked_mul(10));
    let bounds = powers.flat_map(|power| [1, 2, 5].map(|factor| power.saturating_mul(factor)));
    let mut bounds: Vec<u64> = std::iter::once(0).chain(bounds).collect();
    bounds.push(u64::MAX);
    bounds.dedup();
    bounds
}
