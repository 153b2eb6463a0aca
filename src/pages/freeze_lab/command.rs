use crate::lab::{PatternId, Variant};

/// What can be asked of the Freeze Lab.
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
