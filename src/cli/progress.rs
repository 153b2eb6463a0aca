//! How far a job is, on stderr: a bar where that is a terminal, a rare line where it is not.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

use super::complain;
use crate::record::JobRecord;

/// How often a line is written where nobody watches a bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The progress of one job.
pub(super) enum Progress {
    /// Drawn over itself.
    Bar(ProgressBar),
    /// The last line came at this time of the job's.
    Lines(Duration),
}

impl Progress {
    pub(super) fn new() -> Self {
        if std::io::stderr().is_terminal() {
            Self::Bar(ProgressBar::new(0).with_style(style()))
        } else {
            Self::Lines(Duration::ZERO)
        }
    }

    /// Shows where the job stands.
    pub(super) fn show(&mut self, job: &JobRecord, now: Duration) {
        match self {
            Self::Bar(bar) => {
                let (done, total) = position(job);
                bar.set_length(total);
                bar.set_position(done);
                bar.set_message(describe(job, now));
            }
            Self::Lines(last) => {
                let elapsed = job.elapsed(now);
                if elapsed >= *last + LINE_INTERVAL {
                    *last = elapsed;
                    complain(&describe(job, now));
                }
            }
        }
    }

    /// Writes a sentence without tearing the bar.
    pub(super) fn say(&self, sentence: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| complain(sentence)),
            Self::Lines(_) => complain(sentence),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("[{elapsed}] {bar:30} {percent:>3} % {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Bytes where the job has any, items otherwise.
fn position(job: &JobRecord) -> (u64, u64) {
    if job.total_bytes() > 0 {
        return (job.done_bytes(), job.total_bytes());
    }
    let counts = job.counts();
    (counts.ended() as u64, counts.total() as u64)
}

/// Such as `12 of 300 items, 1.20 GiB of 4.00 GiB, 512.00 MiB/s, 6 s left`.
fn describe(job: &JobRecord, now: Duration) -> String {
    let counts = job.counts();
    let more = if job.is_planned() { "" } else { " or more" };
    let mut text = format!("{} of {}{more} items", counts.ended(), counts.total());
    if job.total_bytes() > 0 {
        text.push_str(&bytes(job, now));
    }
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is shown in three digits, and is never negative"
)]
fn bytes(job: &JobRecord, now: Duration) -> String {
    let rate = job.rate(now);
    let left = rate
        .time_left
        .map(|left| format!(", {} s left", left.as_secs()));
    format!(
        ", {} of {}, {}/s{}",
        BinaryBytes(job.done_bytes()),
        BinaryBytes(job.total_bytes()),
        BinaryBytes(rate.bytes_per_sec as u64),
        left.unwrap_or_default()
    )
}
