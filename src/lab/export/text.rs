//! One line for each pattern, for the shell.

use std::fmt::Write as _;

use crate::lab::report::LabReport;

impl LabReport {
    /// One line for each pattern that was run, and one with the cause where it is known.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for id in self.patterns() {
            let verdict = self.verdict_text(id);
            let line = verdict.unwrap_or_else(|| self.variants_text(id));
            writeln!(text, "{:<24} {line}", id.to_string()).expect("a string takes any text");
            if let Some(because) = self.because(id) {
                writeln!(text, "{:<24} because: {because}", "").expect("a string takes any text");
            }
        }
        text
    }
}
