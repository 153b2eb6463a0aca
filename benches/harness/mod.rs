//! Runs contenders in turn, so other load affects all alike, and compares quantiles. Times differ
//! between machines; ratios hardly do.

use std::io::Write as _;
use std::time::{Duration, Instant};

/// A contender's name, and its round, which returns the measured time.
pub(crate) type Contender<'a> = (&'static str, Box<dyn FnMut() -> Duration + 'a>);

/// A full measurement or a short check.
pub(crate) struct Bench {
    is_short: bool,
}

impl Bench {
    /// Full with `--bench`, else a short check.
    pub(crate) fn from_args() -> Self {
        Self {
            is_short: !std::env::args().any(|argument| argument == "--bench"),
        }
    }

    /// `count`, or 2 in a short check.
    pub(crate) fn many(&self, count: usize) -> usize {
        if self.is_short { 2 } else { count }
    }

    /// Prints the contenders' times at `quantile`, divided by `per_round`, and the ratio of ours to
    /// each. Ours is the first contender.
    pub(crate) fn compare(
        &self,
        title: &str,
        rounds: usize,
        quantile: f64,
        per_round: f64,
        contenders: Vec<Contender<'_>>,
    ) -> std::io::Result<()> {
        let (names, mut runs): (Vec<_>, Vec<_>) = contenders.into_iter().unzip();
        let mut times = vec![Vec::new(); runs.len()];
        for round in 0..self.many(rounds) {
            for turn in 0..runs.len() {
                let contender = (turn + round) % runs.len();
                times[contender].push(runs[contender]());
            }
        }
        let figures: Vec<f64> = times
            .iter_mut()
            .map(|times| at_quantile(times, quantile) / per_round)
            .collect();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{title}")?;
        for (name, figure) in names.iter().zip(&figures) {
            let ratio = figures[0] / figure;
            writeln!(
                out,
                "    {name:<28} {:>12}   ours / this {ratio:.2}",
                show(*figure)
            )?;
        }
        Ok(())
    }
}

/// Returns the time that `work` takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The given quantile, in seconds.
pub(crate) fn at_quantile(times: &mut [Duration], quantile: f64) -> f64 {
    times.sort_unstable();
    let last = times.len() - 1;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last index"
    )]
    let index = (last as f64 * quantile).round() as usize;
    times[index].as_secs_f64()
}

fn show(seconds: f64) -> String {
    if seconds < 1e-6 {
        format!("{:.1} ns", seconds * 1e9)
    } else if seconds < 1e-3 {
        format!("{:.2} µs", seconds * 1e6)
    } else {
        format!("{:.2} ms", seconds * 1e3)
    }
}
