//! Figures of many values, against values computed by hand.

#![expect(clippy::float_cmp, reason = "small whole numbers are exact")]

use std::time::Duration;

use meanwhile::record::statistics::{Centre, Spread, quantile};

#[test]
fn quantiles_are_interpolated() {
    let sorted = [1.0, 2.0, 3.0, 10.0];
    let quantiles = [0.0, 0.5, 1.0].map(|share| quantile(&sorted, share));
    assert_eq!(quantiles, [Some(1.0), Some(2.5), Some(10.0)]);
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn spread_has_percentiles_in_milliseconds() {
    let times = (1..=101).map(Duration::from_millis);
    let spread = Spread::of(times).unwrap();
    let percentiles = [spread.p50, spread.p95, spread.p99, spread.max];
    assert_eq!(percentiles, [51.0, 96.0, 100.0, 101.0]);
}

#[test]
fn centre_ignores_an_outlier() {
    let centre = Centre::of([3.0, 1.0, 100.0]).unwrap();
    assert_eq!((centre.median, centre.deviation), (3.0, 2.0));
}
