use std::path::PathBuf;

use eframe::egui::Key;

use super::ID;
use crate::jobs::form::PathKind;
#[cfg(unix)]
use crate::join::process::RunningProcess;
use crate::pages::PageId;
use crate::pages::commands::{ShortcutScope, UiCommand, commands, ctrl, ctrl_shift, plain, shift};
use crate::record::{ItemId, JobId, PanicKey};

/// A command that the user gave. Panels push them; the page runs each once, after drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkbenchCommand {
    /// A command of the table.
    Ui(UiCommand),
    /// Open the dialog that picks the path for this row of the chosen job's form.
    PickPath {
        label: &'static str,
        kind: PathKind,
    },
    RemoveInput(usize),
    /// Add this recent input.
    AddRecent(PathBuf),
    Select(JobId),
    /// Select this item of a job, and show its output.
    ShowOutput(JobId, ItemId),
    OpenPage(PageId),
    /// Put this text on the clipboard.
    CopyText(String),
    ResolveBacktrace(JobId, PanicKey),
    /// Wait for this process, which something else has started.
    #[cfg(unix)]
    Adopt(RunningProcess),
    /// Carry out a command of the table that ends a process which something else has started.
    EndAdopted(JobId, UiCommand),
    /// Wait no longer for such a process, and leave it alone.
    LeaveAdopted(JobId),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);
const IN_RESULTS: ShortcutScope = ShortcutScope::Field("Results");
const IN_FIND: ShortcutScope = ShortcutScope::Field("Find");
const IN_PATH: ShortcutScope = ShortcutScope::Field("Path");

// Settings lists their shortcuts in this order.
commands! {
    ADD_FILES: Some(ctrl(Key::O)), PAGE, "Add files…", "";
    ADD_FOLDER: Some(ctrl_shift(Key::O)), PAGE, "Add folder…", "";
    ADD_PATH: Some(plain(Key::Enter)), IN_PATH, "Add", "Add this path to the inputs.";
    RECENT: None, PAGE, "Recent", "Files and folders that were inputs last.";
    CLEAR_RECENT: None, PAGE, "Clear recent", "Forget these files and folders.";
    CLEAR_INPUTS: None, PAGE, "Clear", "Remove all inputs.";
    ADD_PROCESS: None, PAGE, "Add running process…",
        "Wait for a process that something else has started.";
    START: Some(ctrl(Key::Enter)), PAGE, "Start", "";
    JOIN: None, PAGE, "Join", "Wait for the job.";
    JOIN_WITH_TIMEOUT: None, PAGE, "Join with timeout",
        "Wait for the job, at most for this time. The job runs on.";
    DETACH: None, PAGE, "Detach", "Stop waiting. The job runs on.";
    CANCEL: None, PAGE, "Cancel", "";
    TERMINATE: None, PAGE, "Terminate", "Send SIGTERM. Descendants are left alone.";
    KILL: None, PAGE, "Kill", "Send SIGKILL. Descendants are left alone.";
    STOP_TREE: None, PAGE, "End process tree",
        "Send SIGTERM to the process and all its descendants, and SIGKILL after the grace period.";
    RUN_AGAIN: None, PAGE, "Run again", "";
    COPY_REPORT: None, PAGE, "Copy report", "";
    SAVE_REPORT: None, PAGE, "Save report…", "As text, or as JSON if the name ends in .json.";
    SAVE_LIST: None, PAGE, "Save list…", "In the format of sha256sum and b3sum.";
    REMOVE: None, PAGE, "Remove", "Remove the job from the list.";
    FIND: Some(ctrl(Key::F)), PAGE, "Filter the results, or find in the output", "";
    NEXT_ROW: Some(plain(Key::ArrowDown)), IN_RESULTS, "Next row", "";
    PREVIOUS_ROW: Some(plain(Key::ArrowUp)), IN_RESULTS, "Previous row", "";
    SCREEN_DOWN: Some(plain(Key::PageDown)), IN_RESULTS, "One screen down", "";
    SCREEN_UP: Some(plain(Key::PageUp)), IN_RESULTS, "One screen up", "";
    FIRST_ROW: Some(plain(Key::Home)), IN_RESULTS, "First row", "";
    LAST_ROW: Some(plain(Key::End)), IN_RESULTS, "Last row", "";
    EXTEND_DOWN: Some(shift(Key::ArrowDown)), IN_RESULTS, "Select the next row, too", "";
    EXTEND_UP: Some(shift(Key::ArrowUp)), IN_RESULTS, "Select the previous row, too", "";
    MOVE_DOWN: Some(ctrl(Key::ArrowDown)), IN_RESULTS, "Go to the next row, and leave the selected ones", "";
    MOVE_UP: Some(ctrl(Key::ArrowUp)), IN_RESULTS, "Go to the previous row, and leave the selected ones", "";
    ADD_DOWN: Some(ctrl_shift(Key::ArrowDown)), IN_RESULTS, "Add the rows down to the next one", "";
    ADD_UP: Some(ctrl_shift(Key::ArrowUp)), IN_RESULTS, "Add the rows up to the previous one", "";
    TOGGLE_ROW: Some(ctrl(Key::Space)), IN_RESULTS, "Select this row, or no longer", "";
    SELECT_ALL: Some(ctrl(Key::A)), IN_RESULTS, "Select all rows", "";
    OPEN_DETAILS: Some(plain(Key::Enter)), IN_RESULTS, "Open the details", "";
    CLOSE_DETAILS: Some(plain(Key::Escape)), IN_RESULTS, "Close the details", "";
    OPEN_MENU: Some(shift(Key::F10)), IN_RESULTS, "Menu of the selected rows", "";
    OPEN_FILE: None, ShortcutScope::Item, "Open", "Open the file with the program that the desktop has for it.";
    SHOW_IN_FOLDER: None, ShortcutScope::Item, "Show in folder", "";
    COPY_DIGEST: None, ShortcutScope::Item, "Copy digest", "";
    COMPARE: None, ShortcutScope::Item, "Compare…", "Two rows, or one with a digest that you paste.";
    RUN_THESE_AGAIN: None, ShortcutScope::Item, "Run these again",
        "A new job with the same options and only these rows.";
    TAKE_AS_INPUTS: None, ShortcutScope::Item, "Take as inputs",
        "They take the place of the inputs of the next job.";
    COPY_ROW: Some(ctrl(Key::C)), IN_RESULTS, "Copy row", "What the columns show, with tabs between.";
    NEXT_PAGE: None, PAGE, "Next page", "";
    PREVIOUS_PAGE: None, PAGE, "Previous page", "";
    COPY_RESULT: None, ShortcutScope::Item, "Copy result", "";
    COPY_STANDARD_ERROR: None, ShortcutScope::Item, "Copy standard error", "";
    COPY_PATH: None, ShortcutScope::Item, "Copy path", "";
    NEXT_MATCH: Some(plain(Key::Enter)), IN_FIND, "Next", "";
    PREVIOUS_MATCH: Some(shift(Key::Enter)), IN_FIND, "Previous", "";
    SAVE_OUTPUT: None, PAGE, "Save output…", "All kept bytes of this stream, unchanged.";
    COPY_OUTPUT: None, PAGE, "Copy output", "The lines below as text, in full.";
    FOLLOW: None, PAGE, "Follow",
        "Go to the last line and follow new ones. Until then these lines stay, even if they are no \
         longer kept.";
    SHOW_IN_TIMELINE: None, ShortcutScope::Item, "Show in timeline",
        "When it ran, and what ran and waited beside it.";
    RESOLVE_BACKTRACE: None, ShortcutScope::Item, "Resolve backtrace",
        "Look up the functions and lines in which the panic happened.";
}
