use std::time::Duration;

use super::output_log::{Find, Log};
use crate::record::{ItemId, JobId, RateWindow};

/// The two streams of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Stdout => "Stdout",
            Self::Stderr => "Stderr",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Stdout => Self::Stderr,
            Self::Stderr => Self::Stdout,
        }
    }
}

/// The output pane: what was asked for, and what was read for it so far.
#[derive(Debug, Default)]
pub struct OutputView {
    /// Which stream.
    pub stream: Stream,
    /// The text that is looked for, whatever its case.
    pub find: String,
    /// The stream of one process; `None` where there is no process.
    pub(crate) shown: Option<ShownOutput>,
}

/// What was read of one stream of one process.
#[derive(Debug)]
pub(crate) struct ShownOutput {
    pub(crate) job: JobId,
    pub(crate) item: ItemId,
    pub(crate) stream: Stream,
    /// Its last lines.
    pub(crate) log: Log,
    /// Those that contain [`OutputView::find`].
    pub(crate) found: Find,
    /// Whether there is more to search.
    pub(crate) is_searching: bool,
    /// How many bytes came in all.
    pub(crate) total: u64,
    /// How many of them nobody keeps any more.
    pub(crate) dropped: u64,
    /// How many came on the other stream.
    pub(crate) other_total: u64,
    /// Whether something still holds the stream although the process has ended.
    pub(crate) is_held_open: bool,
    /// Whether less was read than is kept.
    pub(crate) has_gap: bool,
    /// A flood is not read in every frame; on the board's clock.
    pub(crate) next_read_at: Duration,
    pub(crate) pace: RateWindow,
    /// Over the last seconds while the process runs.
    pub(crate) bytes_per_sec: f64,
    pub(crate) scroll: LogScroll,
}

/// Where the lines are scrolled to.
#[derive(Debug)]
pub(crate) struct LogScroll {
    /// Of the first line of [`ShownOutput::log`] in the last frame.
    pub(crate) first_line: u64,
    /// In points.
    pub(crate) offset: f32,
    /// How high the part in sight was in the last frame, in points; 0 before there was one.
    pub(crate) height: f32,
    /// Whether it follows what comes.
    pub(crate) follows: bool,
    /// Whether what is new is left out, because somebody reads lines that would go for it.
    pub(crate) stands_still: bool,
    /// The line to bring into sight.
    pub(crate) to: Option<u64>,
}

impl ShownOutput {
    pub(crate) fn new(job: JobId, item: ItemId, stream: Stream) -> Self {
        Self {
            job,
            item,
            stream,
            log: Log::default(),
            found: Find::default(),
            is_searching: false,
            total: 0,
            dropped: 0,
            other_total: 0,
            is_held_open: false,
            has_gap: false,
            next_read_at: Duration::ZERO,
            pace: RateWindow::default(),
            bytes_per_sec: 0.0,
            scroll: LogScroll {
                first_line: 0,
                offset: 0.0,
                height: 0.0,
                follows: true,
                stands_still: false,
                to: None,
            },
        }
    }
}
