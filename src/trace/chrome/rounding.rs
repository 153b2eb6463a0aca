//! Takes back what rounding did to times.

use super::lanes::{RawSpan, in_order};

/// Programs that write times in whole microseconds round the begin and the length, so spans that lie in each other or
/// follow each other may overlap by so many nanoseconds (`crox`, of the self-profiles of rustc, has such).
const ROUNDING: i64 = 1_000;

/// Puts spans of a thread that overlap by no more than the rounding into each other or after each other. Returns how
/// many were changed.
pub(super) fn fit_rounded(spans: &mut [RawSpan]) -> usize {
    let mut around: Vec<i64> = Vec::new();
    let mut changed = 0;
    for span in spans.iter_mut() {
        let before = (span.began, span.ended);
        while let Some(end) = around.last().copied() {
            let ended = span.ended.unwrap_or(i64::MAX);
            if end > span.began && ended > end && end - span.began <= ROUNDING {
                span.began = end;
            }
            if end <= span.began {
                around.pop();
                continue;
            }
            if ended > end && ended - end <= ROUNDING {
                span.ended = Some(end);
            }
            break;
        }
        around.push(span.ended.unwrap_or(i64::MAX));
        changed += usize::from(before != (span.began, span.ended));
    }
    if changed > 0 {
        in_order(spans);
    }
    changed
}
