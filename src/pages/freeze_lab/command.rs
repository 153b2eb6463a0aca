//! The commands of the page.

use super::{ID, incidents};
use crate::lab::PatternId;
use crate::pages::commands::{CommandInfo, ShortcutScope, UiCommand, row};

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabCommand {
    Select(PatternId),
    ShowReport,
    /// A command of the table.
    Ui(UiCommand),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);

const TRY_HINT: &str = "Opens the window for you to use: press Start there, then click and type. \
                        Close it when you are done.";

/// The commands with a button.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[CommandInfo] = &[
    row(UiCommand::RunAllPatterns, None, PAGE, "Run all", "Run both variants of all patterns."),
    row(UiCommand::RunBothVariants, None, PAGE, "Run both", "Run both variants of this pattern."),
    row(UiCommand::RunBad, None, PAGE, "Run bad", ""),
    row(UiCommand::RunFixed, None, PAGE, "Run fixed", ""),
    row(UiCommand::TryBad, None, PAGE, "Try by hand: bad", TRY_HINT),
    row(UiCommand::TryFixed, None, PAGE, "Try by hand: fixed", TRY_HINT),
    row(UiCommand::StopRuns, None, PAGE, "Stop",
        "Kills the running window, even a frozen one, and cancels the other runs."),
    row(UiCommand::SaveLabReport, None, PAGE, "Save report…",
        "As Markdown, JSON or CSV, by the ending of the file name."),
    incidents::CLEAR,
];
