use std::time::Duration;

use super::command;
use super::output_find::Find;
use super::output_log::Log;
use crate::choice::choices;
use crate::pages::commands::UiCommand;
use crate::record::{ItemId, JobId, RateWindow};

/// The two streams of a process. `join::process::Stream` is the same where there are processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    Stderr,
}

choices!(pub Stream {
    Stdout => "Stdout",
    Stderr => "Stderr",
});

impl Stream {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Stdout => Self::Stderr,
            Self::Stderr => Self::Stdout,
        }
    }
}

/// The state of the output pane.
#[derive(Debug, Default)]
pub struct OutputState {
    pub stream: Stream,
    /// The text to find, ignoring case.
    pub find: String,
    /// The stream of one process; `None` without a process.
    pub(crate) shown: Option<ShownOutput>,
}

/// The bytes that were read of one stream of one process.
#[derive(Debug)]
pub(crate) struct ShownOutput {
    pub(crate) job: JobId,
    pub(crate) item: ItemId,
    pub(crate) stream: Stream,
    pub(crate) log: Log,
    /// The lines that contain [`OutputState::find`].
    pub(crate) found: Find,
    /// Whether there is more to search.
    pub(crate) is_searching: bool,
    /// The length of the stream.
    pub(crate) total: u64,
    /// The bytes of it that are no longer kept.
    pub(crate) dropped: u64,
    /// The length of the other stream.
    pub(crate) other_total: u64,
    /// Whether a descendant holds the stream open after the process has ended.
    pub(crate) is_held_open: bool,
    /// Whether bytes that are kept were skipped.
    pub(crate) has_gap: bool,
    /// The time of the next read, on the board's clock: a flood is not read in every frame.
    pub(crate) next_read_at: Duration,
    pub(crate) pace: RateWindow,
    /// The rate over the last seconds, while the process runs.
    pub(crate) bytes_per_sec: f64,
    pub(crate) scroll: LogScroll,
}

/// The scroll position of the lines.
#[derive(Debug)]
pub(crate) struct LogScroll {
    /// The first line of [`ShownOutput::log`] in the last frame.
    pub(crate) first_line: u64,
    /// In points.
    pub(crate) offset: f32,
    /// The visible height in the last frame, in points; 0 before the first frame.
    pub(crate) height: f32,
    /// Whether the view follows new lines.
    pub(crate) follows: bool,
    /// Whether new lines are held back to keep the lines in view.
    pub(crate) is_frozen: bool,
    /// The line to scroll to.
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
                is_frozen: false,
                to: None,
            },
        }
    }

    /// The reason why a command for this stream can't run now; `None` if it can.
    pub(super) fn why_not(&self, command: UiCommand) -> Option<&'static str> {
        match command {
            command::NEXT_MATCH | command::PREVIOUS_MATCH => {
                (self.found.count() == 0).then_some("No line contains the text.")
            }
            command::FOLLOW => {
                let follows = self.scroll.follows;
                follows.then_some("The newest lines are already followed.")
            }
            command::SHOW_IN_TIMELINE => None,
            _ => (self.log.len() == 0).then_some("Nothing was printed on this stream."),
        }
    }

    /// Runs a command that changes the view.
    pub(super) fn run(&mut self, command: UiCommand) {
        match command {
            command::NEXT_MATCH => self.scroll.to = self.found.step(true),
            command::PREVIOUS_MATCH => self.scroll.to = self.found.step(false),
            command::FOLLOW => self.scroll.follows = true,
            _ => {}
        }
    }
}
