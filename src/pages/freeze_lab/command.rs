//! The commands of the page.

use crate::lab::{PatternId, Variant};

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabCommand {
    /// Show a pattern.
    Select(PatternId),
    /// Show the report.
    ShowReport,
    /// Run one variant of a pattern.
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
