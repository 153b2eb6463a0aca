//! A Markdown table with both variants side by side.

use std::fmt::Write as _;

use crate::format;
use crate::lab::pattern::Variant;
use crate::lab::report::{LabReport, Row};

impl LabReport {
    /// One row for each pattern that was run; the machine below the table.
    pub fn markdown(&self) -> String {
        let mut text =
            String::from("| pattern | bad | fixed | ratio | because |\n|---|---|---|---|---|\n");
        for id in self.patterns() {
            let cell = |variant| self.row(id, variant).map_or("–".to_owned(), Row::text);
            let (bad, fixed) = (cell(Variant::Bad), cell(Variant::Fixed));
            let ratio = self.verdict(id).and_then(|verdict| verdict.ratio);
            let ratio = ratio.map_or("–".to_owned(), format::ratio);
            // A line of a cell must not end it.
            let because = self.because(id).or_else(|| self.missing(id));
            let because = because.unwrap_or("–").replace('|', "\\|");
            writeln!(text, "| {id} | {bad} | {fixed} | {ratio} | {because} |")
                .expect("a string takes any text");
        }
        text + "\n" + &self.machine.text() + "\n"
    }
}
