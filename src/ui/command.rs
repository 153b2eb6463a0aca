use std::path::PathBuf;
use std::time::Duration;

use super::Stream;
#[cfg(target_os = "linux")]
use crate::lab::{PatternId, Variant};
#[cfg(unix)]
use crate::lessons::LessonId;
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
    /// Forget the frames that took too long.
    ClearIncidents,
    /// Do something in the Freeze Lab.
    #[cfg(target_os = "linux")]
    Lab(LabCommand),
    /// Do something with the lessons.
    #[cfg(unix)]
    Lesson(LessonCommand),
    /// Take a notice away.
    DismissNotice(usize),
    /// Leave once the running work has ended.
    WaitAndQuit,
    /// Cancel the running work and leave.
    CancelAndQuit,
    /// Close the window and leave once the running work has ended.
    KeepRunning,
    /// Leave now, over work that was cancelled and has not stopped.
    QuitNow,
    /// Don't leave.
    KeepWindow,
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

/// What can be asked of the Freeze Lab.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabCommand {
    /// Show this pattern.
    Select(PatternId),
    /// Show the report of all patterns.
    ShowReport,
    /// Run one half of it.
    Run(PatternId, Variant),
    /// Run both halves.
    RunBoth(PatternId),
    /// Run both halves of every pattern.
    RunAll,
    /// Open the window of one half, and leave it to the person.
    TryByHand(PatternId, Variant),
    /// End the run, frozen or not, and forget those that wait.
    Stop,
    /// Save the report to a file that a dialog asks for.
    SaveReport,
}

/// What can be asked of the lessons.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonCommand {
    /// Show this lesson.
    Select(LessonId),
    /// Run it as it is chosen.
    Run(LessonId),
    /// End the run.
    Stop,
    /// Go to the Freeze Lab and show this pattern.
    #[cfg(target_os = "linux")]
    ShowPattern(PatternId),
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something was done.
    Info,
    /// Something went on, but not as expected.
    Warning,
    /// Something could not be done.
    Error,
}

/// One sentence shown in the window until it is dismissed.
///
/// ```
/// use meanwhile::ui::{Notice, Severity};
///
/// let notice = Notice::warning("The job had ended before it could be cancelled.");
/// assert_eq!(notice.severity, Severity::Warning);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// What happened and what to do.
    pub text: String,
}

impl Notice {
    /// Something was done.
    pub fn info(text: impl Into<String>) -> Self {
        Self::new(Severity::Info, text)
    }

    /// Something went on, but not as expected.
    pub fn warning(text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, text)
    }

    /// Something could not be done.
    pub fn error(text: impl Into<String>) -> Self {
        Self::new(Severity::Error, text)
    }

    fn new(severity: Severity, text: impl Into<String>) -> Self {
        Self {
            severity,
            text: text.into(),
        }
    }
}
