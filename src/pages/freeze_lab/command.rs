//! The commands of the page.

use super::{ID, incidents};
use crate::lab::PatternId;
use crate::pages::commands::{ShortcutScope, UiCommand, commands};

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabCommand {
    Select(PatternId),
    ShowReport,
    /// A command of the table.
    Ui(UiCommand),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);

const TRY_HINT: &str = "Opens the window for you to use. It says what to do, and stays in front.";

commands! {
    RUN_ALL: None, PAGE, "Run all", "Run both variants of all patterns, one window after the other. They leave you the keyboard.";
    RUN_BOTH: None, PAGE, "Run both", "Run both variants of this pattern.";
    RUN_BAD: None, PAGE, "Run bad", "";
    RUN_FIXED: None, PAGE, "Run fixed", "";
    TRY_BAD: None, PAGE, "Try by hand: bad", TRY_HINT;
    TRY_FIXED: None, PAGE, "Try by hand: fixed", TRY_HINT;
    OPEN_IN_TIMELINE: None, PAGE, "Open in timeline", "Show what the last windows of this pattern did, to compare both.";
    STOP: None, PAGE, "Stop", "Kills the running window, even a frozen one, and cancels the other runs.";
    OPEN_REPORT: None, PAGE, "Open report…", "Shows a report that was saved as JSON beside this one, such as that of another machine.";
    CLOSE_REPORTS: None, PAGE, "Close opened reports", "";
    SAVE_REPORT: None, PAGE, "Save report…", "As Markdown, JSON or CSV, by the ending of the file name.";
    + incidents::ROW;
}
