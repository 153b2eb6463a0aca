use std::path::PathBuf;
use std::time::Duration;

use super::{OutputView, ResultsView};
use crate::record::JobId;

/// What the window shows right now. Nothing in here runs or is saved with the results.
#[derive(Debug, Default)]
pub struct View {
    /// The pane below the selected job.
    pub pane: Pane,
    /// The job that is shown.
    pub selected: Option<JobId>,
    /// What is typed and picked for the next job.
    pub draft: Draft,
    /// The results table of the selected job.
    pub results: ResultsView,
    /// What is shown of the output of its processes.
    pub output: OutputView,
    /// What the last wait on the UI thread cost.
    pub blocked_for: Option<BlockedFor>,
    /// Puts the keyboard into the `Filter` field in the next frame, or into `Find`.
    pub focus_filter: bool,
}

/// The panes of the selected job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Every item and what it came back with.
    #[default]
    Results,
    /// What a process prints.
    Output,
    /// The captured panics.
    Panic,
    /// Who waits for whom.
    Waits,
}

impl Pane {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Results, Self::Output, Self::Panic, Self::Waits];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Results => "Results",
            Self::Output => "Output",
            Self::Panic => "Panic",
            Self::Waits => "Waits",
        }
    }
}

/// The next job's inputs, until `Start`.
#[derive(Debug, Default)]
pub struct Draft {
    /// What was picked, dropped, typed or given on the command line.
    pub inputs: Vec<PathBuf>,
    /// The text of the `Path` field.
    pub path_text: String,
}

/// What a wait on the UI thread cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockedFor {
    /// Whose wait.
    pub job: JobId,
    /// How long the window stood still.
    pub blocked: Duration,
}

impl BlockedFor {
    /// How many frames of a 60 Hz display were not drawn.
    ///
    /// ```
    /// use meanwhile::record::JobId;
    /// use meanwhile::pages::workbench::BlockedFor;
    /// use std::time::Duration;
    ///
    /// let cost = BlockedFor { job: JobId(1), blocked: Duration::from_secs(2) };
    /// assert_eq!(cost.frames_missed(), 120);
    /// ```
    pub fn frames_missed(&self) -> u128 {
        self.blocked.as_micros() * 60 / 1_000_000
    }
}
