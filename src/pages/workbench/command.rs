use std::path::PathBuf;

use eframe::egui::Key;

use super::{ID, Stream};
use crate::pages::commands::{
    CommandInfo, ShortcutScope, UiCommand, ctrl, ctrl_shift, plain, row, shift,
};
use crate::record::{ItemId, JobId, PanicKey};

/// A command that the user gave. Panels push them; the page runs each once, after drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkbenchCommand {
    /// A command of the table.
    Ui(UiCommand),
    /// Open the dialog that picks the folder which the chosen job saves to.
    PickOutputFolder,
    /// Add these to the inputs of the next job.
    AddInputs(Vec<PathBuf>),
    RemoveInput(usize),
    Select(JobId),
    /// Save what is kept of a stream to a file that a dialog asks for.
    SaveOutput(JobId, ItemId, Stream),
    /// Put this text on the clipboard.
    CopyText(String),
    ResolveBacktrace(JobId, PanicKey),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);
const FILTER: ShortcutScope = ShortcutScope::Field("Filter");
const FIND: ShortcutScope = ShortcutScope::Field("Find");

/// The commands of the page, in the order in which Settings lists their shortcuts.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[CommandInfo] = &[
    row(UiCommand::AddFiles, Some(ctrl(Key::O)), PAGE, "Add files…", ""),
    row(UiCommand::AddFolder, Some(ctrl_shift(Key::O)), PAGE, "Add folder…", ""),
    row(UiCommand::ClearInputs, None, PAGE, "Clear", "Remove all inputs."),
    row(UiCommand::Start, Some(ctrl(Key::Enter)), PAGE, "Start", ""),
    row(UiCommand::Join, None, PAGE, "Join", "Wait for the job."),
    row(UiCommand::JoinWithTimeout, None, PAGE, "Join with timeout",
        "Wait for the job, at most for this time. The job runs on."),
    row(UiCommand::Detach, None, PAGE, "Detach", "Stop waiting. The job runs on."),
    row(UiCommand::Cancel, None, PAGE, "Cancel", ""),
    row(UiCommand::Terminate, None, PAGE, "Terminate", "Send SIGTERM. Descendants are left alone."),
    row(UiCommand::Kill, None, PAGE, "Kill", "Send SIGKILL. Descendants are left alone."),
    row(UiCommand::StopTree, None, PAGE, "Stop tree",
        "Send SIGTERM to the process and all its descendants, and SIGKILL after the grace period."),
    row(UiCommand::RunAgain, None, PAGE, "Run again", ""),
    row(UiCommand::CopyReport, None, PAGE, "Copy report", ""),
    row(UiCommand::SaveReport, None, PAGE, "Save report…",
        "As text, or as JSON if the name ends in .json."),
    row(UiCommand::SaveList, None, PAGE, "Save list…", "In the format of sha256sum and b3sum."),
    row(UiCommand::Remove, None, PAGE, "Remove", "Remove the job from the list."),
    row(UiCommand::Find, Some(ctrl(Key::F)), PAGE, "Filter the results, or find in the output", ""),
    row(UiCommand::NextRow, Some(plain(Key::ArrowDown)), FILTER, "Next row", ""),
    row(UiCommand::PreviousRow, Some(plain(Key::ArrowUp)), FILTER, "Previous row", ""),
    row(UiCommand::NextMatch, Some(plain(Key::Enter)), FIND, "Next", ""),
    row(UiCommand::PreviousMatch, Some(shift(Key::Enter)), FIND, "Previous", ""),
];
