//! Summary statistics of samples.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The value below which the share `quantile` (0 to 1) of the `sorted` values lies; `None` without
/// values.
///
/// Interpolates between two values by type 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles in
/// Statistical Packages", The American Statistician 50 (1996), the default of `numpy` and R.
pub fn quantile(sorted: &[f64], quantile: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = last as f64 * quantile.clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last index"
    )]
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let share = position - below as f64;
    Some(sorted[below] + distance(sorted[below], sorted[above]) * share)
}

/// The distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    /// Of these times; `None` without any.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut sorted: Vec<f64> = times.into_iter().map(millis).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |share| quantile(&sorted, share);
        Some(Self {
            p50: at(0.5)?,
            p95: at(0.95)?,
            p99: at(0.99)?,
            max: at(1.0)?,
        })
    }
}

/// The median of values and their median absolute deviation from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Centre {
    pub median: f64,
    /// The median absolute deviation.
    pub deviation: f64,
}

impl Centre {
    /// Of these values; `None` without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        let median = median_of(&mut values)?;
        for value in &mut values {
            *value = distance(*value, median);
        }
        let deviation = median_of(&mut values)?;
        Some(Self { median, deviation })
    }
}

/// The difference of two values without its sign; 0 of the same, even without end.
fn distance(a: f64, b: f64) -> f64 {
    if a.total_cmp(&b).is_eq() {
        0.0
    } else {
        (a - b).abs()
    }
}

fn median_of(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    quantile(values, 0.5)
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
