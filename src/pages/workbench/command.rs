use eframe::egui::Key;

use super::ID;
use crate::pages::commands::{
    CommandInfo, ShortcutScope, UiCommand, ctrl, ctrl_shift, plain, row, shift,
};
use crate::record::{JobId, PanicKey};

/// A command that the user gave. Panels push them; the page runs each once, after drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkbenchCommand {
    /// A command of the table.
    Ui(UiCommand),
    /// Open the dialog that picks the folder which the chosen job saves to.
    PickOutputFolder,
    RemoveInput(usize),
    Select(JobId),
    /// Put this text on the clipboard.
    CopyText(String),
    ResolveBacktrace(JobId, PanicKey),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);
const FILTER: ShortcutScope = ShortcutScope::Field("Filter");
const FIND: ShortcutScope = ShortcutScope::Field("Find");
const PATH: ShortcutScope = ShortcutScope::Field("Path");

/// The commands of the page, in the order in which Settings lists their shortcuts.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[CommandInfo] = &[
    row(UiCommand::AddFiles, Some(ctrl(Key::O)), PAGE, "Add files…", ""),
    row(UiCommand::AddFolder, Some(ctrl_shift(Key::O)), PAGE, "Add folder…", ""),
    row(UiCommand::AddPath, Some(plain(Key::Enter)), PATH, "Add", "Add this path to the inputs."),
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
    row(UiCommand::NextPage, None, PAGE, "Next page", ""),
    row(UiCommand::PreviousPage, None, PAGE, "Previous page", ""),
    row(UiCommand::CopyResult, None, ShortcutScope::Item, "Copy result", ""),
    row(UiCommand::CopyStandardError, None, ShortcutScope::Item, "Copy standard error", ""),
    row(UiCommand::CopyPath, None, ShortcutScope::Item, "Copy path", ""),
    row(UiCommand::NextMatch, Some(plain(Key::Enter)), FIND, "Next", ""),
    row(UiCommand::PreviousMatch, Some(shift(Key::Enter)), FIND, "Previous", ""),
    row(UiCommand::SaveOutput, None, PAGE, "Save output…",
        "All kept bytes of this stream, unchanged."),
    row(UiCommand::CopyOutput, None, PAGE, "Copy output", "The lines below as text, in full."),
    row(UiCommand::Follow, None, PAGE, "Follow",
        "Go to the last line and follow new ones. Until then these lines stay, even if they are no \
         longer kept."),
    row(UiCommand::ResolveBacktrace, None, ShortcutScope::Item, "Resolve backtrace",
        "Look up the functions and lines in which the panic happened."),
];
