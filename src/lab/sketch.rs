//! The frame line of a run, small enough to be kept and written down beside its figures.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::figures::FROZEN;
use super::line::GapKind;
use crate::record::statistics::millis;

/// Into how many columns the time of a run is cut.
const COLUMNS: usize = 100;

/// The gaps between the frames of a run, decimated. Times count from the click on `Start`, in
/// milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    /// How long the run was watched.
    pub length_ms: f64,
    /// From when on the window was asked for answers, so that a long gap is a freeze; `None` where
    /// nobody touched it.
    pub asked_from_ms: Option<f64>,
    /// For each hundredth of the time, the longest gap that reaches into it.
    pub longest_gap_ms: Vec<f64>,
}

/// Hundredths of the time, one after the other, whose longest gap is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// When they begin, from the click on `Start`.
    pub from: Duration,
    /// When they end.
    pub to: Duration,
    /// Their longest gap, which may have begun before them and end after them.
    pub longest: Duration,
    /// What it means to a person.
    pub kind: GapKind,
}

impl Sketch {
    /// How long the run was watched.
    pub fn length(&self) -> Duration {
        time(self.length_ms)
    }

    /// The longest gap of all.
    pub fn longest(&self) -> Duration {
        time(self.longest_gap_ms.iter().copied().fold(0.0, f64::max))
    }

    /// What a plot shows, from left to right; where there was no frame at all there is none.
    pub fn bars(&self) -> impl Iterator<Item = Bar> {
        let columns = self.longest_gap_ms.len().max(1) as f64;
        let mut end = 0;
        let same = |a: &f64, b: &f64| a.total_cmp(b).is_eq();
        let bars = self.longest_gap_ms.chunk_by(same).map(move |same| {
            let begin = end;
            end += same.len();
            let [from, to] = [begin, end].map(|at| time(self.length_ms * at as f64 / columns));
            let longest = time(same[0]);
            let was_asked = self.asked_from_ms.is_some_and(|asked| time(asked) < to);
            let kind = match (longest > FROZEN, was_asked) {
                (false, _) => GapKind::Answering,
                (true, true) => GapKind::Frozen,
                (true, false) => GapKind::Resting,
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

    /// That of gaps that begin and end at these times.
    pub(super) fn of(
        [started, until]: [Duration; 2],
        asked: Option<Duration>,
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
            asked_from_ms: asked.map(|at| tenths(at.saturating_sub(started))),
            longest_gap_ms,
        }
    }
}

/// What can't be a time is none: a sketch may have been read from a file.
fn time(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
}

/// In milliseconds, with one digit behind the point: no eye sees more in a plot.
fn tenths(time: Duration) -> f64 {
    (millis(time) * 10.0).round() / 10.0
}
