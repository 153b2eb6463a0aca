use std::time::Duration;

#[cfg(unix)]
use super::adopting::Adopting;
use super::ending::Ending;
use super::{Inputs, OutputState, RecentLook, ResultsState};
use crate::choice::choices;
use crate::record::JobId;
use crate::ui::layout::LongList;

/// The state of the page. Not saved.
#[derive(Debug, Default)]
pub struct WorkbenchState {
    /// The pane below the selected job.
    pub pane: Pane,
    pub selected: Option<JobId>,
    pub(super) jobs: LongList<JobId>,
    pub draft: Draft,
    /// The results table of the selected job.
    pub results: ResultsState,
    pub output: OutputState,
    /// The choice of a running process.
    #[cfg(unix)]
    pub(super) adopting: Option<Adopting>,
    /// The question before a process is ended that something else has started.
    pub(super) ending: Option<Ending>,
    /// The cost of the last wait on the UI thread.
    pub blocked_for: Option<BlockedFor>,
    /// Whether the next frame scrolls to the selected job.
    pub reveal_job: bool,
    /// Whether the next frame puts the keyboard into the field `Filter` or `Find`.
    pub focus_filter: bool,
}

/// The panes of the selected job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Every item with its result.
    #[default]
    Results,
    /// The output of a process.
    Output,
    Panic,
    /// The waits of the whole program.
    Waits,
}

choices!(pub Pane {
    Results => "Results",
    Output => "Output",
    Panic => "Panic",
    Waits => "Waits",
});

impl Pane {
    /// What a person reads in place of the name, and what the pane is for.
    pub(super) fn explained(self) -> (&'static str, &'static str) {
        match self {
            Self::Results => (self.title(), "What became of each item."),
            Self::Output => (self.title(), "What the process of an item prints."),
            Self::Panic => (
                "Program errors",
                "Panics: errors in the code of the program, with the place and the calls that led there.",
            ),
            Self::Waits => (
                "Who waits",
                "Who waits for whom, down to the cause, and since when.",
            ),
        }
    }
}

/// The next job's inputs, until `Start`.
#[derive(Debug, Default)]
pub struct Draft {
    pub inputs: Inputs,
    /// The text of the `Path` field.
    pub path_text: String,
    /// Which of the recent inputs are there.
    pub recent: RecentLook,
}

/// The cost of a wait on the UI thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockedFor {
    pub job: JobId,
    pub blocked: Duration,
}

impl BlockedFor {
    /// The number of frames that a 60 Hz display missed.
    pub fn frames_missed(&self) -> u128 {
        self.blocked.as_micros() * 60 / 1_000_000
    }
}
