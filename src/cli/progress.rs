//! The progress of a job on stderr: a bar on a terminal, otherwise a line now and then.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::print_message;
use crate::format;
use crate::record::JobRecord;

/// The interval between printed lines.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The length of a bar for no items. One of no length is full.
const MIN_LENGTH: u64 = 1;

/// The progress of one job.
pub(super) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// Elsewhere; the last line was printed at this time since the start of the job.
    Lines(Duration),
    /// Nowhere, because the items have the terminal.
    Hidden,
}

impl Progress {
    /// Progress beside items that have the terminal themselves, or that have not.
    pub(super) fn new(have_terminal: bool) -> Self {
        if have_terminal {
            Self::Hidden
        } else if std::io::stderr().is_terminal() {
            Self::Bar(empty_bar())
        } else {
            Self::Lines(Duration::ZERO)
        }
    }

    /// The bar on a terminal.
    pub(super) fn bar(&self) -> Option<ProgressBar> {
        match self {
            Self::Bar(bar) => Some(bar.clone()),
            Self::Lines(_) | Self::Hidden => None,
        }
    }

    /// Shows the state of the job.
    pub(super) fn show(&mut self, job: &JobRecord, now: Duration) {
        match self {
            Self::Bar(bar) => {
                let (done, total) = position(job);
                // Each may draw, and a full bar must say that all is done.
                bar.set_message(describe(job, now));
                fill(bar, done, total);
            }
            Self::Lines(last) => {
                let elapsed = job.elapsed(now);
                if elapsed >= *last + LINE_INTERVAL {
                    *last = elapsed;
                    print_message(&describe(job, now));
                }
            }
            Self::Hidden => {}
        }
    }

    /// Prints a message above the bar.
    pub(super) fn print(&self, message: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| print_message(message)),
            Self::Lines(_) | Self::Hidden => print_message(message),
        }
    }

    /// Removes the bar. In its place, a sentence says what the files of the job have become.
    pub(super) fn finish(self, job: &JobRecord) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
            if let Some(lengths) = job.lengths_text() {
                print_message(&lengths);
            }
        }
    }
}

fn empty_bar() -> ProgressBar {
    ProgressBar::new(MIN_LENGTH).with_style(style())
}

fn fill(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total.max(MIN_LENGTH));
    bar.set_position(done);
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("[{elapsed}] {bar:30} {percent:>3} % {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Bytes if the job has any, otherwise items.
fn position(job: &JobRecord) -> (u64, u64) {
    if job.total_bytes() > 0 {
        return (job.done_bytes(), job.total_bytes());
    }
    let counts = job.counts();
    (counts.ended() as u64, counts.total() as u64)
}

/// Such as `12 of 300 items, 1.2 GiB of 4.0 GiB, 512.0 MiB/s, 6.00 s left`.
fn describe(job: &JobRecord, now: Duration) -> String {
    let counts = job.counts();
    let more = if job.is_planned() { "" } else { " or more" };
    let (ended, total) = (format::count(counts.ended()), format::count(counts.total()));
    let mut text = format!("{ended} of {total}{more} items");
    if job.total_bytes() > 0 {
        text.push_str(&bytes(job, now));
    }
    text
}

fn bytes(job: &JobRecord, now: Duration) -> String {
    let rate = job.rate(now);
    let left = rate.time_left.map(format::duration);
    let left = left.map(|left| format!(", {left} left"));
    format!(
        ", {} of {}, {}{}",
        format::bytes(job.done_bytes()),
        format::bytes(job.total_bytes()),
        format::rate(rate.bytes_per_sec),
        left.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_full_only_when_all_is_done() {
        let bar = empty_bar();
        let is_full = || Some(bar.position()) == bar.length();
        assert!(!is_full());
        for (done, total, full) in [(0, 0, false), (0, 3, false), (2, 3, false), (3, 3, true)] {
            fill(&bar, done, total);
            assert_eq!(is_full(), full, "{done} of {total}");
        }
    }
}
