use std::path::PathBuf;

use super::Stream;
use crate::pages::commands::UiCommand;
use crate::record::{ItemId, JobId, PanicKey};

/// A command that the user gave. Panels push them; the page runs each once, after drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A command of the table.
    Ui(UiCommand),
    /// Open the dialog that picks the folder which the chosen job saves to.
    PickOutputFolder,
    /// Add these to the inputs of the next job.
    AddInputs(Vec<PathBuf>),
    /// Remove one input.
    RemoveInput(usize),
    /// Select this job.
    Select(JobId),
    /// Save what is kept of a stream to a file that a dialog asks for.
    SaveOutput(JobId, ItemId, Stream),
    /// Put this text on the clipboard.
    CopyText(String),
    /// Resolve the backtrace of a panic.
    ResolveBacktrace(JobId, PanicKey),
}
