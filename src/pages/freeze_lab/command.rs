//! The commands of the page.

use super::ID;
use crate::lab::{PatternId, Variant};
use crate::pages::commands::{CommandInfo, ShortcutScope, UiCommand, row};

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabCommand {
    Select(PatternId),
    ShowReport,
    Run(PatternId, Variant),
    /// Run both variants of a pattern.
    RunBoth(PatternId),
    /// Run both variants of all patterns.
    RunAll,
    /// Open a twin for the user to operate.
    TryByHand(PatternId, Variant),
    /// Kill the current run and cancel the waiting ones.
    Stop,
    /// Ask for a file and save the report to it.
    SaveReport,
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);

const TRY_HINT: &str = "Opens the window for you to use: press Start there, then click and type. \
                        Close it when you are done.";

/// The commands with a button.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[CommandInfo] = &[
    row(UiCommand::RunAllPatterns, None, PAGE, "Run all", ""),
    row(UiCommand::RunBothVariants, None, PAGE, "Run both", ""),
    row(UiCommand::RunBad, None, PAGE, "Run bad", ""),
    row(UiCommand::RunFixed, None, PAGE, "Run fixed", ""),
    row(UiCommand::TryBad, None, PAGE, "Try by hand: bad", TRY_HINT),
    row(UiCommand::TryFixed, None, PAGE, "Try by hand: fixed", TRY_HINT),
    row(UiCommand::StopRuns, None, PAGE, "Stop",
        "Kills the running window, even a frozen one, and cancels the other runs."),
    row(UiCommand::SaveLabReport, None, PAGE, "Save report…",
        "As Markdown, JSON or CSV, by the ending of the file name."),
];
