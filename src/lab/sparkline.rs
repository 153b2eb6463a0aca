//! The frame gaps of a run condensed to a hundred columns, to be stored with its figures.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gap::{GapKind, MIN_FREEZE};
use crate::record::statistics::millis;

const COLUMNS: usize = 100;

/// The frame gaps of a run. Times are in milliseconds and count from the click on `Start`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sparkline {
    /// From the click on `Start` to the end.
    pub length_ms: f64,
    /// The time from which the window gets input, so that a long gap is a freeze; `None` if it gets
    /// none.
    pub input_from_ms: Option<f64>,
    /// For each hundredth of the time, the longest gap that overlaps it.
    pub longest_gap_ms: Vec<f64>,
}

/// Neighbouring columns with the same longest gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The left edge, from the click on `Start`.
    pub from: Duration,
    /// The right edge.
    pub to: Duration,
    /// The longest gap, which may extend beyond both edges.
    pub longest: Duration,
    pub kind: GapKind,
}

impl Sparkline {
    pub fn length(&self) -> Duration {
        time(self.length_ms)
    }

    pub fn longest(&self) -> Duration {
        time(self.longest_gap_ms.iter().copied().fold(0.0, f64::max))
    }

    /// The bars from left to right. Columns without a frame have none.
    pub fn bars(&self) -> impl Iterator<Item = Bar> {
        let columns = self.longest_gap_ms.len().max(1) as f64;
        let mut end = 0;
        let same = |a: &f64, b: &f64| a.total_cmp(b).is_eq();
        let bars = self.longest_gap_ms.chunk_by(same).map(move |same| {
            let begin = end;
            end += same.len();
            let [from, to] = [begin, end].map(|at| time(self.length_ms * at as f64 / columns));
            let longest = time(same[0]);
            let has_input = self.input_from_ms.is_some_and(|at| time(at) < to);
            let kind = match (longest > MIN_FREEZE, has_input) {
                (false, _) => GapKind::Responsive,
                (true, true) => GapKind::Frozen,
                (true, false) => GapKind::Idle,
            };
            Bar {
                from,
                to,
                longest,
                kind,
            }
        });
        bars.filter(|bar| !bar.longest.is_zero())
    }

    /// The sparkline of gaps with these beginnings and ends.
    pub(super) fn of(
        [started, until]: [Duration; 2],
        input_from: Option<Duration>,
        gaps: impl Iterator<Item = [Duration; 2]>,
    ) -> Self {
        let length = until.saturating_sub(started);
        let column = |at: Duration| {
            let share = at.saturating_sub(started).as_nanos() * COLUMNS as u128;
            let column = share / length.as_nanos().max(1);
            usize::try_from(column).map_or(COLUMNS - 1, |column| column.min(COLUMNS - 1))
        };
        let mut longest_gap_ms = vec![0.0; COLUMNS];
        for [began, ended] in gaps {
            let first = column(began);
            let last = column(ended.saturating_sub(Duration::from_nanos(1)));
            let gap = tenths(ended.saturating_sub(began));
            for longest in &mut longest_gap_ms[first..=last.max(first)] {
                *longest = gap.max(*longest);
            }
        }
        Self {
            length_ms: tenths(length),
            input_from_ms: input_from.map(|at| tenths(at.saturating_sub(started))),
            longest_gap_ms,
        }
    }
}

/// Zero for an invalid value: a sparkline may come from a file.
fn time(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
}

/// Milliseconds with one decimal: a plot shows no more.
fn tenths(time: Duration) -> f64 {
    (millis(time) * 10.0).round() / 10.0
}
