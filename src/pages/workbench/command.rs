use std::path::PathBuf;
use std::time::Duration;

use super::Stream;
use crate::record::{ItemId, JobId, PanicKey};

/// Something a person asked for. Panels push them; the app runs each once, after drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open the dialog that picks files.
    PickFiles,
    /// Open the dialog that picks a folder.
    PickFolder,
    /// Open the dialog that picks the folder which the chosen job saves to.
    PickOutputFolder,
    /// Add these to the inputs of the next job.
    AddInputs(Vec<PathBuf>),
    /// Take one input out again.
    RemoveInput(usize),
    /// Take all inputs out.
    ClearInputs,
    /// Start the job that the choices describe.
    Start,
    /// Start the same job once more.
    RunAgain(JobId),
    /// Show this job.
    Select(JobId),
    /// Take an ended job off the list.
    Forget(JobId),
    /// Wait for the job: `None` without a deadline.
    Join {
        /// Which job.
        job: JobId,
        /// How long at most.
        timeout: Option<Duration>,
        /// Whether the window itself waits, and so stands still.
        blocking: bool,
    },
    /// Ask the job to cancel.
    Cancel(JobId),
    /// Ask the process of one item to end, or those of all.
    Terminate(JobId, Option<ItemId>),
    /// End the process of one item at once, or those of all.
    Kill(JobId, Option<ItemId>),
    /// End the process of one item with everything it has started, or those of all.
    StopTree(JobId, Option<ItemId>),
    /// Stop waiting for the job.
    Detach(JobId),
    /// Put the job's report on the clipboard.
    CopyReport(JobId),
    /// Save the job's report to a file that a dialog asks for.
    SaveReport(JobId),
    /// Save the job's checksum list to a file that a dialog asks for.
    SaveList(JobId),
    /// Save what is kept of a stream to a file that a dialog asks for.
    SaveOutput(JobId, ItemId, Stream),
    /// Put this text on the clipboard.
    CopyText(String),
    /// Resolve the backtrace of a panic.
    ResolveBacktrace(JobId, PanicKey),
}

impl Command {
    /// What is being done while it runs, in case that takes too long.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Join { blocking: true, .. } => "waiting for a job on the UI thread",
            Self::Start | Self::RunAgain(_) => "starting a job",
            Self::Forget(_) => "taking a job off the list",
            Self::PickFiles
            | Self::PickFolder
            | Self::PickOutputFolder
            | Self::SaveReport(_)
            | Self::SaveList(_)
            | Self::SaveOutput(..) => "opening a dialog",
            Self::Terminate(..) | Self::Kill(..) | Self::StopTree(..) => "ending a process",
            _ => "doing what was asked for",
        }
    }
}
